"""Tests of sim.engines.stalls."""

import numpy as np
import pytest

from sim.engines.stalls import check_stall, stall_key, stall_threshold, stalls
from spintron_ir.errors import ParameterError

SPLITMIX64 = [
    # The first numbers of SplitMix64 with seed 1234567, from the reference implementation in C.
    6457827717110365317,
    3203168211198807973,
    9817491932198370423,
    4593380528125082431,
    16408922859458223821,
]


def test_numbers_are_those_of_splitmix64():
    assert [stall_key(1234567, stream) for stream in range(5)] == SPLITMIX64
    for cycle, number in enumerate(SPLITMIX64):
        threshold = number >> 32
        assert not stalls(1234567, threshold, cycle, 1)[0]
        assert stalls(1234567, threshold + 1, cycle, 1)[0]


def test_pieces_are_those_of_the_whole():
    key, threshold = stall_key(5, 3), stall_threshold(0.3)
    pieces = [stalls(key, threshold, start, 100) for start in range(0, 1000, 100)]
    np.testing.assert_array_equal(np.concatenate(pieces), stalls(key, threshold, 0, 1000))


@pytest.mark.parametrize("stall", [0, 0.1, 0.5, 0.99])
def test_as_often_as_asked(stall):
    share = stalls(stall_key(0, 0), stall_threshold(stall), 0, 100_000).mean()
    assert abs(share - stall) < 0.01


@pytest.mark.parametrize("stall", [-0.1, 1, 1.0, True, "0.5", float("nan")])
def test_refuses(stall):
    message = rf"Engine\.run: stall must be a probability from 0 to 0\.99, not {stall!r}"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        check_stall(stall)
