"""What is wrong, or doubtful, about a card: its values against each other and against their use."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from spintron_ir.errors import ParameterError

from ..junction.stability import required_stability
from .derived import ROWS
from .finding import Finding
from .technology import Technology

__all__ = ["check"]

AGREE = 0.05
"""Relative difference that two values of one thing may have, besides their uncertainties."""

ROUNDING = 0.01
"""Relative difference of figures that were rounded to two digits or three."""

TEN_YEARS = 10 * 365.25 * 86400
LOST = 1e-2
"""Share of an array's lifetimes in which a single device of it may have lost its state."""

LARGEST_CURRENT = 100e-6
"""Ampere that a column's sense circuit takes, and that a minimum-width bit line carries."""

LEAST_WIRE = 1e-6
"""Ohm."""

STEEPEST = 30
"""Least resistance of a device over that of a segment for which an array is solved at all."""

SHARE = 0.9
"""Share of its ideal current that the worst column must deliver."""


def check(card: Technology) -> tuple[Finding, ...]:
    """Check a card: errors first.

    Whether a value lies within the validity of its source; parallel resistance against
    resistance-area product and area; stability stated against anisotropy and volume; write
    voltage against the current that writes, read voltage against the one that writes; retention
    of ten years; the current and the wires of a 128 x 128 array; and that a chip, and steps of a
    wall, can be made.

    Examples
    --------
    >>> from spintron_nn.core.technology import technology
    >>> [finding.where for finding in check(technology("sot-mtj-kilohm"))]
    ['magnetics.thermal_stability', 'read.column_current', 'wires']
    """
    found = [finding for rule in RULES for finding in rule(card)]
    return tuple(sorted(found, key=lambda finding: finding.level != "error"))


def _error(where: str, message: str) -> Finding:
    return Finding("error", where, message)


def _warning(where: str, message: str) -> Finding:
    return Finding("warning", where, message)


def _validity(card: Technology) -> Iterator[Finding]:
    for quantity in card:
        if quantity.valid is None:
            continue
        low, high = quantity.valid
        values = quantity.value if isinstance(quantity.value, tuple) else (quantity.value,)
        if not all(low <= value <= high for value in values):
            yield _warning(
                quantity.name,
                f"must lie where its source holds, {low:g}..{high:g} {quantity.unit}".rstrip()
                + f", not at {', '.join(f'{value:g}' for value in values)}; find a source for it",
            )


def _resistance(card: Technology) -> Iterator[Finding]:
    low = card.values.get("transport.resistance_low")
    found = card.derived().get("parallel_resistance")
    if low is None or found is None:
        return
    names = ("transport.resistance_low", "transport.resistance_area", "geometry.diameter")
    # The area goes with the square of the diameter.
    share = math.hypot(
        *(
            power * (card.quantity(name).uncertainty or 0.0) / card.value(name)
            for name, power in zip(names, (1, 1, 2))
            if name in card
        )
    )
    allowed = max(AGREE, 2 * share)
    if abs(found.value / low - 1) > allowed:
        yield _error(
            "transport.resistance_low",
            f"must be resistance_area over the area, {found.value:.4g} ohm, within "
            f"{allowed:.0%}, not {low:.4g} ohm; correct one of them",
        )


def _stability(card: Technology) -> Iterator[Finding]:
    anisotropy = card.derived().get("effective_anisotropy")
    if anisotropy is not None and anisotropy.value <= 0:
        yield _error(
            "magnetics",
            "the layer must be magnetised out of the plane, with an effective anisotropy above 0, "
            f"not {anisotropy.value:.3g} J/m3; check interface_anisotropy and thickness",
        )
    stated = card.values.get("magnetics.thermal_stability")
    made = card.derived().get("macrospin_stability")
    if stated is not None and made is not None and not stated / 2 <= made.value <= 2.5 * stated:
        yield _warning(
            "magnetics.thermal_stability",
            "must lie near that of anisotropy and volume, which exceeds it by up to a factor of "
            f"two, not at {stated:.3g} for {made.value:.3g}; check both, or give an "
            "activation_diameter",
        )


