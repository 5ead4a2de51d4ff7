"""Kernels over images: strides, paddings and dilations as ONNX gives them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from spintron_ir import IntType, Window

from ..kernels import window_of
from .reading import Operation, Refusal

__all__ = ["Geometry", "geometry_of"]

LIMIT = 1 << 16


@dataclass(frozen=True)
class Geometry:
    """Where a kernel stands on an image of one or two axes.

    Parameters
    ----------
    sizes, kernel, stride, dilation : tuple of int
        One for each axis.
    padding : tuple of pairs of int
        Before and behind each axis.
    grown : bool
        Whether rounding up made it reach further than the padding that was asked for.
    """

    sizes: tuple[int, ...]
    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    dilation: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    grown: bool = False

    @property
    def grid(self) -> tuple[int, ...]:
        """Positions along each axis."""
        return tuple(
            (size + sum(pad) - (k - 1) * d - 1) // s + 1
            for size, k, s, d, pad in zip(
                self.sizes, self.kernel, self.stride, self.dilation, self.padding, strict=True
            )
        )

    @property
    def padded(self) -> bool:
        """Whether there is any padding."""
        return any(sum(pad) for pad in self.padding)

    def window(self, shape: tuple[int, ...], kind: IntType, pad: int, groups: int = 1) -> Window:
        """The windows of an image ``(height, width, channels)``."""
        return window_of(
            shape,
            kind,
            self.kernel,
            stride=self.stride,
            padding=self.padding,
            dilation=self.dilation,
            pad_value=pad,
            groups=groups,
        )

    @property
    def single(self) -> bool:
        """Whether the kernel covers all of an image at its only position, place by place."""
        return self.kernel == self.sizes and not self.padded and set(self.dilation) == {1}

    @property
    def pointwise(self) -> bool:
        """Whether windows are single values of the image, each once."""
        ones = (1,) * len(self.sizes)
        return self.kernel == self.stride == ones and not self.padded


def _sizes(op: Operation, name: str, default: Sequence[int], low: int) -> tuple[int, ...]:
    value: Any = op.attributes.get(name, tuple(default))
    if (
        not isinstance(value, tuple)
        or len(value) != len(default)
        or not all(isinstance(item, int) and low <= item < LIMIT for item in value)
    ):
        raise Refusal(
            f"its {name} must be {len(default)} integers of at least {low}, not {value!r}: export "
            "it again"
        )
    return value


def geometry_of(
    op: Operation, shape: tuple[int, ...], kernel: tuple[int, ...] | None = None
) -> Geometry:
    """Geometry of an operator on a tensor ``(1, channels, *sizes)``.

    Raises
    ------
    ValueError
        If the attributes do not fit; the text says what to do.
    """
    sizes = shape[2:]
    rank = len(sizes)
    if rank not in (1, 2):
        raise Refusal(f"takes the shape {shape}: only images and sequences are converted")
    if kernel is None:
        if "kernel_shape" not in op.attributes:
            raise Refusal("lacks its kernel_shape: export it again")
        kernel = (1,) * rank
    kernel = _sizes(op, "kernel_shape", kernel, 1)
    stride = _sizes(op, "strides", (1,) * rank, 1)
    dilation = _sizes(op, "dilations", (1,) * rank, 1)
    pads = _sizes(op, "pads", (0,) * (2 * rank), 0)
    before, after = pads[:rank], pads[rank:]
    extent = tuple((k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True))
    auto = str(op.attributes.get("auto_pad", "NOTSET"))
    if auto not in ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"):
        raise Refusal(f"has the auto_pad {auto!r}: export it with pads")
    padding, grown = [], False
    for axis in range(rank):
        size, step, reach = sizes[axis], stride[axis], extent[axis]
        first, last = before[axis], after[axis]
        if auto == "VALID":
            first = last = 0
        elif auto != "NOTSET":
            total = max((-(-size // step) - 1) * step + reach - size, 0)
            small = total // 2
            first, last = (small, total - small) if auto == "SAME_UPPER" else (total - small, small)
        elif op.attributes.get("ceil_mode", 0):
            count = -(-(size + first + last - reach) // step) + 1
            if (count - 1) * step >= size + first:
                count -= 1
            wanted = (count - 1) * step + reach - size - first
            grown |= wanted > last
            last = max(last, wanted) if wanted > last else last
        if reach > size + first + last:
            raise Refusal(
                f"its kernel reaches over {reach} places of {size + first + last}: use a smaller "
                "kernel, or pad"
            )
        padding.append((first, last))
    return Geometry(sizes, kernel, stride, dilation, tuple(padding), grown)
