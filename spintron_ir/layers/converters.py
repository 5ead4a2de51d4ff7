"""What stands under the columns of a crossbar: read noise and analog-to-digital converters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import arith
from ..errors import ParameterError, check_bool, check_int
from ..record import Record, array, register
from ..types import IntType

if TYPE_CHECKING:
    from .dense import Dense

__all__ = ["Adc", "Noise"]


def spread(owner: str, name: str, values: NDArray[Any], layer: Dense) -> NDArray[Any]:
    """Broadcast per-converter values to :py:`(groups, slices, converters, cols)`, then the rest."""
    full = (layer.groups, layer.slices, layer.converters, layer.cols, *values.shape[4:])
    if any(size not in (1, limit) for size, limit in zip(values.shape, full, strict=True)):
        raise ParameterError(
            f"{owner}: {name} must have the shape {full} (groups, slices, converters, columns"
            f"{', levels' if full[4:] else ''}), or 1 in place of a size, not {values.shape}"
        )
    return values if values.shape == full else np.broadcast_to(values, full)


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Adc(Record):
    """Converters of a layer, with steps of ``2 ** shift / gain`` conductance codes or as sampled.

    Per-converter arrays have four axes (groups, slices, converters, columns); an axis on which all
    agree may have the size 1.

    Parameters
    ----------
    bits : int, 1..16; 1..8 with transitions
        Bits of a code. One bit makes a sense amplifier.
    signed : bool
        Whether a code is two's complement.
    shift : int, 0..31
        Right shift, rounding to nearest, ties upwards.
    gain : array of 4 axes, 1..65535
        Multiplier of each converter.
    offset : array of 4 axes, 32 bits signed
        Added after the gain.
    transitions : array of 4 axes and ``2 ** bits - 1`` levels, 32 bits signed, or None
        Code transition levels of converters that are not linear, in conductance codes, none below
        the one before: the code is :func:`spintron_ir.arith.transition_code`. Gain, offset and
        shift are then left at 1, 0 and 0.

    Raises
    ------
    ParameterError
        If a field is outside its range, or fields contradict each other.
    """

    kind: ClassVar[str] = "adc"

    bits: int
    signed: bool = True
    shift: int = 0
    gain: NDArray[np.uint16] = array("uint16", 4, default_factory=lambda: np.ones((1,) * 4, int))
    offset: NDArray[np.int32] = array("int32", 4, default_factory=lambda: np.zeros((1,) * 4, int))
    transitions: NDArray[np.int32] | None = array("int32", 5, later=True, default=None)

    def check(self) -> None:
        """Check the fields."""
        check_int("Adc", "bits", self.bits, 1, 16)
        check_bool("Adc", "signed", self.signed)
        check_int("Adc", "shift", self.shift, 0, 31)
        check_int("Adc", "the least gain", int(self.gain.min()), 1, 65535)
        if self.transitions is not None:
            self._check_transitions(self.transitions)

    def _check_transitions(self, levels: NDArray[np.int32]) -> None:
        check_int("Adc", "bits with transitions", self.bits, 1, 8)
        if levels.shape[-1] != (1 << self.bits) - 1:
            raise ParameterError(
                f"Adc: transitions must have {(1 << self.bits) - 1} levels on the last axis for "
                f"{self.bits} bits, not {levels.shape[-1]}"
            )
        if np.any(levels[..., 1:] < levels[..., :-1]):
            raise ParameterError("Adc: transitions must not fall along the last axis; sort them")
        if np.any(self.gain != 1) or np.any(self.offset) or self.shift:
            raise ParameterError(
                "Adc: gain, offset and shift must be left at 1, 0 and 0 with transitions, not be "
                f"up to {self.gain.max()}, {np.abs(self.offset.astype(int)).max()} and "
                f"{self.shift}; move the transitions instead"
            )

    @property
    def type(self) -> IntType:
        """Type of a code."""
        return IntType(self.bits, self.signed)

    def at(self, layer: Dense) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Gain and offset of every converter of :py:`layer`, each of four full axes."""
        gain, offset = self.gain.astype(np.int64), self.offset.astype(np.int64)
        return spread("Adc", "gain", gain, layer), spread("Adc", "offset", offset, layer)

    def transitions_at(self, layer: Dense) -> NDArray[np.int32] | None:
        """Transition levels of every converter of :py:`layer`, of five full axes, if any."""
        if self.transitions is None:
            return None
        return spread("Adc", "transitions", self.transitions, layer)

    def thresholds(self, layer: Dense) -> NDArray[Any]:
        """Threshold of every converter of :py:`layer`, where it is a sense amplifier."""
        levels = self.transitions_at(layer)
        if levels is not None:
            return levels[..., 0]
        gain, offset = self.at(layer)
        return arith.sense_threshold(gain=gain, offset=offset, shift=self.shift, signed=self.signed)

    def run(self, level: Any, layer: Dense, where: Any = ()) -> NDArray[np.int64]:
        """Codes of levels, of which the last axes are the converters :py:`where` of the layer."""
        levels = self.transitions_at(layer)
        if levels is not None:
            return arith.transition_code(level, transitions=levels[where], low=self.type.low)
        gain, offset = (values[where] for values in self.at(layer))
        return arith.adc_code(
            level, gain=gain, offset=offset, shift=self.shift, bits=self.bits, signed=self.signed
        )


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Noise(Record):
    """Read noise added to every column current, in conductance codes.

    The noise is :func:`spintron_ir.arith.noise_value` of the words that
    :func:`spintron_ir.prng.noise_words` defines for seed, frame, chunk, converter and column.

    Parameters
    ----------
    seed : int, 64 bits
        Key of the generator. Layers that must be independent have different seeds.
    amplitude : array of 4 axes (groups, slices, converters, columns), 0..65535
        The standard deviation is ``amplitude * sqrt(853) / 4096`` codes.

    Raises
    ------
    ParameterError
        If a field is outside its range.
    """

    kind: ClassVar[str] = "noise"

    seed: int
    amplitude: NDArray[np.uint16] = array("uint16", 4)

    def check(self) -> None:
        """Check the fields."""
        check_int("Noise", "seed", self.seed, 0, (1 << 64) - 1)

    def at(self, layer: Dense) -> NDArray[np.int64]:
        """Amplitude at every converter of :py:`layer`, of four full axes."""
        return spread("Noise", "amplitude", self.amplitude.astype(np.int64), layer)
