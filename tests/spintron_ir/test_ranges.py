"""Tests of spintron_ir.ranges: every wire, over every input of small layers."""

import itertools
import math
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spintron_ir import Adc, Dense, IntType, Noise
from spintron_ir.ranges import dense_ranges


def every_input(layer):
    values = range(layer.input.low, layer.input.high + 1)
    own = itertools.product(values, repeat=layer.rows)
    return [frame * (layer.blocks or 1) for frame in own]  # a column sees one block alone


def wires_of(layer, reference, frames=1):
    """All values that occur on each wire, for every input, at some frame numbers."""
    wires = defaultdict(list)
    for first_frame in range(0, frames * 1000, 1000):
        reference(layer, every_input(layer), first_frame, wires)
    return wires


@settings(max_examples=80, deadline=None, derandomize=True)
@given(data=st.data())
def test_current_is_exact_and_all_else_contained(data, dense_layers, reference):
    layer = data.draw(dense_layers(max_rows=3, max_bits=2))
    wires, ranges = wires_of(layer, reference), layer.ranges
    current = ranges.current
    assert (min(wires["current"]), max(wires["current"])) == (current.low, current.high)
    for name, values in wires.items():
        interval = getattr(ranges, name)
        assert interval.low <= min(values) and max(values) <= interval.high, name
    for name in ("current", "level", "product", "scaled", "acc"):
        if name in wires:
            assert max(map(abs, wires[name])) <= ranges.bound


@settings(max_examples=40, deadline=None, derandomize=True)
@given(data=st.data())
def test_without_converters_one_row_is_tight(data, dense_layers, reference):
    layer = data.draw(dense_layers(max_rows=1, max_bits=2))
    layer = remade(layer, adc=None, noise=None, dac_bits=layer.input.bits)
    wires = wires_of(layer, reference)
    for name in ("chunk", "current", "level", "code"):
        interval = getattr(layer.ranges, name)
        assert (min(wires[name]), max(wires[name])) == (interval.low, interval.high), name


def remade(layer, **changed):
    names = ("codes", "cell_bits", "scheme", "reference", "tile_cols", "input", "dac_bits")
    names += ("slice_shift", "tile_rows", "bias", "adc", "noise", "requantise", "blocks")
    return Dense(**{name: getattr(layer, name) for name in names} | changed)


def layer_of(codes, **changed):
    codes = np.asarray(codes)
    return Dense(
        **{
            "codes": codes,
            "cell_bits": 2,
            "scheme": "pair",
            "input": IntType(2),
            "dac_bits": 2,
            "slice_shift": (0,) * len(codes),
            "tile_rows": codes.shape[2],
            "bias": np.zeros(codes.shape[3], int),
        }
        | changed
    )


@pytest.mark.parametrize("scheme", ["pair", "columns"])
@pytest.mark.parametrize(
    "adc", [None, Adc(bits=16, shift=31, gain=[[[[65535]]]], offset=[[[[-1 << 31]]]])]
)
@pytest.mark.parametrize(
    ("rows", "cell_bits", "bits", "dac_bits"), [(1, 1, 1, 1), (9, 3, 4, 1), (40, 6, 8, 4)]
)
def test_layers_accepted_by_their_size_have_no_larger_wires(
    scheme, adc, rows, cell_bits, bits, dac_bits
):
    """Wires of the most noise, gain, offset and bias stay below what Dense takes for granted."""
    codes = np.zeros((2, 2, rows, 3), int)
    codes[:, 0] = (1 << cell_bits) - 1
    layer = layer_of(
        codes, cell_bits=cell_bits, input=IntType(bits), dac_bits=dac_bits, slice_shift=(0, 3),
        tile_rows=8, bias=[(1 << 31) - 1] * 3, adc=adc, scheme=scheme,
        noise=Noise(seed=1, amplitude=[[[[65535]]]]),
    )  # fmt: skip
    level = rows << (cell_bits + dac_bits)
    code = level if adc is None else 1 << adc.bits
    sums = code * layer.groups * 2 * layer.converters << 3 + dac_bits * (layer.chunks - 1)
    most = max(level << 26, sums << 12) + (1 << 32)
    assert max(layer.ranges.bound, layer.ranges.total.bound) < most < 1 << 62


