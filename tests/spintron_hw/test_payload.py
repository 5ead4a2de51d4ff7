"""Tests of spintron_hw.payload."""

from amaranth import signed
from amaranth.lib import data

from spintron_hw.payload import pack, payload, unpack


class Pixel(data.Struct):
    """A struct as a class."""

    grey: signed(4)
    mask: data.ArrayLayout(1, 2)


def test_packs_by_hand():
    # grey = -3 is 0b1101 in bits 3..0; mask = [0, 1] is 0b10 in bits 5..4
    assert pack(Pixel, {"grey": -3, "mask": [0, 1]}, "p") == 0b10_1101
    assert unpack(Pixel, 0b10_1101) == {"grey": -3, "mask": [0, 1]}


def test_agrees_with_amaranth():
    value = {"grey": -8, "mask": [1, 0]}
    assert payload(Pixel.const(value)) == value
    assert Pixel.const(value).as_value().value == pack(Pixel, value, "p")
    assert payload(True) == 1
