"""Tests of spintron_ir.layers.dense against the formula written a second time."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spintron_ir import Adc, Dense, IntType, MulShift, NetworkError, Noise, ParameterError
from spintron_ir.layers import dense_reads, dense_run
from spintron_ir.record import decode, encode

PAIR = {
    "codes": np.array([[[[3, 0], [1, 2], [0, 1]], [[0, 2], [1, 0], [3, 3]]]]),
    "cell_bits": 2,
    "scheme": "pair",
    "input": IntType(4),
    "dac_bits": 2,
    "slice_shift": (0,),
    "tile_rows": 2,
    "bias": [10, -10],
}


def make(**changed):
    return Dense(**PAIR | changed)


def all_paths(layer, x, first_frame=0):
    """Accumulators by the contract and in floating point, with and without tables."""
    frames = np.arange(len(x)) + first_frame
    exact = dense_run._exact(layer, x, frames)
    fast = []
    for limit, dtype in dense_reads.EXACT:
        if 4 * layer.ranges.bound < limit:
            fast.append(dense_reads.Reads(layer, dtype, dtype)(x, frames))
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(dense_reads, "TABLE_VALUES", 0)
                fast.append(dense_reads.Reads(layer, dtype, dtype)(x, frames))
    return exact, fast


def test_worked_example():
    # Weights (3, -2; 0, 2; -3, -2). Inputs 9, 6, 13 are the chunks (1, 2), (2, 1), (1, 3).
    # Column 0: rows 0 and 1 give 3 and 6, row 2 gives -3 and -9: 3 + 6*4 - 3 - 9*4 = -12.
    # Column 1: 2 and -2, then -2 and -6: 2 - 2*4 - 2 - 6*4 = -32. The biases add 10 and -10.
    assert make().run([[9, 6, 13]]).tolist() == [[-2, -42]]
    # Halved with ties upwards and cut to 3 bits: 3 / 2 -> 2, 6 / 2 = 3, -3 / 2 -> -1, -9 / 2 -> -4
    # in column 0; 1, -1, -1, -3 in column 1: 2 + 3*4 - 1 - 4*4 = -3 and 1 - 4 - 1 - 12 = -16.
    assert make(adc=Adc(bits=3, shift=1)).run([[9, 6, 13]]).tolist() == [[7, -26]]


@settings(max_examples=120, deadline=None, derandomize=True)
@given(data=st.data())
def test_agrees_with_the_formula(data, dense_layers, reference, frames_of):
    layer = data.draw(dense_layers())
    first_frame = data.draw(st.sampled_from([0, 1, 2**32 - 2, 2**40]))
    x = frames_of(layer, count=3)
    found = layer.run(x, first_frame)
    assert found.dtype == np.int64
    assert found.tolist() == reference(layer, x, first_frame)
    exact, fast = all_paths(layer, x, first_frame)
    assert fast
    for other in fast:
        np.testing.assert_array_equal(other, exact)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_batches_can_be_split_anywhere(data, dense_layers, frames_of):
    layer = data.draw(dense_layers())
    x = frames_of(layer, count=5)
    cut = data.draw(st.integers(0, len(x)))
    whole = layer.run(x, 3)
    parts = [layer.run(x[:cut], 3), layer.run(x[cut:], 3 + cut)]
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    np.testing.assert_array_equal(layer.run(x, 3), whole)


def test_blocks_change_nothing(monkeypatch):
    layer = make(noise=Noise(seed=5, amplitude=np.full((1, 1, 1, 1), 300)))
    x = np.random.default_rng(0).integers(0, 16, (50, 3))
    whole = layer.run(x, 9)
    monkeypatch.setattr(dense_run, "BLOCK_VALUES", 42)
    np.testing.assert_array_equal(layer.run(x, 9), whole)
    assert len(np.unique(whole, axis=0)) > 25


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("dac_bits", [1, 3, 6])
@pytest.mark.parametrize("tile_rows", [4, 50])
def test_lossless_ideal_pair_is_a_matrix_product(signed, dac_bits, tile_rows):
    rng = np.random.default_rng(1)
    weights = rng.integers(-15, 16, (37, 9))
    parts = np.stack([np.maximum(weights, 0), np.maximum(-weights, 0)])
    layer = Dense(
        codes=np.stack([parts & 3, parts >> 2]),
        cell_bits=2,
        scheme="pair",
        input=IntType(6, signed),
        dac_bits=dac_bits,
        slice_shift=(0, 2),
        tile_rows=tile_rows,
        bias=np.zeros(9, int),
    )
    x = rng.integers(layer.input.low, layer.input.high + 1, (20, 37))
    np.testing.assert_array_equal(layer.run(x), x @ weights)


@pytest.mark.parametrize("rows", [15, 16, 17])
@pytest.mark.parametrize("scheme", ["pair", "columns"])
def test_at_the_edge_of_single_precision(rows, scheme, reference, frames_of):
    # 16 * 255 * 4095 lies just below 2**24, 17 * 255 * 4095 above it.
    rng = np.random.default_rng(rows)
    codes = rng.integers(4080, 4096, (1, 2, rows, 2))
    codes[:, 1] = 0
    layer = make(
        codes=codes, cell_bits=12, scheme=scheme, input=IntType(8), dac_bits=8, tile_rows=rows
    )
    assert (layer.ranges.bound < 1 << 24) == (rows < 17)
    x = frames_of(layer, count=40)
    x[:, :] |= 224
    assert layer.run(x).tolist() == reference(layer, x)


def test_gain_beyond_single_precision(reference):
    # The sum after the offset stays below 2**24, but the product before it does not, and is odd.
    codes = np.zeros((1, 2, 6, 1), int)
    codes[0, 0] = 4095
    offset = np.full((1, 1, 1, 1), -(9 << 20))
    layer = make(
        codes=codes,
        cell_bits=12,
        input=IntType(8),
        dac_bits=8,
        tile_rows=6,
        bias=[0],
        adc=Adc(bits=16, shift=9, gain=np.full((1, 1, 1, 1), 3), offset=offset),
    )
    assert layer.ranges.scaled.bound < 1 << 24 < layer.ranges.bound
    x = np.random.default_rng(0).integers(225, 256, (3000, 6))
    x[:, 0] |= 1
    product = x.sum(axis=1) * 4095 * 3
    rounded = product.astype(np.float32).astype(np.int64)
    assert np.any(rounded + (256 - (9 << 20)) >> 9 != product + (256 - (9 << 20)) >> 9)
    np.testing.assert_array_equal(layer.run(x)[:, 0], (product + 256 - (9 << 20)) >> 9)
    assert layer.run(x[:20]).tolist() == reference(layer, x[:20])


@pytest.mark.parametrize(("rows", "fast"), [(2, True), (3, False)])
def test_at_the_edge_of_double_precision(rows, fast, reference, frames_of):
    # 2 * 65535 * 4095 * 2**24 lies just below 2**53; the slice without a shift makes sums odd.
    codes = np.random.default_rng(rows).integers(4085, 4096, (2, 2, rows, 3))
    codes[:, 1] = 0
    layer = make(
        codes=codes, cell_bits=12, input=IntType(16), dac_bits=16, slice_shift=(24, 0),
        tile_rows=rows, bias=[0, 1, -1],
    )  # fmt: skip
    assert (1 << 52 < layer.ranges.bound < 1 << 53) == fast
    x = frames_of(layer, count=40)
    x[:, :] |= 0xFF00
    found = layer.run(x)
    assert found.tolist() == reference(layer, x)
    assert int(found.max()) > 1 << 52


def test_no_frames_give_no_outputs():
    assert make().run(np.zeros((0, 3), int)).shape == (0, 2)


def test_facts():
    layer = make(codes=np.zeros((3, 2, 7, 2), int), slice_shift=(0, 2, 4), scheme="columns")
    assert (layer.slices, layer.rows, layer.cols) == (3, 7, 2)
    assert layer.row_groups == ((0, 2), (2, 4), (4, 6), (6, 7))
    assert (layer.groups, layer.converters, layer.signs, layer.chunks) == (4, 2, (1, -1), 2)
    assert layer.devices == 3 * 2 * 7 * 2
    assert layer.weights.shape == (3, 2, 7, 2) and layer.weights.dtype == np.int32
    assert layer.in_ports == (((7,), IntType(4)),)
    assert (layer.shape, layer.type) == ((2,), layer.ranges.total.type)


def test_arrays_are_owned_and_read_only():
    codes = PAIR["codes"].copy()
    layer = make(codes=codes)
    codes[:] = 0
    assert layer.codes.max() == 3
    with pytest.raises(ValueError, match="^assignment destination is read-only$"):
        layer.codes[0, 0, 0, 0] = 1


REFERENCE = {"scheme": "reference", "codes": np.zeros((1, 1, 3, 2), int), "tile_cols": 2}
NARROW = MulShift(multiplier=[1], shift=[0], zero_point=0, type=IntType(4))
WIDE = MulShift(multiplier=[1 << 30] * 2, shift=[0] * 2, zero_point=0, type=IntType(4))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"cell_bits": 13}, "Dense: cell_bits must be an integer in 1..12, not 13"),
        (
            {"scheme": "offset"},
            "Dense: scheme must be one of 'pair', 'columns', 'reference', not 'offset'",
        ),
        ({"input": IntType(17)}, "Dense: input.bits must be an integer in 1..16, not 17"),
        ({"input": 4}, "Dense: input must be IntType, not int"),
        ({"dac_bits": 5}, "Dense: dac_bits must be an integer in 1..4, not 5"),
        ({"tile_rows": 0}, "Dense: tile_rows must be an integer in 1..65536, not 0"),
        ({"slice_shift": (31,)}, "Dense: slice_shift[0] must be an integer in 0..30, not 31"),
        ({"slice_shift": 0}, "Dense: slice_shift must be a tuple, not 0"),
        (
            {"slice_shift": (0, 2)},
            "Dense: slice_shift must have a value for each of the 1 slices, not 2",
        ),
        (
            {"slice_shift": ()},
            "Dense: slice_shift must have a value for each of the 1 slices, not 0",
        ),
        ({"bias": [1]}, "Dense: bias must have a value for each of the 2 columns, not 1"),
        ({"bias": [0.0, 1.0]}, "Dense: bias must hold integers, not float64"),
        (
            {"bias": [0, 1 << 31]},
            "Dense: bias must lie in -2147483648..2147483647, not in 0..2147483648",
        ),
        (
            {"codes": np.zeros((2, 3, 2), int)},
            "Dense: codes must be an array of 4 axes with at least one entry, "
            "not of shape (2, 3, 2)",
        ),
        (
            {"codes": [[[[1], [2, 3]]]]},
            "Dense: codes must be an array whose rows are of equal length",
        ),
        (
            {"codes": np.full((1, 2, 3, 2), 4)},
            "Dense: codes must lie in 0..3 for cell_bits = 2, not reach 4",
        ),
        (
            {"codes": np.zeros((1, 1, 3, 2), int)},
            "Dense: codes must have 2 devices a weight in scheme 'pair', not 1",
        ),
        (
            {"scheme": "reference"},
            "Dense: codes must have 1 devices a weight in scheme 'reference', not 2",
        ),
        (
            REFERENCE,
            "Dense: reference must be given in the scheme 'reference' and in no other",
        ),
        (
            {"reference": np.zeros((1, 3, 1), int)},
            "Dense: reference must be given in the scheme 'reference' and in no other",
        ),
        (
            REFERENCE | {"reference": np.zeros((1, 3, 2), int)},
            "Dense: reference must have the shape (1, 3, 1) (slices, rows, tiles), not (1, 3, 2)",
        ),
        (
            REFERENCE | {"reference": np.full((1, 3, 1), 4)},
            "Dense: reference must lie in 0..3 for cell_bits = 2, not reach 4",
        ),
        (
            REFERENCE | {"reference": np.zeros((1, 3, 1), int), "tile_cols": None},
            "Dense: tile_cols must be an integer in 1..65536, not None",
        ),
        (
            {"tile_cols": 2},
            "Dense: tile_cols must be None outside the scheme 'reference', not 2",
        ),
        (
            {"requantise": NARROW},
            "Dense: requantise must have 2 channels, one for each column, not 1",
        ),
        (
            {"requantise": IntType(4)},
            "Dense: requantise must be MulShift, Thresholds, Table, TFLite or None, not IntType",
        ),
        (
            {"adc": Noise(seed=1, amplitude=[[[[1]]]])},
            "Dense: adc must be Adc or None, not Noise",
        ),
        (
            {"adc": Adc(bits=4, shift=0, gain=[[[[1, 1, 1]]]])},
            "Adc: gain must have the shape (2, 1, 1, 2) (groups, slices, converters, columns), "
            "or 1 in place of a size, not (1, 1, 1, 3)",
        ),
        (
            {"adc": Adc(bits=1, transitions=np.zeros((2, 2, 1, 1, 1), int))},
            "Adc: transitions must have the shape (2, 1, 1, 2, 1) "
            "(groups, slices, converters, columns, levels), or 1 in place of a size, "
            "not (2, 2, 1, 1, 1)",
        ),
        (
            {"noise": Noise(seed=1, amplitude=np.ones((3, 1, 1, 1), int))},
            "Noise: amplitude must have the shape (2, 1, 1, 2) "
            "(groups, slices, converters, columns), or 1 in place of a size, not (3, 1, 1, 1)",
        ),
        (
            {"requantise": WIDE, "slice_shift": (30,), "codes": PAIR["codes"] % 2},
            "Dense: every sum and product must stay below 2**62, not reach 17293822579840122880: "
            "use fewer bits, smaller gains, shifts or multipliers",
        ),
    ],
)  # fmt: skip
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make(**changed)


def test_refuses_more_noise_than_the_generator_numbers():
    rows = (1 << 23) + 1
    message = (
        "Dense: noise reaches 2**24 blocks of four columns, not 16777218: "
        "use higher tiles, fewer slices, or split the layer"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make(
            codes=np.zeros((1, 2, rows, 1), np.uint16),
            scheme="columns",
            tile_rows=1,
            bias=[0],
            noise=Noise(seed=1, amplitude=[[[[1]]]]),
        )


def test_refuses_inputs_of_another_length():
    with pytest.raises(NetworkError, match=r"^Dense: inputs must be \(batch, 3\), not \(2, 4\)$"):
        make().run(np.zeros((2, 4), int))


def test_positions_are_vectors_one_after_the_other():
    noise = Noise(seed=5, amplitude=np.full((1, 1, 1, 1), 300))
    one, three = make(noise=noise), make(noise=noise, positions=3)
    assert (three.in_shape, three.shape) == ((3, one.rows), (3, one.cols))
    x = np.random.default_rng(0).integers(one.input.low, one.input.high + 1, (4, 3, one.rows))
    expected = one.run(x.reshape(12, -1), first_frame=15)
    np.testing.assert_array_equal(three.run(x, first_frame=5).reshape(12, -1), expected)
    late = (1 << 62) - 1  # 3 * late is 2**32 - 3, modulo 2**32
    expected = one.run(x.reshape(12, -1), first_frame=(1 << 32) - 3)
    np.testing.assert_array_equal(three.run(x, first_frame=late).reshape(12, -1), expected)


@pytest.mark.parametrize("name", ["positions", "blocks"])
def test_files_leave_out_what_is_not_there(name):
    tensors = {}
    assert name not in encode(make(), "layer", tensors)
    assert encode(make(**{name: 2}), "layer", tensors)[name] == 2
    again = decode(encode(make(**{name: 2}), "layer", tensors), tensors)
    assert getattr(again, name) == 2


@pytest.mark.parametrize(
    ("positions", "message"),
    [
        (0, "positions must be an integer in 1..16777216, not 0"),
        (1 << 23, "its input must hold at most 2**24 values, not 25165824"),
    ],
)
def test_refuses_positions(positions, message):
    with pytest.raises(ParameterError, match=f"^Dense: {re.escape(message)}$"):
        make(positions=positions)


def test_refuses_vectors_of_another_shape():
    message = r"^Dense: inputs must be \(batch, 2, 3\), not \(2, 3\)$"
    with pytest.raises(NetworkError, match=message):
        make(positions=2).run([[1, 1, 1], [1, 1, 1]])
