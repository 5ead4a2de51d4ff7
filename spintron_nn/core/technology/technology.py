"""A device technology: the quantities of a card, what follows from them, and its MTJConfig."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from spintron_ir.errors import ParameterError

from ..constants import CELSIUS
from .card import Quantity
from .derived import derive, resistances
from .finding import CardError, Finding
from .schema import SCHEMA

if TYPE_CHECKING:
    from ..domain_wall.steps import StepModel
    from ..mtj_models import MTJConfig

__all__ = ["Technology"]

FIELDS = {
    "device.levels": "levels",
    "device.level_fractions": "level_fractions",
    "device.cell_bits": "cell_bits",
    "transport.bias_half": "bias_half",
    "write.switching_voltage": "switching_voltage",
    "write.resistance": "write_resistance",
    "write.pulse": "write_pulse",
    "read.voltage": "read_voltage",
    "read.noise": "read_noise",
    "spread.resistance": "resistance_variation",
    "faults.stuck_p": "stuck_p",
    "faults.stuck_ap": "stuck_ap",
}
"""Field of MTJConfig for a quantity that has another name there."""

GROUPS = ("spread", "faults", "programming", "ageing", "telegraph", "wires", "converters")
"""Sections whose other quantities are fields of the group of that name."""

KEPT = ("spread.resistance_tmr",)
"""Quantities of those groups that describe a card and are not sampled."""

SQUARE_MILLIMETRES = 1e6


@dataclass(frozen=True, eq=False)
class Technology:
    """One device technology, as its card has it.

    Parameters
    ----------
    name : str
        Name of the card.
    summary : str
        What the device is.
    quantities : mapping of str to Quantity
        By dotted name, in the order of the schema.

    Examples
    --------
    >>> from spintron_nn.core.technology import technology
    >>> card = technology("sot-mtj-high-ra")
    >>> card.value("transport.tmr")
    1.2
    >>> card.mtj_config().resistance_high
    3300000.0
    """

    name: str
    summary: str
    quantities: Mapping[str, Quantity]

    def __contains__(self, name: object) -> bool:
        return name in self.quantities

    def __iter__(self) -> Iterator[Quantity]:
        return iter(self.quantities.values())

    def quantity(self, name: str) -> Quantity:
        """The quantity of a dotted name: value in SI units, source, validity, uncertainty.

        Raises
        ------
        ParameterError
            If there is no such quantity, or the card leaves it out.
        """
        if name not in SCHEMA:
            raise ParameterError(
                f"Technology: a quantity must be one of the schema, not {name!r}; "
                "docs/technology-cards.md lists them"
            )
        if name not in self.quantities:
            raise ParameterError(
                f"Technology: the card {self.name} must have {name} for this, and leaves it out; "
                "add it with its unit and source"
            )
        return self.quantities[name]

    def value(self, name: str) -> Any:
        """Value of a dotted name, in SI units.

        Raises
        ------
        ParameterError
            As :meth:`quantity`.
        """
        return self.quantity(name).value

    @property
    def values(self) -> dict[str, Any]:
        """All values by dotted name, in SI units."""
        return {name: quantity.value for name, quantity in self.quantities.items()}

    def derived(self) -> dict[str, Quantity]:
        """What follows from the card, by name; the source is the formula.

        Resistances, effective anisotropy and its field, stability and dwell time, critical
        current of spin transfer or threshold current of spin-orbit torque, energy of a write,
        noise of a weight held by a pair, current of a column of 128 rows: as far as the card has
        what they need.
        """
        return derive(self.values)

    def step_model(self) -> StepModel:
        """The fitted steps of a domain wall.

        Raises
        ------
        ParameterError
            If the card has none.
        """
        from ..domain_wall.steps import StepModel

        names = [name for name in SCHEMA if name.startswith("steps.")]
        values = {}
        for name in names:
            value = self.value(name)
            values[name.split(".")[1]] = list(value) if isinstance(value, tuple) else value
        return StepModel.from_dict(values)

    def mtj_config(self, **changes: Any) -> MTJConfig:
        """The technology as the parameters of a chip.

        Only what the card has is passed on; for the rest the defaults of MTJConfig hold.

        Parameters
        ----------
        changes
            Fields of MTJConfig that shall differ from the card.

        Raises
        ------
        CardError
            If the card lacks resistances, or its values contradict each other.
        """
        from ..mtj_models import MTJConfig

        pair = resistances(self.values)
        if pair is None:
            message = (
                "a device must have transport.tmr, and transport.resistance_low or "
                "transport.resistance_area with an area; add what is missing"
            )
            raise CardError(self.name, [Finding("error", "transport", message)])
        try:
            return MTJConfig.from_dict({**self._fields(*pair), **changes})
        except ParameterError as error:
            raise CardError(self.name, [Finding("error", "device", str(error))]) from error

    def _fields(self, low: float, high: float) -> dict[str, Any]:
        """Plain values for MTJConfig."""
        made: dict[str, Any] = {"resistance_low": low, "resistance_high": high}
        for name, quantity in self.quantities.items():
            section, key = name.split(".")
            if name in FIELDS:
                made[FIELDS[name]] = quantity.value
            elif section in GROUPS and name not in KEPT:
                made.setdefault(section, {})[key] = quantity.value
        if "geometry.cell_area" in self:
            made["cell_area"] = _rounded(self.value("geometry.cell_area") * SQUARE_MILLIMETRES)
        if "ageing.temperature" in self:
            made["ageing"]["temperature"] = _rounded(self.value("ageing.temperature") - CELSIUS)
        return made


def _rounded(value: float) -> float:
    """Twelve digits: a change of units leaves a last bit that means nothing."""
    return float(f"{value:.12g}")
