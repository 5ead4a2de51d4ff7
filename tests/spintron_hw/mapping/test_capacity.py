"""Tests of spintron_hw.mapping.capacity."""

import re

import pytest

from spintron_hw.mapping.capacity import check_capacity
from spintron_hw.mapping.estimate import Resources
from spintron_hw.mapping.target import Target
from spintron_ir.errors import MappingError

TARGET = Target(
    name="ULX3S-85F",
    lut_inputs=4,
    luts=83_640,
    ffs=83_640,
    brams=208,
    bram_bits=18_432,
    bram_width=36,
    dsps=156,
    clock_hz=25e6,
)
WAY_OUT = (
    "allow more cycles between frames (a higher interval), use fewer or narrower layers, or take "
    "a larger board"
)


def test_what_fits_exactly_fits():
    check_capacity(Resources(83_640, 83_640, 208, 156), TARGET)


@pytest.mark.parametrize(
    ("needs", "message"),
    [
        (
            Resources(luts=140_000, ffs=1, brams=312),
            "the network needs about 140,000 look-up tables, 312 block RAMs; ULX3S-85F has 83,640 "
            "look-up tables, 208 block RAMs: ",
        ),
        (
            Resources(ffs=83_641, dsps=157),
            "the network needs about 83,641 flip-flops, 157 multipliers; ULX3S-85F has 83,640 "
            "flip-flops, 156 multipliers: ",
        ),
    ],
)
def test_what_does_not_is_told_in_numbers(needs, message):
    with pytest.raises(MappingError, match=f"^{re.escape(message + WAY_OUT)}$"):
        check_capacity(needs, TARGET)
    with pytest.raises(MappingError, match=f"^{re.escape(message.replace('about ', ''))}"):
        check_capacity(needs, TARGET, about=False)