def _retention(card: Technology) -> Iterator[Finding]:
    names = ("magnetics.thermal_stability", "ageing.thermal_stability")
    known = [card.value(name) for name in names if name in card]
    if not known and "macrospin_stability" in card.derived():
        known = [card.derived()["macrospin_stability"].value]
    if not known:
        return
    if len(known) == 2 and abs(known[1] - known[0]) > AGREE * known[0]:
        yield _warning(
            names[1],
            f"must be that of the device, {known[0]:g}, not {known[1]:g}; correct one of them",
        )
    cells = ROWS * ROWS
    device = float(required_stability(1, TEN_YEARS, 1 - math.exp(-1)))
    array = float(required_stability(cells, TEN_YEARS, LOST))
    if known[0] < array:
        yield _warning(
            "magnetics.thermal_stability",
            f"must be at least {device:.1f} for a device to keep its state for ten years, and "
            f"{array:.1f} for {cells} of them to lose none in 99 of 100 such times, not "
            f"{known[0]:.3g}; rewrite weights in time, or use another device",
        )


def _write(card: Technology) -> Iterator[Finding]:
    derived = card.derived()
    current = derived.get("write_current")
    kind = card.values.get("device.kind")
    name = {"sot": "threshold current", "stt": "critical current"}.get(kind or "", "")
    least = derived.get(name.replace(" ", "_"))
    # A measured current says more than the one of a single moment.
    measured = card.values.get("write.switching_current")
    wanted = measured if measured is not None else least.value if least is not None else 0.0
    if current is not None and current.value < wanted * (1 - ROUNDING):
        yield _error(
            "write.switching_voltage",
            f"must drive at least the {name if measured is None else 'switching_current'}, "
            f"{wanted * 1e6:.4g} uA, not {current.value * 1e6:.4g} uA; raise it, or correct "
            "write.resistance",
        )


def _read(card: Technology) -> Iterator[Finding]:
    read = card.values.get("read.voltage")
    write = card.values.get("write.switching_voltage")
    if read is not None and write is not None and read >= write:
        yield _error(
            "read.voltage",
            f"must be below the switching voltage, {write:g} V, not {read:g} V; a read would write",
        )
    elif read is not None and write is not None and read > write / 2 and _shared_path(card):
        yield _warning(
            "read.voltage",
            f"must be at most half the switching voltage, {write / 2:g} V, not {read:g} V, where "
            "reads take the path of writes; lower it, or count read disturbs",
        )
    current = card.derived().get("column_current")
    if current is not None and current.value > LARGEST_CURRENT:
        yield _warning(
            "read.column_current",
            f"{ROWS} rows must sum to at most {LARGEST_CURRENT * 1e6:g} uA, not "
            f"{current.value * 1e6:.3g} uA; use megohm devices, fewer rows or a lower read voltage",
        )


def _shared_path(card: Technology) -> bool:
    return bool(card.values.get("device.kind") == "stt")


def _array(card: Technology) -> Iterator[Finding]:
    from ..nodal import check_array

    made = card.derived()
    if "wires.word" not in card or "wires.bit" not in card or "resistance_high" not in made:
        return
    access = card.values.get("wires.access", 0.0)
    low = made["resistance_low"].value + access
    segment = max(card.value("wires.word"), card.value("wires.bit"))
    if segment > low / STEEPEST:
        # Next to nothing reaches the far end then, and its share has no digits.
        yield _warning(
            "wires",
            f"a segment must be far below a device, {low / STEEPEST:.4g} ohm at most, not "
            f"{segment:.4g} ohm; correct the unit of one of them",
        )
        return
    report = check_array(
        resistance_low=low,
        resistance_high=made["resistance_high"].value + access,
        rows=ROWS,
        cols=ROWS,
        wire_word=_segment(card, "wires.word"),
        wire_bit=_segment(card, "wires.bit"),
        driver=_segment(card, "wires.driver"),
        sense=_segment(card, "wires.sense"),
        share=SHARE,
    )
    if not report.holds:
        yield _warning("wires", report.message)


def _segment(card: Technology, name: str) -> float:
    """Resistance of a wire; next to none is none, or the solver meets ratios beyond its digits."""
    value = float(card.values.get(name, 0.0))
    return value if value >= LEAST_WIRE else 0.0


def _chip(card: Technology) -> Iterator[Finding]:
    try:
        card.mtj_config()
    except ParameterError as error:
        found = getattr(error, "findings", ())
        yield from found or [_error("device", str(error))]


def _steps(card: Technology) -> Iterator[Finding]:
    if not any(quantity.name.startswith("steps.") for quantity in card):
        return
    try:
        card.step_model()
    except ParameterError as error:
        yield _error("steps", str(error))


RULES: tuple[Callable[[Technology], Iterator[Finding]], ...] = (
    _chip,
    _steps,
    _validity,
    _resistance,
    _stability,
    _retention,
    _write,
    _read,
    _array,
)
