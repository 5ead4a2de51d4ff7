"""One crossbar of differential pairs: weights to conductances, voltages to currents."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir.errors import ParameterError, check_choice, check_int

from .checks import check_reals
from .chip import Chip
from .junction.conductance import antiparallel_resistance
from .junction.magnetoresistance import julliere_tmr, polarisation_from_tmr
from .mtj_models import MTJConfig
from .nodal import RuleReport, check_array
from .sampling.fields import made_from
from .sampling.wires import Wires

__all__ = ["LAYERS", "Layer", "MTJCrossbar"]

Reals = NDArray[np.float64]


@dataclass(frozen=True)
class Layer:
    """An electrode on a barrier.

    Parameters
    ----------
    tmr : float
        Measured at room temperature on junctions with this electrode on both sides.
    source : str
        Where it was published.

    Examples
    --------
    >>> round(LAYERS["perpendicular", "MgO", "CoFeB"].polarisation, 3)
    0.619
    """

    tmr: float
    source: str

    @property
    def polarisation(self) -> float:
        """Effective spin polarisation, by Julliere's formula."""
        return float(polarisation_from_tmr(self.tmr))


LAYERS = {
    ("perpendicular", "MgO", "CoFeB"): Layer(1.24, "Ikeda et al., Nat. Mater. 9, 721 (2010)"),
    ("in-plane", "MgO", "CoFeB"): Layer(
        3.23, "Schebaum et al., J. Magn. Magn. Mater. 323, 1525 (2011)"
    ),
    ("in-plane", "MgO", "CoFe"): Layer(2.2, "Parkin et al., Nat. Mater. 3, 862 (2004)"),
    ("in-plane", "MgO", "Fe"): Layer(1.8, "Yuasa et al., Nat. Mater. 3, 868 (2004)"),
    ("in-plane", "AlOx", "CoFeB"): Layer(0.7, "Wang et al., IEEE Trans. Magn. 40, 2269 (2004)"),
}
"""Electrodes by easy axis, barrier and material."""


