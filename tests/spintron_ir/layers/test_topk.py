"""Tests of spintron_ir.layers.topk."""

import numpy as np
import pytest
import torch

from spintron_ir import IntType, ParameterError, TopK


@pytest.mark.parametrize("seed", range(20))
def test_values_are_those_of_torch(seed):
    rng = np.random.default_rng(seed)
    shape = tuple(int(n) for n in rng.integers(1, 6, rng.integers(1, 4)))
    k = int(rng.integers(1, shape[-1] + 1))
    x = rng.integers(-8, 8, (3, *shape))
    fields = {"in_shape": shape, "input": IntType(4, signed=True), "k": k}
    values = TopK(**fields, values=True).run(x)
    np.testing.assert_array_equal(values, torch.topk(torch.from_numpy(x), k).values.numpy())
    np.testing.assert_array_equal(np.take_along_axis(x, TopK(**fields).run(x), -1), values)


def test_of_equal_values_the_first_comes_first():
    layer = TopK(in_shape=(5,), input=IntType(3), k=5)
    assert layer.run([[4, 7, 4, 7, 0]]).tolist() == [[1, 3, 0, 2, 4]]
    assert layer.type == IntType(3) and layer.shape == (5,)


def test_the_least_number_of_64_bits_is_the_last():
    layer = TopK(in_shape=(3,), input=IntType(64, signed=True), k=3)
    assert layer.run([[-(1 << 63), 0, (1 << 63) - 1]]).tolist() == [[2, 1, 0]]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"k": 0}, r"TopK: k must be an integer in 1\.\.4, not 0"),
        ({"k": 5}, r"TopK: k must be an integer in 1\.\.4, not 5"),
        ({"in_shape": (1000,), "k": 257}, r"TopK: k must be an integer in 1\.\.256, not 257"),
        ({"values": 1}, "TopK: values must be True or False, not 1"),
        (
            {"in_shape": (1 << 17,)},
            r"TopK: the last size of in_shape must be an integer in 1\.\.65536, not 131072",
        ),
    ],
)
def test_what_it_refuses(change, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        TopK(**{"in_shape": (4,), "input": IntType(4), "k": 2} | change)
