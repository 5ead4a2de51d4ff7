"""Tests of block-diagonal matrices in spintron_ir.layers.dense."""

import re

import numpy as np
import pytest

from spintron_ir import Dense, IntType, ParameterError


def make(**changed):
    fields = {
        "codes": np.array([[[[3, 0], [1, 2], [0, 1]], [[0, 2], [1, 0], [3, 3]]]]),
        "cell_bits": 2,
        "scheme": "pair",
        "input": IntType(4),
        "dac_bits": 2,
        "slice_shift": (0,),
        "tile_rows": 2,
        "bias": [10, -10],
    }
    return Dense(**fields | changed)


def test_blocks_see_their_own_inputs():
    # The weights (3, 0, -3) of the first column for the first three inputs; (-2, 2, -2) for the
    # others. Without a bias: 3*1 - 3*3, and -2*4 + 2*5 - 2*6.
    layer = make(blocks=2, bias=[0, 0], positions=1)
    assert (layer.rows, layer.inputs, layer.cols, layer.block_cols) == (3, 6, 2, 1)
    assert (layer.in_shape, layer.shape) == ((1, 6), (1, 2))
    assert layer.run([[[1, 2, 3, 4, 5, 6]]]).tolist() == [[[-6, -10]]]
    assert layer.devices == layer.codes.size


@pytest.mark.parametrize("tile_rows", [2, 50])
@pytest.mark.parametrize("kind", ["one matrix", "one block", "depthwise"])
def test_lossless_blocks_are_a_block_diagonal_matrix(tile_rows, kind):
    rng = np.random.default_rng(1)
    blocks, rows, block_cols = {"one matrix": (3, 5, 4), "one block": (1, 5, 4)}.get(
        kind, (9, 4, 1)
    )
    weights = rng.integers(-3, 4, (rows, blocks * block_cols))
    layer = make(
        codes=np.stack([np.maximum(weights, 0), np.maximum(-weights, 0)])[None],
        tile_rows=tile_rows, bias=np.zeros(blocks * block_cols, int), blocks=blocks,
    )  # fmt: skip
    x = rng.integers(0, 16, (20, blocks * rows))
    whole = np.zeros((blocks * rows, blocks * block_cols), int)
    for block in range(blocks):
        own = slice(block * block_cols, (block + 1) * block_cols)
        whole[block * rows : (block + 1) * rows, own] = weights[:, own]
    np.testing.assert_array_equal(layer.run(x), x @ whole)


REFERENCE = {"scheme": "reference", "codes": np.zeros((1, 1, 3, 2), int), "tile_cols": 2}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"blocks": 0}, "blocks must be an integer in 1..2, not 0"),
        ({"blocks": 3}, "blocks must be an integer in 1..2, not 3"),
        ({"blocks": 2.0}, "blocks must be an integer in 1..2, not 2.0"),
        (
            {"codes": np.zeros((1, 2, 3, 4), int), "bias": [0] * 4, "blocks": 3},
            "blocks must divide the 4 columns, not be 3",
        ),
        (
            REFERENCE | {"reference": np.zeros((1, 3, 1), int), "blocks": 2},
            "tile_cols must divide the 1 columns of a block, not be 2: a reference column sees "
            "the inputs of one block",
        ),
    ],
)
def test_refuses_blocks(changed, message):
    with pytest.raises(ParameterError, match=f"^Dense: {re.escape(message)}$"):
        make(**changed)
