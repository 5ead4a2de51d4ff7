"""Tests of spintron_hw.mapping.ports."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spintron_hw.mapping.ports import StreamPort
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

GOOD = {
    "name": "i_x",
    "role": "input",
    "node": "x",
    "length": 5,
    "type": IntType(4, signed=True),
    "lanes": 2,
}


def make(**changed):
    return StreamPort(**GOOD | changed)


def packed_by_hand(port, values):
    """The payloads of one frame, by arithmetic on Python's own integers."""
    bits, beats = port.type.bits, []
    for start in range(0, port.length, port.lanes):
        payload = 0
        for lane, value in enumerate(values[start : start + port.lanes]):
            payload |= (int(value) % (1 << bits)) << (lane * bits)
        beats.append([payload >> (32 * word) & 0xFFFFFFFF for word in range(port.words)])
    return beats


@given(
    bits=st.integers(1, 63),
    signed=st.booleans(),
    length=st.integers(1, 150),
    lanes=st.integers(1, 150),
    seed=st.integers(0, 1 << 32),
)
def test_packs_as_the_integers_say_and_back(bits, signed, length, lanes, seed):
    port = make(length=length, type=IntType(bits, signed), lanes=lanes)
    rng = np.random.default_rng(seed)
    values = rng.integers(port.type.low, port.type.high, (3, length), endpoint=True)
    values[0, 0], values[0, -1] = port.type.low, port.type.high

    words = port.pack(values)

    assert words.dtype == np.uint32
    assert words.tolist() == [row for frame in values for row in packed_by_hand(port, frame)]
    np.testing.assert_array_equal(port.unpack(words), values)


@pytest.mark.parametrize("bits, lanes", [(64, 1), (64, 3), (1, 4096), (8, 1000), (31, 257)])
def test_wide_payloads_in_several_blocks(bits, lanes):
    port = make(length=2 * lanes + 1, type=IntType(bits, signed=True), lanes=lanes)
    rng = np.random.default_rng(0)
    values = rng.integers(port.type.low, port.type.high, (90, port.length), endpoint=True)
    np.testing.assert_array_equal(port.unpack(port.pack(values)), values)


def test_unused_lanes_are_ignored():
    port = make(length=3)
    assert port.unpack(np.array([[0xF1], [0xA7]], np.uint32)).tolist() == [[1, -1, 7]]


def test_numbers_of_a_port():
    port = make(length=5, lanes=2, type=IntType(17))
    assert (port.beats, port.width, port.words) == (3, 34, 2)


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"length": 0}, r"StreamPort: length must be an integer in 1\.\.2147483647, not 0"),
        ({"lanes": 1.5}, r"StreamPort: lanes must be an integer in 1\.\.2147483647, not 1\.5"),
        (
            {"role": "out"},
            r"StreamPort: role must be one of 'input', 'output', 'tap', not 'out'",
        ),
        ({"type": 4}, r"StreamPort: type must be an IntType, not 4"),
        (
            {"type": IntType(64)},
            r"StreamPort: an unsigned element must have at most 63 bits, not 64",
        ),
    ],
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        make(**changed)


@pytest.mark.parametrize(
    "values, message",
    [
        (np.zeros((2, 4), int), r"i_x: values must have shape \(frames, 5\), not \(2, 4\)"),
        (np.zeros((1, 5)), r"i_x: values must be integers, not float64"),
        (np.full((1, 5), 8), r"i_x: values must be in -8\.\.7 \(int4\), not 8\.\.8"),
    ],
)
def test_refuses_to_pack(values, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        make().pack(values)


@pytest.mark.parametrize("words", [np.zeros((3, 1), int), np.zeros((4, 1), np.uint32)])
def test_refuses_to_unpack(words):
    message = (
        r"i_x: payloads must be uint32 of shape \(frames \* 3, 1\), "
        rf"not {words.dtype} of shape \({len(words)}, 1\)"
    )
    with pytest.raises(ParameterError, match=f"^{message}$"):
        make().unpack(words)
