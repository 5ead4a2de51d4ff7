"""Cells one after the other, and tiles side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from amaranth import Cat, Module
from amaranth.lib import wiring

from ..stream import connect_streams

__all__ = ["chain", "side_by_side"]


def chain(m: Module, source: Any, cells: Sequence[tuple[str, wiring.Component]]) -> Any:
    """Add :py:`cells` as submodules, each fed by the one before; return the last stream."""
    for name, cell in cells:
        m.submodules[name] = cell
        connect_streams(m, source, cell.i)
        source = cell.o
    return source


def side_by_side(m: Module, valid: Any, ready: Any, sinks: Sequence[Any]) -> None:
    """Offer one beat to several sinks at once: taken where all of them take it.

    Their ``ready`` must not wait for ``valid``, as of every cell of this package.
    """
    together = Cat(sink.ready for sink in sinks).all()
    m.d.comb += ready.eq(together)
    m.d.comb += [sink.valid.eq(valid & together) for sink in sinks]
