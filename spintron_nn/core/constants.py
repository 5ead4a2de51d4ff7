"""Physical constants in SI units."""

from __future__ import annotations

from scipy import constants as codata

__all__ = [
    "BOHR_MAGNETON",
    "BOLTZMANN",
    "CELSIUS",
    "CHARGE",
    "ELECTRON_MASS",
    "GYRO",
    "HBAR",
    "MU_0",
]

CHARGE = codata.elementary_charge
"""Elementary charge, coulomb."""

HBAR = codata.hbar
"""Reduced Planck constant, J s."""

BOLTZMANN = codata.Boltzmann
"""Boltzmann constant, J/K."""

ELECTRON_MASS = codata.electron_mass
"""Mass of the electron, kg."""

MU_0 = codata.mu_0
"""Vacuum permeability, N/A2."""

BOHR_MAGNETON = codata.physical_constants["Bohr magneton"][0]
"""Bohr magneton, J/T."""

GYRO = codata.physical_constants["electron gyromag. ratio"][0]
"""Gyromagnetic ratio of the electron, rad/s/T; 28.02 GHz/T."""

CELSIUS = codata.zero_Celsius
"""0 degrees Celsius in kelvin."""
