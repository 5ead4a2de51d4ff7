"""Tests of spintron_nn.converter.shapes; tests of the torch front end hold it against torch."""

import re

import numpy as np
import pytest

from spintron_nn.converter import graph as g
from spintron_nn.converter.shapes import broadcast, result_shape

ONE, TWO = np.zeros((4, 3)), np.zeros((4, 3, 2))


@pytest.mark.parametrize(
    ("operation", "shapes", "wanted", "result"),
    [
        (g.Linear(ONE, np.zeros(4)), [(5, 3)], (), (5, 4)),
        (g.Conv(TWO, np.zeros(4), (2,), ((1, 0),), (3,)), [(3, 9)], (), (4, 4)),
        (g.PoolOf("max", (2, 2), (2, 1), ((0, 1), (0, 0)), (1, 1)), [(3, 5, 4)], (), (3, 3, 3)),
        (g.Pad(((0, 0), (-1, 2))), [(3, 4)], (), (3, 5)),
        (g.Reshape(), [(3, 4)], (2, 6), (2, 6)),
        (g.Permute((1, 0)), [(3, 4)], (), (4, 3)),
        (g.Add((1.0, -1.0, 2.0)), [(3, 1), (4,), (3, 4)], (), (3, 4)),
        (g.Concatenate(1), [(3, 4), (3, 1)], (), (3, 5)),
        (g.Slice(0, 1, 8, 3), [(9,)], (), (3,)),
        (g.Slice(0, 8, 1, -3), [(9,)], (), (3,)),
        (g.Upsample((1, 2)), [(3, 4)], (), (3, 8)),
        (g.ArgmaxOf(0), [(3, 4)], (), (4,)),
        (g.TopKOf(2, 1), [(3, 4)], (), (3, 2)),
        (g.SoftmaxOf(1), [(3, 4)], (), (3, 4)),
        (g.Norm(*np.zeros((4, 3)), 0.0), [(3, 4)], (), (3, 4)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_shapes(operation, shapes, wanted, result):
    assert result_shape(operation, shapes, wanted) == result


@pytest.mark.parametrize(
    ("operation", "shapes", "message"),
    [
        (g.Linear(ONE, np.zeros(4)), [(5,)], "weights of shape (4, 3) do not take (5,)"),
        (g.Linear(ONE, np.zeros(3)), [(3,)], "a bias of shape (3,) does not fit (4, 3)"),
        (g.Conv(TWO, np.zeros(4), (1,), ((0, 0),), (1,)), [(4, 9)],
         "1 groups and weights (4, 3, 2) do not take (4, 9)"),
        (g.Conv(TWO, np.zeros(4), (0,), ((0, 0),), (1,)), [(3, 9)],
         "kernels, strides and dilations start at 1, paddings at 0"),
        (g.Conv(TWO, np.zeros(4), (1,), ((0, 0),), (9,)), [(3, 9)],
         "its result would have the shape (4, 0), which is empty"),
        (g.Reshape(), [(3, 4)], "(3, 4) does not become (5,)"),
        (g.Permute((0, 0)), [(3, 4)], "(0, 0) is no order of the axes of (3, 4)"),
        (g.Mul(), [(3,), (4,)], "shapes (3,), (4,) do not fit each other"),
        (g.Concatenate(0), [(3, 4), (3, 1)], "shapes (3, 4), (3, 1) do not fit along axis 0"),
        (g.Slice(0, 1, 10), [(9,)], "1:10:1 is not within axis 0 of (9,)"),
        (g.TopKOf(5, 0), [(4,)], "5 of 4 values are asked for"),
        (g.ArgmaxOf(1), [(4,)], "(4,) has no axis 1"),
        (g.Function("relu"), [(4,), (4,)], "Function takes one input, not 2"),
        (g.Affine(np.zeros((2, 4)), np.zeros(())), [(4,)], "constants of shape (2, 4) do not fit "
         "(4,)"),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_refuses(operation, shapes, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        result_shape(operation, shapes, (5,))


def test_broadcast():
    assert broadcast((), (3, 1), (2, 1, 4)) == (2, 3, 4)
