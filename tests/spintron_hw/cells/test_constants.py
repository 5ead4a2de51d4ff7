"""Tests of spintron_hw.cells.constants, and of the type and table checks."""

import re

import numpy as np
import pytest
from amaranth import Module
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from spintron_hw.cells.constants import by_beat, schedule, scheduled_constants
from spintron_hw.checks import check_table, check_type
from spintron_hw.pipeline import Pipeline
from spintron_hw.stream import vector
from spintron_hw.testing import check_cell
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

WORD = IntType(20, signed=True)


class Reader(wiring.Component):
    """Answers each beat with the constants of its turn."""

    def __init__(self, table, repeat, stages=1):
        self.table, self.repeat, self.stages = np.array(table), repeat, stages
        payload = stream.Signature(vector(WORD, self.table.shape[1]))
        super().__init__({"i": In(stream.Signature(1)), "o": Out(payload)})

    def elaborate(self, platform):
        m = Module()
        pipe = Pipeline(m, self.i, self.o, self.stages)
        words = scheduled_constants(m, self.table, pipe.taken[-1], repeat=self.repeat)
        for lane, word in enumerate(words):
            pipe.finish(self.o.payload[lane], word)
        return m


@pytest.mark.parametrize(
    "table",
    [
        [[7, -3]],
        [[5, 1], [5, -1]],
        [[0, 9, -1], [1, 9, -2], [3, 9, -4]],
        [[n * n - 400, -n] for n in range(100)],
    ],
    ids=len,
)
@pytest.mark.parametrize("repeat", [1, 3])
@pytest.mark.parametrize("stages", [1, 3])
def test_each_beat_finds_its_row(table, repeat, stages):
    reader = Reader(table, repeat, stages)
    beats = 2 * repeat * len(table) + 1
    check_cell(reader, [0] * beats, schedule(reader.table, beats, repeat))


def test_by_beat_keeps_further_axes():
    rows = by_beat([[1, 2], [3, 4], [5, 6]], lanes=2, fill=9)
    assert rows.tolist() == [[[1, 2], [3, 4]], [[5, 6], [9, 9]]]


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        ([1, 2], (None, None), "must be an array of shape (any, any), not of shape (2,)"),
        ([[]], (None, None), "must be an array of shape (any, any), not of shape (1, 0)"),
        ([[1, 2]], (1, 3), "must be an array of shape (1, 3), not of shape (1, 2)"),
        ([[0.5]], (None, None), "must hold integers, not float64"),
        ([[True]], (None, None), "must hold integers, not bool"),
        ([[1, 8]], (None, None), "must lie in 0..7, not in 1..8"),
    ],
)
def test_refuses_tables(value, shape, message):
    with pytest.raises(ParameterError, match=f"^Cell: gain {re.escape(message)}$"):
        check_table("Cell", "gain", value, 0, 7, shape)


@pytest.mark.parametrize("value", [IntType(9), 8, None], ids=str)
def test_refuses_types(value):
    message = f"Cell: level must be an IntType of at most 8 bits, not {value!r}"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        check_type("Cell", "level", value, 8)
