"""The free layer as one moment: magnetisation, anisotropy and thermal stability."""

from __future__ import annotations

from numpy.typing import ArrayLike

from spintron_ir.errors import ParameterError

from ..checks import Reals, check_reals
from ..constants import BOLTZMANN, MU_0

__all__ = [
    "anisotropy_field",
    "effective_anisotropy",
    "interface_anisotropy",
    "saturation_magnetisation",
    "thermal_stability",
]


def saturation_magnetisation(
    at_zero: ArrayLike, temperature: ArrayLike, curie_temperature: ArrayLike = 1120.0
) -> Reals:
    """Saturation magnetisation at a temperature, ``Ms0 (1 - (T / Tc)**1.5)``.

    Parameters
    ----------
    at_zero : array, A/m, above 0
        Magnetisation at 0 K.
    temperature : array, K, at least 0 and below the Curie temperature
        Temperature. Bloch's law holds well below the Curie point.
    curie_temperature : array, K, above 0
        Curie temperature; 1120 K for CoFeB.

    Returns
    -------
    array, A/m

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Bloch, Z. Phys. 61, 206 (1930).

    Examples
    --------
    >>> print(f"{saturation_magnetisation(1.2e6, 300.0):.4g}")  # (300 / 1120)**1.5 = 0.13863
    1.034e+06
    """
    owner = "saturation_magnetisation"
    zero = check_reals(owner, "at_zero", at_zero, "above 0", "A/m")
    kelvin = check_reals(owner, "temperature", temperature, "at least 0", "K")
    curie = check_reals(owner, "curie_temperature", curie_temperature, "above 0", "K")
    ratio = kelvin / curie
    if (ratio >= 1).any():
        raise ParameterError(
            f"{owner}: temperature must be below the Curie temperature, not "
            f"{float(ratio.max()):.4g} times it; the layer is no magnet there"
        )
    return zero * (1 - ratio**1.5)


def interface_anisotropy(
    at_zero: ArrayLike, magnetisation_share: ArrayLike, exponent: ArrayLike = 2.2
) -> Reals:
    """Interface anisotropy of a warm layer, ``K_i0 (Ms / Ms0)**m``.

    Parameters
    ----------
    at_zero : array, J/m2
        Interface anisotropy at 0 K.
    magnetisation_share : array, in 0..1
        ``Ms(T) / Ms(0)``.
    exponent : array, above 0
        2.2 for CoFeB on MgO; 3 by Callen and Callen for one ion.

    Returns
    -------
    array, J/m2

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Callen and Callen, J. Phys. Chem. Solids 27, 1271 (1966); 2.16 measured on CoFeB/MgO by Takeuchi
    et al., Appl. Phys. Lett. 107, 152405 (2015).

    Examples
    --------
    >>> print(f"{interface_anisotropy(1e-3, 0.5, 2.0):.3g}")
    0.00025
    """
    owner = "interface_anisotropy"
    zero = check_reals(owner, "at_zero", at_zero, "finite", "J/m2")
    share = check_reals(owner, "magnetisation_share", magnetisation_share, "in 0..1")
    return zero * share ** check_reals(owner, "exponent", exponent, "above 0")


def effective_anisotropy(
    interface: ArrayLike,
    thickness: ArrayLike,
    magnetisation: ArrayLike,
    factor_difference: ArrayLike = 1.0,
    bulk: ArrayLike = 0.0,
) -> Reals:
    """Anisotropy that is left over the demagnetising energy.

    ``K_eff = K_b + K_i / t - mu0 Ms**2 (N_z - N_x) / 2``; negative where the layer lies in the
    plane.

    Parameters
    ----------
    interface : array, J/m2
        Interface anisotropy, of both interfaces together.
    thickness : array, m, above 0
        Thickness of the free layer, less its dead layer.
    magnetisation : array, A/m, above 0
        Saturation magnetisation.
    factor_difference : array
        ``N_z - N_x``: 1 for a film; for a pillar see :func:`cylinder_factor`, of which it is
        ``(3 N_z - 1) / 2``.
    bulk : array, J/m3
        Anisotropy of the bulk.

    Returns
    -------
    array, J/m3

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Ikeda et al., Nature Materials 9, 721 (2010). The example is the UT-Austin set.

    Examples
    --------
    >>> print(f"{effective_anisotropy(1.0056e-3, 1.1e-9, 1.2e6, 0.9682):.3g}")
    3.82e+04
    """
    owner = "effective_anisotropy"
    surface = check_reals(owner, "interface", interface, "finite", "J/m2")
    height = check_reals(owner, "thickness", thickness, "above 0", "m")
    moment = check_reals(owner, "magnetisation", magnetisation, "above 0", "A/m")
    shape = check_reals(owner, "factor_difference", factor_difference)
    volume = check_reals(owner, "bulk", bulk, "finite", "J/m3")
    return volume + surface / height - MU_0 * moment**2 * shape / 2


def anisotropy_field(anisotropy: ArrayLike, magnetisation: ArrayLike) -> Reals:
    """Anisotropy field ``mu0 Hk = 2 K_eff / Ms``.

    Parameters
    ----------
    anisotropy : array, J/m3
        Effective anisotropy.
    magnetisation : array, A/m, above 0
        Saturation magnetisation.

    Returns
    -------
    array, T

    Raises
    ------
    ParameterError
        If an argument is out of range.

    Source
    ------
    Stoner and Wohlfarth, Phil. Trans. R. Soc. A 240, 599 (1948).

    Examples
    --------
    >>> print(f"{anisotropy_field(3.82e4, 1.2e6):.4f}")
    0.0637
    """
    owner = "anisotropy_field"
    energy = check_reals(owner, "anisotropy", anisotropy, "finite", "J/m3")
    return 2 * energy / check_reals(owner, "magnetisation", magnetisation, "above 0", "A/m")


def thermal_stability(anisotropy: ArrayLike, volume: ArrayLike, temperature: ArrayLike) -> Reals:
    """Barrier over thermal energy, ``Delta = K_eff V / (kB T)``.

    Parameters
    ----------
    anisotropy : array, J/m3, above 0
        Effective anisotropy; at or below 0 the layer lies in the plane and has no two states.
    volume : array, m3, above 0
        Volume that reverses as one. A pillar wider than 30 to 40 nm reverses in a part of it: see
        :func:`activation_volume`.
    temperature : array, K, above 0
        Temperature.

    Returns
    -------
    array

    Raises
    ------
    ParameterError
        If an argument is not above 0.

    Source
    ------
    Neel, Ann. Geophys. 5, 99 (1949).

    Examples
    --------
    >>> volume = 2.15984e-24  # 50 nm across, 1.1 nm thick
    >>> print(f"{thermal_stability(38_175.0, volume, 300.0):.2f}")
    19.91
    """
    owner = "thermal_stability"
    energy = check_reals(owner, "anisotropy", anisotropy, "above 0", "J/m3")
    energy = energy * check_reals(owner, "volume", volume, "above 0", "m3")
    return energy / (BOLTZMANN * check_reals(owner, "temperature", temperature, "above 0", "K"))
