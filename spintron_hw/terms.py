"""Values with known ranges, and adder trees that are as narrow as the values allow."""

from collections.abc import Sequence
from typing import NamedTuple

from amaranth import Mux, Value

from spintron_ir.types import IntType

from .pipeline import Pipeline

__all__ = [
    "Columns",
    "Term",
    "add",
    "add_two_levels",
    "fitted",
    "negate_if",
    "registered",
    "signed_type",
    "tree_stage",
    "weighted",
]


class Term(NamedTuple):
    """A value of the gateware that lies in :py:`low..high`."""

    value: Value
    low: int
    high: int


Columns = list[list[list[Term]]]
"""For each column of a tile and each bit plane of a chunk, the terms to be summed."""


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


def weighted(planes: Sequence[Term], negative: Value | None) -> list[Term]:
    """One-bit planes with their weights; the top one counts negative where :py:`negative` is 1."""
    terms = list(planes)
    if negative is not None:
        terms[-1] = negate_if(negative, terms[-1])
    return [
        Term(term.value << plane, term.low << plane, term.high << plane)
        for plane, term in enumerate(terms)
    ]


def tree_stage(columns: Columns, stage: int, rows: int, negative: Value | None) -> Columns:
    """What the adder trees of a tile do between two registers.

    Stages 1 to :py:`rows` sum each plane over the rows, the stages after that sum the planes.

    Parameters
    ----------
    columns : Columns
        Terms behind the register before.
    stage : int
        Which stage; 0 is before the first one, where only planes without a tree are weighted.
    rows : int
        Number of stages of the trees over the rows.
    negative : Value or None
        Whether the top plane counts negative; None if it never does.
    """
    if stage > 0:
        columns = [[add_two_levels(terms) for terms in planes] for planes in columns]
    if stage == rows:
        columns = [[weighted([term for [term] in planes], negative)] for planes in columns]
    return columns


def registered(pipe: Pipeline, columns: Columns) -> Columns:
    """The same terms behind a register of :py:`pipe`."""
    return [
        [
            [Term(pipe.register(term.value, "sum"), term.low, term.high) for term in terms]
            for terms in planes
        ]
        for planes in columns
    ]
