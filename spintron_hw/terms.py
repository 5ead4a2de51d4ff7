"""Values with known ranges, and adder trees that are as narrow as the values allow."""

from collections.abc import Sequence
from typing import NamedTuple

from amaranth import Mux, Value

from spintron_ir.types import IntType

__all__ = ["Term", "add", "add_two_levels", "fitted", "negate_if", "signed_type"]


class Term(NamedTuple):
    """A value of the gateware that lies in :py:`low..high`."""

    value: Value
    low: int
    high: int


def signed_type(low: int, high: int) -> IntType:
    """The narrowest signed type that holds :py:`low..high`.

    >>> signed_type(0, 7)
    IntType(bits=4, signed=True)
    """
    return IntType.of_range(min(low, -1), high)


def fitted(value: Value, low: int, high: int) -> Term:
    """The term of a :py:`value` in :py:`low..high`, cut to the bits that such a value needs."""
    type_ = IntType.of_range(low, high)
    bits = value[: type_.bits]
    return Term(bits.as_signed() if type_.signed else bits, low, high)


def add(a: Term, b: Term) -> Term:
    """The sum of two terms."""
    return fitted(a.value + b.value, a.low + b.low, a.high + b.high)


def negate_if(negative: Value, term: Term) -> Term:
    """The term, or its negative where :py:`negative` is 1."""
    low, high = min(term.low, -term.high), max(term.high, -term.low)
    return fitted(Mux(negative, -term.value, term.value), low, high)


def add_two_levels(terms: Sequence[Term]) -> list[Term]:
    """Add in fours: what one stage of a pipelined adder tree does."""
    for _ in range(2):
        pairs = [add(a, b) for a, b in zip(terms[::2], terms[1::2], strict=False)]
        terms = pairs + list(terms[len(pairs) * 2 :])
    return list(terms)
