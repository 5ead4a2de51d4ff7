# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.fifo."""

import pytest

from spintron_hw.cells.fifo import StreamFIFO
from spintron_hw.stream import vector
from spintron_hw.testing import check_cell, first_latency, measured_interval
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

SHAPE = vector(IntType(5, signed=True), 2)


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 9])
def test_keeps_order(depth):
    fifo = StreamFIFO(shape=SHAPE, depth=depth)
    beats = [[n - 16, 15 - n] for n in range(32)]
    check_cell(fifo, beats, fifo.compute(beats))
    assert first_latency(fifo, beats[:1]) == fifo.latency
    assert measured_interval(fifo, beats[:1], vectors=16) == fifo.interval


def test_holds_its_depth():
    assert first_latency(StreamFIFO(shape=SHAPE, depth=4), [[0, 0]] * 4) < 0
    with pytest.raises(TimeoutError, match="^StreamFIFO: still waiting after 50 cycles; .*$"):
        first_latency(StreamFIFO(shape=SHAPE, depth=4), [[0, 0]] * 5, max_cycles=50)


@pytest.mark.parametrize("depth", [0, 16777217, 2.0])
def test_refuses(depth):
    message = rf"StreamFIFO: depth must be an integer in 1\.\.16777216, not {depth}"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        StreamFIFO(shape=SHAPE, depth=depth)
