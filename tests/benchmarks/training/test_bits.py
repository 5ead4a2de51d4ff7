"""Tests of benchmarks.training.bits."""

import numpy as np

from benchmarks.training.bits import _row
from spintron_nn.training import MixedPrecision


def test_a_row_compares_errors():
    found = MixedPrecision({"a": 1, "b": 4}, 90, "devices", 0.1, 0.2, ())
    row = _row("it", found, np.array([0.95, 0.97]), np.array([0.9, 0.94]), 100)
    assert (round(row.value, 9), round(row.peer_value, 9), round(row.ratio, 9)) == (96.0, 92.0, 2.0)
    assert row.note == "a 1, b 4; 90 of 100 devices; worst chip 95.00 %, of 2 bits 90.00 %"
