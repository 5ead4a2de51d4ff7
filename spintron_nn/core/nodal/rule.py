"""The design rule of a crossbar: whether its wires leave enough of the current, and what would."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from spintron_ir.errors import ParameterError, check_int

from ..checks import check_real
from .arguments import Wiring, check_wiring
from .iterative import Circuit

__all__ = ["RuleReport", "check_array"]

MOST = 1024
"""Most rows and columns of an array that is judged."""

ROUNDING = 1e-9
"""What a share may fall short by."""


@dataclass(frozen=True)
class RuleReport:
    """What the worst column of an array delivers, and what would deliver enough.

    Attributes
    ----------
    worst_share : float, 0..1
        Current of the worst column over that without wires, with as many devices in one state
        as in the other and every row driven.
    all_low_share : float, 0..1
        The same with every device at its low resistance.
    share : float
        What was asked for.
    holds : bool
        Whether :py:`worst_share` is at least that.
    resistance_low, resistance_high : float or None, ohm
        Devices, both scaled alike, that would reach the share in the array as it is; None where
        none would.
    tile_rows, tile_cols : int or None
        Largest part of the array that would reach it, equally many rows and columns unless the
        array has fewer of one.
    rows_at_once : int or None
        Rows read at once that would reach it in the array as it is, where access devices cut off
        the others.
    message : str
        All of this in words.
    """

    worst_share: float
    all_low_share: float
    share: float
    holds: bool
    resistance_low: float | None
    resistance_high: float | None
    tile_rows: int | None
    tile_cols: int | None
    rows_at_once: int | None
    message: str

    def with_remedy(self) -> RuleReport:
        """Return the report with what would reach the share added to its message."""
        ways = []
        if self.resistance_low is not None and self.resistance_high is not None:
            ways.append(f"{_kilo(self.resistance_low)}/{_kilo(self.resistance_high)} devices")
        if self.tile_rows is not None and self.tile_cols is not None:
            tile = f"{_count(self.tile_rows, 'row')} x {_count(self.tile_cols, 'column')}"
            ways.append(f"tiles of {tile}")
        if self.rows_at_once is not None:
            ways.append(f"reading {_count(self.rows_at_once, 'row')} at once")
        if ways:
            named = ", ".join(ways[:-1]) + (" or " if len(ways) > 1 else "") + ways[-1]
            remedy = f"{named} would deliver {_percent(self.share)}"
        else:
            remedy = (
                f"neither other devices nor smaller tiles deliver {_percent(self.share)}: use "
                f"wires, drivers and senses of lower resistance"
            )
        return replace(self, message=f"{self.message}; {remedy}")


def check_array(
    *,
    resistance_low: float,
    resistance_high: float,
    rows: int,
    cols: int,
    wire_word: float,
    wire_bit: float,
    driver: float = 0.0,
    sense: float = 0.0,
    share: float = 0.9,
) -> RuleReport:
    """Judge an array before it is built: whether its worst column delivers :py:`share`.

    Every row is driven, and every device conducts the mean of both states, as in an array that
    holds as many of the one as of the other. Where the array falls short the solver itself finds
    what would not: resistances (to three digits, rounded up), a tile, and the number of rows read
    at once with the others cut off.

    Parameters
    ----------
    resistance_low, resistance_high : float, ohm
        Resistances of a device, access device included; low at most high.
    rows, cols : int, 1..1024
        Word lines and bit lines.
    wire_word, wire_bit, driver, sense : float, ohm
        As in :func:`effective_conductance`.
    share : float, above 0 and at most 1
        Of the current without wires.

    Returns
    -------
    RuleReport

    Examples
    --------
    >>> report = check_array(
    ...     resistance_low=5e3, resistance_high=1e4, rows=64, cols=64, wire_word=1, wire_bit=1
    ... )
    >>> report.holds, round(report.worst_share, 2)
    (False, 0.65)
    """
    owner = "check_array"
    low = check_real(owner, "resistance_low", resistance_low, "above 0", "ohm")
    high = check_real(owner, "resistance_high", resistance_high, "above 0", "ohm")
    if high < low:
        wanted = f"at least resistance_low, {low:g} ohm"
        raise ParameterError(f"{owner}: resistance_high must be {wanted}, not {high:g} ohm")
    rows = check_int(owner, "rows", rows, 1, MOST)
    cols = check_int(owner, "cols", cols, 1, MOST)
    wiring = check_wiring(owner, wire_word, wire_bit, driver, sense)
    share = check_real(owner, "share", share, "above 0 and at most 1")
    middle = 2.0 / (1.0 / low + 1.0 / high)
    worst = _worst(middle, rows, cols, wiring)
    all_low = _worst(low, rows, cols, wiring)
    array = _delivery(low, high, (rows, cols), wiring, (worst, all_low))
    enough = share * (1 - ROUNDING)
    if worst >= enough:
        message = f"{array}; at least {_percent(share)} is asked for"
        return RuleReport(worst, all_low, share, True, low, high, rows, cols, rows, message)
    scale = _scale(middle, low, rows, cols, wiring, share)
    scaled = (None, None) if scale is None else (low * scale, high * scale)
    side = _largest(
        max(rows, cols) - 1,
        lambda side: _worst(middle, min(side, rows), min(side, cols), wiring) >= enough,
    )
    at_once = _largest(rows - 1, lambda count: _worst(middle, rows, cols, wiring, count) >= enough)
    return RuleReport(
        worst_share=worst,
        all_low_share=all_low,
        share=share,
        holds=False,
        resistance_low=scaled[0],
        resistance_high=scaled[1],
        tile_rows=None if side is None else min(side, rows),
        tile_cols=None if side is None else min(side, cols),
        rows_at_once=at_once,
        message=array,
    ).with_remedy()


def _delivery(
    low: float, high: float, size: tuple[int, int], wiring: Wiring, shares: tuple[float, float]
) -> str:
    worst, all_low = (_percent(share) for share in shares)
    return (
        f"{_kilo(low)}/{_kilo(high)} devices, {size[0]} x {size[1]}, {_segment(wiring)} deliver "
        f"{worst} of their ideal current in the worst column, {all_low} with every device at "
        f"{_kilo(low)}"
    )


def _worst(
    resistance: float, rows: int, cols: int, wiring: Wiring, read: int | None = None
) -> float:
    """Share of the worst column; the :py:`read` rows farthest from the sense are connected."""
    read = rows if read is None else read
    if wiring.ideal:
        return 1.0
    devices = np.zeros((rows, cols))
    devices[:read] = 1.0 / resistance
    circuit = Circuit(devices, wiring)
    word, bit = circuit.nodes(circuit.driven(np.ones((1, rows)), np.zeros((1, cols))))
    delivered = (devices * (word - bit)).sum(axis=-2)
    return min(1.0, float(delivered.min()) * resistance / read)


def _scale(
    middle: float, low: float, rows: int, cols: int, wiring: Wiring, share: float
) -> float | None:
    """Least factor on the resistances that reaches the share and gives low three digits."""
    if share == 1:
        return None
    factor = 1.0
    for _ in range(30):
        resistance = middle * factor
        worst = _worst(resistance, rows, cols, wiring)
        # The loss falls nearly as 1/R, so a few steps close in.
        step = (1 / worst - 1) / (1 / share - 1)
        factor *= step
        if abs(step - 1) < 1e-3:
            break
    digits = 10.0 ** (math.floor(math.log10(low * factor)) - 2)
    count = math.floor(low * factor / digits * (1 - 1e-3))
    while _worst(middle * count * digits / low, rows, cols, wiring) < share * (1 - ROUNDING):
        count += 1
    return count * digits / low


def _largest(most: int, reaches: Callable[[int], bool]) -> int | None:
    """Largest count in 1..most that reaches the share; None where 1 does not."""
    if most < 1 or not reaches(1):
        return None
    # Small arrays are solved sooner: double as long as it works, then bisect.
    good, bad = 1, 2
    while bad <= most and reaches(bad):
        good, bad = bad, 2 * bad
    bad = min(bad, most + 1)
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if reaches(middle) else (good, middle)
    return good


def _count(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if share < 0.99 else f"{100 * share:.4g} %"


def _kilo(resistance: float) -> str:
    for unit, size in (("GOhm", 1e9), ("MOhm", 1e6), ("kOhm", 1e3)):
        if resistance >= size:
            return f"{resistance / size:.3g} {unit}"
    return f"{resistance:.3g} Ohm"


def _segment(wiring: Wiring) -> str:
    if wiring.word == wiring.bit:
        return f"{wiring.word:.3g} Ohm a segment"
    return f"{wiring.word:.3g} and {wiring.bit:.3g} Ohm a segment of word and bit line"