class MTJCrossbar:
    """An array of pairs of devices: each weight is the difference of two conductances.

    Rows are inputs, columns are outputs. The layers decide the TMR of its cells by Julliere's
    formula; their resistance is that of a barrier thick enough for megohms, which
    :meth:`set_cell_type` changes.

    Parameters
    ----------
    rows, cols : int, 1..1024
        Size of the array; each column is two bit lines, on two arrays of this size.
    mtj_type : str
        Easy axis, ``perpendicular`` or ``in-plane``.
    reference_layer, barrier, free_layer : str
        Materials, as in :data:`LAYERS`.

    Raises
    ------
    ParameterError
        If a size is out of range or a material unknown; the message lists what is known.

    Source
    ------
    Each layer names its own; the formula is Julliere's, Phys. Lett. A 54, 225 (1975).

    Examples
    --------
    >>> crossbar = MTJCrossbar(rows=2, cols=1)
    >>> round(crossbar.config.tmr, 2)
    1.24
    >>> conductances = crossbar.map_weights([[1.0], [-1.0]])
    >>> currents = crossbar.compute_vmm([0.1, 0.0], conductances)
    >>> print(f"{currents[0] * 1e9:.1f} nA")
    36.9 nA
    """

    def __init__(
        self,
        *,
        rows: int,
        cols: int,
        mtj_type: str = "perpendicular",
        reference_layer: str = "CoFeB",
        barrier: str = "MgO",
        free_layer: str = "CoFeB",
    ) -> None:
        owner = "MTJCrossbar"
        self.rows = check_int(owner, "rows", rows, 1, 1024)
        self.cols = check_int(owner, "cols", cols, 1, 1024)
        types = sorted({kind for kind, _, _ in LAYERS})
        check_choice(owner, "mtj_type", mtj_type, types)
        barriers = sorted({oxide for kind, oxide, _ in LAYERS if kind == mtj_type})
        check_choice(owner, f"barrier of a junction that is {mtj_type}", barrier, barriers)
        known = sorted(
            layer for kind, oxide, layer in LAYERS if (kind, oxide) == (mtj_type, barrier)
        )
        for name, layer in (("reference_layer", reference_layer), ("free_layer", free_layer)):
            check_choice(owner, f"{name} on {barrier}, {mtj_type},", layer, known)
        sides = (LAYERS[mtj_type, barrier, layer] for layer in (reference_layer, free_layer))
        tmr = julliere_tmr(*(side.polarisation for side in sides))
        low = MTJConfig().resistance_low
        high = float(antiparallel_resistance(low, tmr))
        self._config = MTJConfig(resistance_low=low, resistance_high=high)

    @property
    def config(self) -> MTJConfig:
        """Technology of the cells."""
        return self._config

    def set_cell_type(self, device: Any) -> None:
        """Use other cells.

        Parameters
        ----------
        device : MTJConfig, or anything with a method ``mtj_config()`` that returns one
            The cell, such as a domain wall device.
        """
        config = device
        if not isinstance(device, MTJConfig) and callable(getattr(device, "mtj_config", None)):
            config = device.mtj_config()
        if not isinstance(config, MTJConfig):
            raise ParameterError(
                "MTJCrossbar: device must be an MTJConfig or have a method mtj_config(), not "
                f"{device!r}"
            )
        self._config = config

    def set_wires(
        self, wires: Wires | dict[str, float] | None = None, **resistances: float
    ) -> None:
        """Set what lies in series with the cells.

        Parameters
        ----------
        wires : Wires, or a dictionary of its fields
            All of it; None: those of the cells.
        resistances : float, ohm, at least 0
            Fields of :class:`~spintron_nn.core.sampling.Wires` that change.
        """
        given = self._config.wires if wires is None else made_from(Wires, wires)
        changed = made_from(Wires, {**vars(given), **resistances})
        self._config = replace(self._config, wires=changed)

    def map_weights(
        self, weights: Any, *, seed: int | None = None, largest: float | None = None
    ) -> Any:
        """Conductances of the pairs that hold the weights.

        The weight ``w`` asks its positive device for the share ``(1 + w / largest) / 2`` of
        ``G_P - G_AP`` and its negative one for the rest; each takes the nearest level.

        Parameters
        ----------
        weights : array or torch tensor of shape ``(rows, cols)``
            Weights.
        seed : int or None
            A sampled chip, or nominal devices.
        largest : float, above 0, or None
            Weight of the full range; larger ones saturate. None: the largest of the weights.

        Returns
        -------
        array, or a tensor where one was given, of shape ``(2, rows, cols)``, siemens
            Positive and negative device of each pair, without wires.
        """
        owner = "MTJCrossbar"
        wanted = check_reals(owner, "weights", weights)
        if wanted.shape != (self.rows, self.cols):
            raise ParameterError(
                f"MTJCrossbar: weights must have the shape ({self.rows}, {self.cols}) of the "
                f"array, not {wanted.shape}"
            )
        top = float(np.abs(wanted).max()) if largest is None else largest
        if largest is not None:
            top = float(check_reals(owner, "largest", largest, "above 0"))
        share = (1 + np.clip(wanted / (top or 1.0), -1, 1)) / 2
        fractions = np.asarray(self._config.fractions)
        between = (fractions[1:] + fractions[:-1]) / 2
        levels = np.searchsorted(between, np.stack([share, 1 - share]))
        chip = Chip(self._config, seed=0 if seed is None else seed, ideal=seed is None)
        found, _ = chip.conductances("crossbar", levels, tile=max(self.rows, self.cols))
        return _like(weights, found)

    def compute_vmm(self, input_voltages: Any, conductances: Any) -> Any:
        """Differential currents of the columns.

        Parameters
        ----------
        input_voltages : array or torch tensor of shape ``(rows,)`` or ``(batch, rows)``, volt
            At the left ends of the word lines.
        conductances : array or torch tensor of shape ``(2, rows, cols)``, siemens
            As :meth:`map_weights` gives them; wires and access devices are added here.

        Returns
        -------
        array, or a tensor where one was given, of shape ``(cols,)`` or ``(batch, cols)``, ampere
            Current of the positive bit line minus that of the negative one.
        """
        voltages = check_reals("MTJCrossbar", "input_voltages", input_voltages, "finite", "V")
        held = check_reals("MTJCrossbar", "conductances", conductances, "at least 0", "siemens")
        if voltages.ndim not in (1, 2) or voltages.shape[-1] != self.rows:
            raise ParameterError(
                f"MTJCrossbar: input_voltages must have the shape ({self.rows},) or (batch, "
                f"{self.rows}), not {voltages.shape}"
            )
        if held.shape != (2, self.rows, self.cols):
            raise ParameterError(
                f"MTJCrossbar: conductances must have the shape (2, {self.rows}, {self.cols}), not "
                f"{held.shape}; map_weights gives them"
            )
        if self._config.wires.on:
            held = self._config.wires.effective(held)
        difference = held[0] - held[1]
        if hasattr(input_voltages, "detach"):
            return input_voltages @ _like(input_voltages, difference)  # gradients pass
        return voltages @ difference

    def check(self, share: float = 0.9) -> RuleReport:
        """Design rule: whether the worst column delivers that share of its ideal current.

        Returns
        -------
        RuleReport
            With a message that says what would.
        """
        config, wires = self._config, self._config.wires
        return check_array(
            resistance_low=config.resistance_low + wires.access,
            resistance_high=config.resistance_high + wires.access,
            rows=self.rows,
            cols=self.cols,
            wire_word=wires.word,
            wire_bit=wires.bit,
            driver=wires.driver,
            sense=wires.sense,
            share=share,
        )


def _like(given: Any, found: ArrayLike) -> Any:
    """Return :py:`found` as a tensor of the kind of :py:`given`, if that is one."""
    if not hasattr(given, "detach"):
        return found
    import torch

    return torch.as_tensor(found, dtype=given.dtype, device=given.device)
