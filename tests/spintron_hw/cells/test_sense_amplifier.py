# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.sense_amplifier."""

import numpy as np
import pytest

from spintron_hw.cells.column_adc import ColumnADC
from spintron_hw.cells.sense_amplifier import SenseAmplifier
from spintron_hw.testing import check_cell, first_latency, measured_interval, run_stream
from spintron_ir import arith as contract
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

INT6, UINT6 = IntType(6, signed=True), IntType(6)
FAR = [[-(2**47), 2**47 - 1]]


@pytest.mark.parametrize("level", [INT6, UINT6, IntType(1)], ids=str)
@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    ("threshold", "repeat"), [([[3]], 1), ([[0, -4], [0, 9], [0, 1]], 2), (FAR, 1)]
)
def test_agrees_with_contract(level, signed, threshold, repeat):
    cell = SenseAmplifier(level=level, signed=signed, threshold=threshold, repeat=repeat)
    levels = np.repeat(np.arange(level.low, level.high + 1)[:, None], cell.lanes, axis=1)
    check_cell(cell, levels, cell.compute(levels))
    assert first_latency(cell, levels[:1]) == SenseAmplifier.latency
    assert measured_interval(cell, levels[:1]) == SenseAmplifier.interval


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(("gain", "offset", "shift"), [(1, 0, 0), (3, -7, 2), (5, 11, 4)])
def test_is_an_adc_of_one_bit(signed, gain, offset, shift):
    kind = {"gain": gain, "offset": offset, "shift": shift, "signed": signed}
    threshold = contract.sense_threshold(**kind)
    levels = np.arange(INT6.low, INT6.high + 1)[:, None]
    adc = ColumnADC(level=INT6, bits=1, **kind | {"gain": [[gain]], "offset": [[offset]]})
    cell = SenseAmplifier(level=INT6, signed=signed, threshold=[[int(threshold)]])
    assert run_stream(cell, levels) == run_stream(adc, levels)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"level": IntType(41)}, r"level must be an IntType of at most 40 bits, not IntType\(.*\)"),
        ({"signed": None}, r"signed must be True or False, not None"),
        ({"threshold": 3}, r"threshold must be an array of shape \(any, any\), not of shape \(\)"),
        ({"threshold": [[1 << 47]]}, r"threshold must lie in -\d+\.\.\d+, not in (\d+)\.\.\1"),
        ({"repeat": 1.0}, r"repeat must be an integer in 1\.\.65536, not 1\.0"),
    ],
)
def test_refuses(changed, message):
    good = {"level": INT6, "signed": False, "threshold": [[3]]}
    with pytest.raises(ParameterError, match=f"^SenseAmplifier: {message}$"):
        SenseAmplifier(**good | changed)