def test_worked_example():
    # One column, weights 3, -1, 2; inputs 0..3: from -1 * 3 to (3 + 2) * 3.
    layer = layer_of([[[[3], [0], [2]], [[0], [1], [0]]]], bias=[4])
    ranges = layer.ranges
    assert (ranges.current.low, ranges.current.high) == (-3, 15)
    assert (ranges.total.low, ranges.total.high) == (1, 19)
    assert (ranges.current.type, layer.type) == (IntType(5, signed=True), IntType(5))
    # Noise of amplitude 100 adds at most 111 * 100 / 4096 = 2.7, rounded to 3.
    noisy = remade(layer, noise=Noise(seed=1, amplitude=[[[[100]]]]))
    assert (noisy.ranges.level.low, noisy.ranges.level.high) == (-6, 18)
    # Codes: -6 / 4 = -1.5 rounds to -1, 18 / 4 = 4.5 to 5, saturated at 3.
    coded = remade(noisy, adc=Adc(bits=3, shift=2))
    assert (coded.ranges.code.low, coded.ranges.code.high) == (-1, 3)
    assert (coded.ranges.scaled.low, coded.ranges.scaled.high) == (-6, 20)
    # Transition levels: -6 reaches the first alone, 18 the first two; nothing is scaled.
    sampled = remade(noisy, adc=Adc(bits=2, transitions=[[[[[-6, 18, 19]]]]]))
    assert (sampled.ranges.code.low, sampled.ranges.code.high) == (-1, 0)
    assert sampled.ranges.product == sampled.ranges.scaled == noisy.ranges.level


@pytest.mark.parametrize(
    ("rows", "input_bits", "cell_bits", "bits"),
    [
        (128, 1, 1, 9),
        (128, 1, 2, 10),
        (64, 1, 1, 8),
        (128, 4, 2, 14),
        (512, 1, 3, 13),
    ],
)
def test_lossless_adc_bits_of_a_pair(rows, input_bits, cell_bits, bits):
    """ceil(log2(2 R (2**v - 1) (2**w - 1) + 1)) bits hold every sum of a differential pair."""
    top = (1 << cell_bits) - 1
    codes = np.zeros((1, 2, rows, 2), int)
    codes[0, 0, :, 0] = codes[0, 1, :, 1] = top
    layer = layer_of(codes, cell_bits=cell_bits, input=IntType(input_bits), dac_bits=input_bits)
    largest = rows * ((1 << input_bits) - 1) * top
    assert bits == math.ceil(math.log2(2 * largest + 1))
    assert layer.ranges.current.type == IntType(bits, signed=True)

    x = np.array([[layer.input.high] * rows, [0] * rows])
    exact = layer.run(x)
    assert exact[0].tolist() == [largest, -largest]
    enough, less = (remade(layer, adc=Adc(bits=n, shift=0)) for n in (bits, bits - 1))
    np.testing.assert_array_equal(enough.run(x), exact)
    assert np.any(less.run(x) != exact)


@pytest.mark.parametrize(("rows", "cell_bits", "bits"), [(128, 2, 9), (64, 1, 7), (256, 1, 9)])
def test_lossless_adc_bits_of_a_column(rows, cell_bits, bits):
    """ceil(log2(R (2**w - 1) + 1)) bits hold every sum of one column read bit by bit."""
    codes = np.full((1, 2, rows, 1), (1 << cell_bits) - 1)
    layer = layer_of(codes, cell_bits=cell_bits, scheme="columns", dac_bits=1)
    assert layer.ranges.current.type == IntType(bits)


@settings(max_examples=30, deadline=None, derandomize=True)
@given(data=st.data(), seed=st.integers(0, 99))
def test_any_codes_holds_for_all_codes(data, seed, dense_layers):
    layer = data.draw(dense_layers())
    wide = dense_ranges(layer, any_codes=True)
    rng = np.random.default_rng(seed)
    limit = (1 << layer.cell_bits) - 1
    for codes in (np.zeros_like(layer.codes), rng.integers(0, limit + 1, layer.codes.shape)):
        other = remade(layer, codes=codes).ranges
        for name in ("current", "level", "product", "scaled", "code", "acc", "total"):
            inner, outer = getattr(other, name), getattr(wide, name)
            assert outer.low <= inner.low and inner.high <= outer.high, name
