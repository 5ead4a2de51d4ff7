"""Tests of spintron_ir.layers.dense_reads."""

import numpy as np
import pytest

from spintron_ir import Dense, IntType, arith
from spintron_ir.layers.dense_reads import narrow_chunks


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("bits", [1, 2, 7, 8, 9, 15, 16])
@pytest.mark.parametrize("dac_bits", [1, 2, 3, 7, 8, 16])
def test_chunks_in_the_least_format_are_those_of_the_contract(bits, signed, dac_bits):
    kind = IntType(bits, signed=signed)
    layer = Dense(
        codes=np.ones((1, 2, 4, 1), int),
        cell_bits=1,
        scheme="pair",
        input=kind,
        dac_bits=min(dac_bits, bits),
        slice_shift=(0,),
        tile_rows=4,
        bias=[0],
    )
    x = np.random.default_rng(bits).integers(kind.low, kind.high + 1, (64, 4))
    x[0] = kind.low, kind.high, 0, kind.high // 2
    expected = arith.chunks(x, bits=bits, signed=signed, dac_bits=layer.dac_bits)
    np.testing.assert_array_equal(np.stack(list(narrow_chunks(layer, x))), expected)
