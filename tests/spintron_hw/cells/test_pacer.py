# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.pacer."""

import pytest

from spintron_hw.cells.pacer import StreamPacer
from spintron_hw.testing import check_cell, measured_interval
from spintron_ir.errors import ParameterError


@pytest.mark.parametrize(("beats", "interval"), [(1, 1), (1, 5), (3, 3), (3, 7), (4, 2)])
def test_keeps_frames_apart(beats, interval):
    pacer = StreamPacer(shape=8, beats=beats, interval=interval)
    payloads = list(range(6 * beats))
    check_cell(pacer, payloads, pacer.compute(payloads))
    assert measured_interval(pacer, payloads[:beats]) == max(beats, interval)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"beats": 0}, r"beats must be an integer in 1\.\.16777216, not 0"),
        ({"interval": 0}, r"interval must be an integer in 1\.\.4294967296, not 0"),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^StreamPacer: {message}$"):
        StreamPacer(**{"shape": 4, "beats": 2, "interval": 5} | changed)
