"""Integer types and intervals: what values a wire can carry."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .errors import ParameterError, check_bool, check_int

__all__ = ["IntType", "Interval"]


@dataclass(frozen=True)
class IntType:
    """A two's complement or unsigned integer of a fixed number of bits.

    Parameters
    ----------
    bits : int, 1..64
        Number of bits.
    signed : bool
        Two's complement where true.

    Examples
    --------
    >>> IntType(4, signed=True).low, IntType(4).high
    (-8, 15)
    """

    bits: int
    signed: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "bits", check_int("IntType", "bits", self.bits, 1, 64))
        check_bool("IntType", "signed", self.signed)

    @property
    def low(self) -> int:
        """Smallest value."""
        return -(1 << (self.bits - 1)) if self.signed else 0

    @property
    def high(self) -> int:
        """Largest value."""
        return (1 << (self.bits - self.signed)) - 1

    @property
    def dtype(self) -> np.dtype:
        """The smallest numpy type that holds every value."""
        size = next(size for size in (8, 16, 32, 64) if size >= self.bits)
        return np.dtype(f"{'int' if self.signed else 'uint'}{size}")

    @classmethod
    def of_range(cls, low: int, high: int) -> IntType:
        """Return the narrowest type that holds :py:`low..high`, unsigned where it can be.

        >>> IntType.of_range(-5, 3)
        IntType(bits=4, signed=True)
        >>> IntType.of_range(0, 16)
        IntType(bits=5, signed=False)
        """
        if low > high:
            raise ParameterError(f"IntType: low must be at most high, not {low} and {high}")
        if low >= 0:
            return cls(max(int(high).bit_length(), 1))
        return cls(
            max((-int(low) - 1).bit_length(), max(int(high), 0).bit_length()) + 1, signed=True
        )

    def __str__(self) -> str:
        return f"{'int' if self.signed else 'uint'}{self.bits}"


@dataclass(frozen=True)
class Interval:
    """All integers from :py:`low` to :py:`high`, both included."""

    low: int
    high: int

    @property
    def type(self) -> IntType:
        """The narrowest type that holds the interval."""
        return IntType.of_range(self.low, self.high)

    @property
    def bound(self) -> int:
        """Largest magnitude in the interval."""
        return max(abs(self.low), abs(self.high))
