"""Tests of spintron_nn.converter.kernels."""

import numpy as np
import pytest
import torch

from spintron_ir import Flatten, Gather, IntType
from spintron_nn.converter.kernels import (
    channels_first,
    channels_last,
    image_shape,
    kernel_matrix,
    moved,
    window_of,
)


def conv_by_parts(x, weight, groups, **shape):
    """A convolution of ``(batch, channels, *sizes)`` by way of windows and matrices."""
    kind = IntType(5, signed=True)
    image = np.moveaxis(x, 1, -1).reshape(len(x), *image_shape(x.shape[1:]))
    outputs = len(weight)
    window = window_of(image.shape[1:], kind, weight.shape[2:], groups=groups, **shape)
    parts = window.run(image).reshape(len(x), window.shape[0], groups, -1)
    weights = kernel_matrix(weight).reshape(groups, outputs // groups, -1)
    found = np.einsum("npbr,bcr->npbc", parts, weights).reshape(len(x), *window.grid, outputs)
    return np.moveaxis(found, -1, 1)


@pytest.mark.parametrize("seed", range(60))
def test_a_convolution_is_that_of_torch(seed):
    rng = np.random.default_rng(seed)
    groups, depth, width = (int(n) for n in rng.integers(1, 5, 3))
    axes = int(rng.integers(1, 3))
    kernel, stride, dilation = (tuple(map(int, rng.integers(1, 4, axes))) for _ in range(3))
    before = tuple(int(n) for n in rng.integers(0, 3, axes))
    sizes = [int(n) + (k - 1) * d for n, k, d in zip(rng.integers(1, 6, axes), kernel, dilation)]
    x = rng.integers(-16, 16, (2, groups * depth, *sizes))
    weight = rng.integers(-7, 8, (groups * width, depth, *kernel))
    found = conv_by_parts(
        x, weight, groups, stride=stride, padding=[(n, n) for n in before], dilation=dilation
    )
    conv = torch.nn.functional.conv1d if axes == 1 else torch.nn.functional.conv2d
    wanted = conv(
        torch.from_numpy(x.astype(np.float64)),
        torch.from_numpy(weight.astype(np.float64)),
        stride=stride, padding=before, dilation=dilation, groups=groups,
    )  # fmt: skip
    np.testing.assert_array_equal(found.reshape(wanted.shape), wanted.numpy())


def test_axes_that_move_no_value_are_free():
    kind = IntType(4)
    assert isinstance(channels_last((1, 5, 4), kind), Flatten)
    assert isinstance(channels_last((6, 1, 1), kind), Flatten)
    assert isinstance(channels_last((2, 1, 3), kind), Gather)
    assert isinstance(moved((2, 3), kind, (0, 1)), Flatten)


@pytest.mark.parametrize(
    "layer, order", [(channels_last, (0, 2, 3, 1)), (channels_first, (0, 3, 1, 2))]
)
def test_axes_move_as_numpy_moves_them(layer, order):
    x = np.arange(48).reshape(2, 2, 3, 4)
    found = layer(x.shape[1:], IntType(6)).run(x)
    np.testing.assert_array_equal(found, x.transpose(order))
