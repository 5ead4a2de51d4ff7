"""What stands under the columns of a crossbar: read noise and analog-to-digital converters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..errors import ParameterError, check_bool, check_int
from ..record import Record, array, register
from ..types import IntType

if TYPE_CHECKING:
    from .dense import Dense

__all__ = ["Adc", "Noise"]


def spread(owner: str, name: str, values: NDArray[Any], layer: Dense) -> NDArray[np.int64]:
    """Broadcast per-converter values to :py:`(groups, slices, converters, cols)`."""
    full = (layer.groups, layer.slices, layer.converters, layer.cols)
    if any(size not in (1, limit) for size, limit in zip(values.shape, full, strict=True)):
        raise ParameterError(
            f"{owner}: {name} must have the shape {full} (groups, slices, converters, columns), "
            f"or 1 in place of a size, not {values.shape}"
        )
    return np.broadcast_to(values.astype(np.int64), full)


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Adc(Record):
    """Converters of a layer; the step of a converter is ``2 ** shift / gain`` conductance codes.

    Per-converter arrays have four axes (groups, slices, converters, columns); an axis on which all
    agree may have the size 1.

    Parameters
    ----------
    bits : int, 1..16
        Bits of a code. One bit makes a sense amplifier.
    signed : bool
        Whether a code is two's complement.
    shift : int, 0..31
        Right shift, rounding to nearest, ties upwards.
    gain : array of 4 axes, 1..65535
        Multiplier of each converter.
    offset : array of 4 axes, 32 bits signed
        Added after the gain.

    Raises
    ------
    ParameterError
        If a field is outside its range.
    """

    kind: ClassVar[str] = "adc"

    bits: int
    signed: bool = True
    shift: int
    gain: NDArray[np.uint16] = array("uint16", 4, default_factory=lambda: np.ones((1,) * 4, int))
    offset: NDArray[np.int32] = array("int32", 4, default_factory=lambda: np.zeros((1,) * 4, int))

    def check(self) -> None:
        """Check the fields."""
        check_int("Adc", "bits", self.bits, 1, 16)
        check_bool("Adc", "signed", self.signed)
        check_int("Adc", "shift", self.shift, 0, 31)
        check_int("Adc", "the least gain", int(self.gain.min()), 1, 65535)

    @property
    def type(self) -> IntType:
        """Type of a code."""
        return IntType(self.bits, self.signed)

    def at(self, layer: Dense) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Gain and offset of every converter of :py:`layer`, each of four full axes."""
        return spread("Adc", "gain", self.gain, layer), spread("Adc", "offset", self.offset, layer)


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
        return spread("Noise", "amplitude", self.amplitude, layer)
