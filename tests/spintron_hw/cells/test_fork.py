# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.fork."""

import pytest

from spintron_hw.cells.fork import StreamFork
from spintron_hw.stream import chunk
from spintron_hw.testing import check_cell, measured_interval
from spintron_ir.errors import ParameterError


@pytest.mark.parametrize("ways", [1, 2, 3, 5])
def test_delivers_once_to_each(ways):
    fork = StreamFork(shape=chunk(2, 3), ways=ways)
    beats = [{"bits": [n % 8, 7 - n % 8], "negative": n & 1} for n in range(30)]
    check_cell(fork, beats, fork.compute(beats), seeds=(0, 1, 2))
    assert measured_interval(fork, beats[:1]) == fork.interval


@pytest.mark.parametrize("ways", [0, 65, 1.0])
def test_refuses(ways):
    message = rf"StreamFork: ways must be an integer in 1\.\.64, not {ways}"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        StreamFork(shape=4, ways=ways)
