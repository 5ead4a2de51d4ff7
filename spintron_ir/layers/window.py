"""Windows of an image: what turns a convolution into a matrix applied at every position."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ..arith import as_int
from ..errors import ParameterError, check_int, check_shape
from ..record import register
from ..types import IntType
from .base import UnaryLayer

__all__ = ["Window"]


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Window(UnaryLayer):
    """The values under a kernel at each of its positions, one vector a position.

    Positions go row by row. A vector has the groups of channels, in each the kernel's rows, in each
    its columns, in each the channels of the group. Axes of one size make it one-dimensional.

    Parameters
    ----------
    in_shape : tuple of int, ``(height, width, channels)``
        Shape of the image, channels last, at most ``2**24`` values; the windows together also.
    type : IntType
        Type of the values.
    kernel : tuple of int, ``(height, width)``
        Size of the kernel.
    stride, dilation : tuple of int, ``(vertical, horizontal)``
        Distance of positions, and of the values under the kernel.
    padding : tuple of int, ``(top, left, bottom, right)``
        Rows and columns added around the image.
    pad_value : int
        What they hold.
    groups : int
        Groups of neighbouring channels that come one after the other in a vector. Must divide the
        channels.

    Raises
    ------
    ParameterError
        If a field is outside its range or the kernel does not fit the padded image.

    Examples
    --------
    >>> window = Window(in_shape=(1, 3, 1), type=IntType(4), kernel=(1, 2), padding=(0, 1, 0, 0))
    >>> window.run([[[[5], [6], [7]]]]).tolist()
    [[[0, 5], [5, 6], [6, 7]]]
    """

    kind: ClassVar[str] = "window"

    in_shape: tuple[int, ...]
    type: IntType
    kernel: tuple[int, ...]
    stride: tuple[int, ...] = (1, 1)
    dilation: tuple[int, ...] = (1, 1)
    padding: tuple[int, ...] = (0, 0, 0, 0)
    pad_value: int = 0
    groups: int = field(default=1, metadata={"later": True})

    def check(self) -> None:
        """Check the fields against each other."""
        for name, sizes, low, axes in (
            ("in_shape", self.in_shape, 1, "height, width, channels"),
            ("kernel", self.kernel, 1, "height, width"),
            ("stride", self.stride, 1, "vertical, horizontal"),
            ("dilation", self.dilation, 1, "vertical, horizontal"),
            ("padding", self.padding, 0, "top, left, bottom, right"),
        ):
            if len(sizes) != axes.count(",") + 1:
                raise ParameterError(f"Window: {name} must be ({axes}), not {sizes!r}")
            for axis, size in enumerate(sizes):
                check_int("Window", f"{name}[{axis}]", size, low, 1 << 16)
        check_shape("Window", "in_shape", self.in_shape)
        check_int("Window", "pad_value", self.pad_value, self.type.low, self.type.high)
        for axis, name in enumerate(("high", "wide")):
            padded = self.in_shape[axis] + self.padding[axis] + self.padding[axis + 2]
            if self.extent[axis] > padded:
                raise ParameterError(
                    f"Window: the kernel must fit the padded image, which is {padded} {name}, but "
                    f"reaches over {self.extent[axis]}: use a smaller kernel or dilation, or pad"
                )
        check_shape("Window", "its output", self.shape)
        channels = self.in_shape[2]
        if channels % check_int("Window", "groups", self.groups, 1, channels):
            raise ParameterError(
                f"Window: groups must divide the {channels} channels, not be {self.groups}"
            )

    @property
    def extent(self) -> tuple[int, ...]:
        """Rows and columns over which the kernel reaches."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of positions."""
        rows, cols = (
            (self.in_shape[axis] + self.padding[axis] + self.padding[axis + 2] - self.extent[axis])
            // self.stride[axis]
            + 1
            for axis in (0, 1)
        )
        return rows, cols

    @property
    def in_type(self) -> IntType:
        """Type of every value."""
        return self.type

    @property
    def shape(self) -> tuple[int, ...]:
        """Positions, and values in the window at each."""
        return math.prod(self.grid), math.prod(self.kernel) * self.in_shape[2]

    @cached_property
    def pixels(self) -> NDArray[np.int64]:
        """Pixel under each place of the kernel, ``(positions, places)``; -1 in the padding."""
        reach = [
            stride * np.arange(count)[:, None] + dilation * np.arange(size)[None, :] - before
            for count, size, stride, dilation, before in zip(
                self.grid, self.kernel, self.stride, self.dilation, self.padding[:2], strict=True
            )
        ]
        height, width, _ = self.in_shape
        y, x = reach[0][:, None, :, None], reach[1][None, :, None, :]
        inside = (y >= 0) & (y < height) & (x >= 0) & (x < width)
        return np.where(inside, y * width + x, -1).reshape(self.shape[0], -1)

    def run(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Windows of each image, shape ``(batch, positions, values)``."""
        x = as_int(x)
        top, left, bottom, right = self.padding
        x = x.reshape(len(x), *self.in_shape)
        if any(self.padding):
            edges = ((0, 0), (top, bottom), (left, right), (0, 0))
            x = np.pad(x, edges, constant_values=self.pad_value)
        windows = np.lib.stride_tricks.sliding_window_view(x, self.extent, axis=(1, 2))
        down, along = self.stride
        every = tuple(slice(None, None, distance) for distance in self.dilation)
        windows = windows[:, ::down, ::along, :, *every]
        each = self.in_shape[-1] // self.groups
        grouped = windows.reshape(len(x), *self.grid, self.groups, each, *self.kernel)
        ordered = grouped.transpose(0, 1, 2, 3, 5, 6, 4)
        out = np.empty(ordered.shape, dtype=np.int64)
        if self.groups == 1:
            out[...] = ordered
        else:  # place by place, since runs of neighbouring values would be short
            for row, col in np.ndindex(*self.kernel):
                out[..., row, col, :] = ordered[..., row, col, :]
        return out.reshape(len(x), *self.shape)
