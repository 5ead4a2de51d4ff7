"""Names of the effects of a technology: which are on, and a technology with some of them only."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from spintron_ir.errors import ParameterError

from .ageing import Ageing
from .converters import ConverterSpread
from .programming import Programming
from .telegraph import Telegraph
from .wires import Wires

if TYPE_CHECKING:
    from ..mtj_models import MTJConfig

__all__ = ["EFFECTS", "effects_of", "only_these"]

_Test = Callable[[Any], bool]
_Change = Callable[[Any], dict[str, Any]]


def _spread(**changes: float) -> _Change:
    return lambda config: {"spread": replace(config.spread, **changes)}


def _faults(**changes: float) -> _Change:
    return lambda config: {"faults": replace(config.faults, **changes)}


def _fields(**changes: Any) -> _Change:
    return lambda config: changes


EFFECTS: dict[str, tuple[_Test, _Change]] = {
    "resistance": (lambda c: c.resistance_variation > 0, _fields(resistance_variation=0.0)),
    "tmr": (lambda c: c.spread.tmr > 0, _spread(tmr=0.0)),
    "switching": (lambda c: c.spread.switching > 0, _spread(switching=0.0)),
    "die": (lambda c: c.spread.die > 0, _spread(die=0.0)),
    "wafer": (lambda c: c.spread.wafer > 0, _spread(wafer=0.0)),
    "stuck": (lambda c: c.stuck_p + c.stuck_ap > 0, _fields(stuck_p=0.0, stuck_ap=0.0)),
    "open": (lambda c: c.faults.open > 0, _faults(open=0.0)),
    "short": (lambda c: c.faults.short > 0, _faults(short=0.0)),
    "lines": (
        lambda c: c.faults.broken_word + c.faults.broken_bit > 0,
        _faults(broken_word=0.0, broken_bit=0.0),
    ),
    "programming": (lambda c: c.programming.on, _fields(programming=Programming())),
    "ageing": (lambda c: c.ageing.on, _fields(ageing=Ageing())),
    "telegraph": (lambda c: c.telegraph.on, _fields(telegraph=Telegraph())),
    "read_noise": (lambda c: c.read_noise > 0, _fields(read_noise=0.0)),
    "bias": (lambda c: c.bias_half is not None, _fields(bias_half=None)),
    "wires": (lambda c: c.wires.on, _fields(wires=Wires())),
    "converters": (lambda c: c.converters.on, _fields(converters=ConverterSpread())),
}
"""For each effect: whether a technology has it, and the fields that switch it off."""


def effects_of(config: MTJConfig) -> tuple[str, ...]:
    """Names of the effects that a technology has, in the order of :data:`EFFECTS`."""
    return tuple(name for name, (test, _) in EFFECTS.items() if test(config))


def only_these(config: MTJConfig, names: Iterable[str]) -> MTJConfig:
    """Copy of a technology with these effects as they are and all others off.

    Raises
    ------
    ParameterError
        If there is no effect of a name.
    """
    kept = tuple(names)
    for name in kept:
        if name not in EFFECTS:
            raise ParameterError(
                f"MTJConfig: only() takes names among {', '.join(EFFECTS)}, not {name!r}"
            )
    for name, (test, off) in EFFECTS.items():
        if name not in kept and test(config):
            config = replace(config, **off(config))
    return config
