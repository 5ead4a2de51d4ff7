"""Nested counters: the order in which a folded layer visits its codes and its inputs."""

from collections import Counter
from collections.abc import Sequence

from amaranth import Const, Module, Mux, Signal, Value

__all__ = ["Loop", "by_index", "nest"]


class Loop:
    """A counter that runs ``0 .. count - 1``, over and over.

    Parameters
    ----------
    m : Module
        Where its logic goes.
    name : str
        Name of the counter.
    count : int or Value
        Length of the loop; a value may change while the counter is 0.
    most : int, optional
        Largest length, where :py:`count` is a value.

    Attributes
    ----------
    index : Value
        The counter.
    last : Value
        Whether it stands at its last value.
    advance : Signal
        Whether it counts in this cycle; for the owner to drive.
    """

    def __init__(self, m: Module, name: str, count: int | Value, most: int | None = None):
        self.advance = Signal(name=f"{name}_advance")
        self.index: Value = Const(0, 1)
        self.last: Value = Const(1, 1)
        most = count if most is None else most
        if most == 1:
            return
        index, last = Signal(range(most), name=name), Signal(name=f"{name}_last")
        m.d.comb += last.eq(index == count - 1)
        with m.If(self.advance):
            m.d.sync += index.eq(Mux(last, 0, index + 1))
        self.index, self.last = index, last


def nest(m: Module, advance: Value, loops: Sequence[Loop]) -> Value:
    """Let :py:`loops`, the innermost one first, count on :py:`advance`; return when all end."""
    for each in loops:
        m.d.comb += each.advance.eq(advance)
        advance = advance & each.last
    return advance


def by_index(m: Module, index: Value, values: Sequence[int], name: str) -> int | Value:
    """Return the one of :py:`values` that belongs to :py:`index`; a number where all agree."""
    common = Counter(values).most_common(1)[0][0]
    others = sorted(set(values) - {common})
    if not others:
        return common
    chosen = Signal(range(max(values) + 1), name=name)
    m.d.comb += chosen.eq(common)
    with m.Switch(index):
        for value in others:
            with m.Case(*(n for n, each in enumerate(values) if each == value)):
                m.d.comb += chosen.eq(value)
    return chosen
