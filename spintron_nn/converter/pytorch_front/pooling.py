"""Pools, means and extremes, resampling."""

from __future__ import annotations

import math
from typing import Any

from ..graph import Function, Pad, PoolOf, Upsample
from .walk import MIXES, Handler, Refused, Value, Walk, many

__all__ = ["HANDLERS", "reduced", "smallest"]

INDICES = "gives indices of the largest values; use return_indices=False"


def _places(size: int, span: int, jump: int, before: int, *, ceil: bool) -> tuple[int, int]:
    """Padding behind an axis, and how much of it is there only because sizes are rounded up.

    Source
    ------
    PyTorch, nn.AvgPool2d: in ceil mode windows that would start in the right padded region are
    left out.
    """
    if not ceil:
        return before, 0
    count = -(-(size + 2 * before - span) // jump) + 1
    if (count - 1) * jump >= size + before:
        count -= 1
    after = max(before, (count - 1) * jump + span - size - before)
    return after, after - before


def _pool(walk: Walk, a: dict[str, Any], kind: str, spatial: int) -> Value:
    value = walk.images(a["self"], spatial)
    kernel = many(a["kernel_size"], spatial)
    stride = many(a["stride"], spatial) if a["stride"] else kernel
    before = many(a["padding"], spatial)
    dilation = many(a.get("dilation", 1), spatial)
    if min(*kernel, *stride, *dilation) < 1 or min(before) < 0:
        raise ValueError("kernels, strides and dilations start at 1, paddings at 0")
    if any(2 * pad > size for pad, size in zip(before, kernel, strict=True)):
        raise ValueError("padding is at most half of the kernel")
    ends = [
        _places(size, gap * (window - 1) + 1, jump, pad, ceil=bool(a["ceil_mode"]))
        for size, window, jump, pad, gap in zip(
            value.shape[1:], kernel, stride, before, dilation, strict=True
        )
    ]
    divisor = a.get("divisor_override")
    count = bool(a.get("count_include_pad", True))
    if divisor is not None:
        divisor = int(divisor)
        if divisor == 0:
            raise ValueError("divides by zero")
    if kind == "average" and count and divisor is None and any(more for _, more in ends):
        # What rounding sizes up adds is not counted, the padding in front of it is.
        if any(before):
            pads = tuple((pad, pad) for pad in before)
            value = walk.add(Pad(((0, 0), *pads)), value)
        padding = tuple((0, more) for _, more in ends)
        count = False
    else:
        padding = tuple((pad, after) for pad, (after, _) in zip(before, ends, strict=True))
    if kind == "max":
        count = True
    return walk.add(PoolOf(kind, kernel, stride, padding, dilation, count, divisor), value)


def _pool_of(kind: str, spatial: int, *, indices: bool = False) -> Handler:
    def read(walk: Walk, a: dict[str, Any]) -> Any:
        made = _pool(walk, a, kind, spatial)
        return [made, Refused(INDICES)] if indices else made

    return read


def _adaptive(kind: str, spatial: int, *, indices: bool = False) -> Handler:
    def read(walk: Walk, a: dict[str, Any]) -> Any:
        value = walk.images(a["self"], spatial)
        sizes, wanted = value.shape[1:], many(a["output_size"], spatial)
        if any(goal < 1 or size % goal for size, goal in zip(sizes, wanted, strict=True)):
            raise Refused(
                f"pools {sizes} to {wanted}, in windows of several sizes; use sizes that divide "
                "those of the input, such as 1"
            )
        kernel = tuple(size // goal for size, goal in zip(sizes, wanted, strict=True))
        made = walk.add(_whole(kind, kernel), value)
        return [made, Refused(INDICES)] if indices else made

    return read


def _whole(kind: str, kernel: tuple[int, ...], divisor: int | None = None) -> PoolOf:
    zeros = tuple((0, 0) for _ in kernel)
    return PoolOf(kind, kernel, kernel, zeros, (1,) * len(kernel), True, divisor)


def reduced(
    walk: Walk, value: Value, dims: Any, kind: str, *, keep: bool, divisor: int | None = None
) -> Value:
    """Mean, or largest, of all values along some axes."""
    given = [dims] if isinstance(dims, int) else list(dims or [])
    if not given:
        raise Refused(MIXES)
    axes = sorted({walk.axis(value, dim) for dim in given})
    shape = value.shape
    kept = [axis for axis in range(len(shape)) if axis not in axes]
    tail = tuple(
        1 if axis in axes else size
        for axis, size in enumerate(shape)
        if axis >= value.merged and (keep or axis not in axes)
    )
    if not value.merged and len(shape) in (2, 3) and 0 not in axes:
        kernel = tuple(shape[axis] if axis in axes else 1 for axis in range(1, len(shape)))
        made = walk.add(_whole(kind, kernel, divisor), value)
    else:
        moved = walk.permute(Value(value.at, shape), (*kept, *axes))
        count = math.prod(shape[axis] for axis in axes)
        flat = walk.reshape_tail(moved, (math.prod(shape) // count, count))
        made = walk.add(_whole(kind, (count,), divisor), flat)
    made = walk.reshape_tail(made, shape[: value.merged] + tail)
    return Value(made.at, made.shape, value.merged)


def _mean(walk: Walk, a: dict[str, Any]) -> Value:
    return reduced(
        walk, walk.value(a["self"]), a.get("dim"), "average", keep=bool(a.get("keepdim"))
    )


def _sum(walk: Walk, a: dict[str, Any]) -> Value:
    value, keep = walk.value(a["self"]), bool(a.get("keepdim"))
    return reduced(walk, value, a.get("dim"), "average", keep=keep, divisor=1)


def _largest(walk: Walk, a: dict[str, Any]) -> Value:
    return reduced(walk, walk.value(a["self"]), a.get("dim"), "max", keep=bool(a.get("keepdim")))


def smallest(walk: Walk, value: Value, dims: Any, *, keep: bool) -> Value:
    """Least of all values along some axes."""
    turned = walk.like(Function("neg"), value)
    return walk.like(Function("neg"), reduced(walk, turned, dims, "max", keep=keep))


def _smallest(walk: Walk, a: dict[str, Any]) -> Value:
    return smallest(walk, walk.value(a["self"]), a.get("dim"), keep=bool(a.get("keepdim")))


def _upsample(spatial: int) -> Handler:
    def read(walk: Walk, a: dict[str, Any]) -> Value:
        value = walk.images(a["self"] if "self" in a else a["input"], spatial)
        sizes = value.shape[1:]
        named = [a.get(name) for name in ("scales_h", "scales_w", "scales") if name in a]
        given = a.get("scale_factors") or named
        scales = [float(scale) for scale in given if scale is not None]
        if a.get("output_size") is not None:
            wanted = many(a["output_size"], spatial)
        else:
            wanted = tuple(math.floor(n * by) for n, by in zip(sizes, scales, strict=True))
        whole = tuple(goal // size for goal, size in zip(wanted, sizes, strict=True))
        exact = all(goal == size * by for goal, size, by in zip(wanted, sizes, whole, strict=True))
        fits = not scales or tuple(scales) == whole
        if not (exact and fits and min(whole) > 0):
            raise Refused(f"scales {sizes} to {wanted}; use whole factors, with nearest neighbours")
        return walk.add(Upsample((1, *whole)), value)

    return read


HANDLERS: dict[str, Handler] = {
    "max_pool1d": _pool_of("max", 1),
    "max_pool2d": _pool_of("max", 2),
    "max_pool1d_with_indices": _pool_of("max", 1, indices=True),
    "max_pool2d_with_indices": _pool_of("max", 2, indices=True),
    "avg_pool1d": _pool_of("average", 1),
    "avg_pool2d": _pool_of("average", 2),
    "adaptive_avg_pool1d": _adaptive("average", 1),
    **dict.fromkeys(("adaptive_avg_pool2d", "_adaptive_avg_pool2d"), _adaptive("average", 2)),
    "adaptive_max_pool1d": _adaptive("max", 1, indices=True),
    "adaptive_max_pool2d": _adaptive("max", 2, indices=True),
    "mean": _mean,
    "sum": _sum,
    "amax": _largest,
    "amin": _smallest,
    **dict.fromkeys(("upsample_nearest1d", "_upsample_nearest_exact1d"), _upsample(1)),
    **dict.fromkeys(("upsample_nearest2d", "_upsample_nearest_exact2d"), _upsample(2)),
}
