"""Resize and Upsample by the nearest neighbour."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from spintron_nn.converter.onnx_front.reading import Operation, Refusal

from .arranging import data, repeated, take
from .attributes import AGAIN, axis_of, check_known, choice, flag, sizes
from .build import Builder
from .tensors import Constant, Part, Value, said

__all__ = ["places_of", "resize", "upsample"]

WAY_OUT = "use mode nearest"

MODES = (
    "half_pixel half_pixel_symmetric pytorch_half_pixel align_corners asymmetric "
    "tf_half_pixel_for_nn"
)

ROUND = "round_prefer_floor round_prefer_ceil floor ceil"


def _origin(number: Any, x: Any, scale: Any, size: int, out: int, mode: str) -> Any:
    """Coordinate in the input of the place ``x`` of the output, in the arithmetic of a type."""
    half = number(1) / number(2)
    if mode == "asymmetric":
        return x / scale
    if mode == "align_corners":
        width = scale * number(size)
        return number(0) if width == 1 else x * number(size - 1) / (width - number(1))
    if mode == "pytorch_half_pixel" and out == 1:
        return number(0)
    if mode == "tf_half_pixel_for_nn":
        return (x + half) / scale
    found = (x + half) / scale - half
    if mode == "half_pixel_symmetric":
        found = found + number(size) / number(2) * (
            number(1) - number(out) / (scale * number(size))
        )
    return found


def _nearest(x: Any, rounding: str) -> int:
    below = math.floor(x)
    rest = x - below
    if rounding == "floor" or rest == 0:
        return below
    if rounding == "ceil":
        return below + 1
    up = 2 * rest >= 1 if rounding == "round_prefer_ceil" else 2 * rest > 1
    return below + int(up)


def places_of(size: int, out: int, scale: Fraction, mode: str, rounding: str) -> list[int]:
    """Places of an axis of :py:`size` values that its :py:`out` results are copied from.

    Computed without rounding; Refusal where float32 or float64 come to another result.

    Examples
    --------
    >>> places_of(2, 4, Fraction(2), "asymmetric", "floor")
    [0, 0, 1, 1]
    """
    found = []
    for number in (Fraction, np.float32, np.float64):
        places = [
            _nearest(_origin(number, number(x), number(scale), size, out, mode), rounding)
            for x in range(out)
        ]
        found.append([min(max(place, 0), size - 1) for place in places])
    if found[0] != found[1] or found[0] != found[2]:
        raise Refusal("lies on ties that rounding decides: use a whole factor")
    return found[0]


def _target(scale: np.float32, size: int) -> int:
    """Size after scaling."""
    exact = math.floor(Fraction(float(scale)) * size)
    if exact != math.floor(scale * np.float32(size)):
        raise Refusal("has a size that rounding decides: use a whole factor")
    return exact


def _scales(part: Part, axes: list[int]) -> list[np.float32]:
    if not isinstance(part, Constant) or part.values.dtype.kind != "f":
        raise Refusal("needs constant scales: export the model with fixed shapes")
    found = [np.float32(scale) for scale in part.values.reshape(-1)]
    if len(found) != len(axes) or not all(1e-4 <= scale <= 1e4 for scale in found):
        raise Refusal(f"has {len(found)} scales for {len(axes)} axes: {AGAIN}")
    return found


def resize(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Resize`` with mode nearest."""
    check_known(
        op,
        "antialias axes coordinate_transformation_mode cubic_coeff_a exclude_outside mode "
        "extrapolation_value keep_aspect_ratio_policy nearest_mode",
    )
    x = data(parts)
    mode = op.attributes.get("mode", "nearest")
    if mode != "nearest":
        raise Refusal(f"has the mode {mode}, which mixes values: {WAY_OUT}")
    if op.attributes.get("coordinate_transformation_mode") == "tf_crop_and_resize":
        raise Refusal("crops and resizes (tf_crop_and_resize): use Slice, then Resize")
    way = choice(op, "coordinate_transformation_mode", MODES) if opset > 10 else "asymmetric"
    rounding = choice(op, "nearest_mode", ROUND) if opset > 10 else "floor"
    if flag(op, "antialias"):
        raise Refusal(f"filters before it resizes (antialias): {WAY_OUT} without it")
    rank = len(x.shape)
    axes = [axis_of(axis, rank) for axis in op.attributes.get("axes", tuple(range(rank)))]
    if len(set(axes)) != len(axes):
        raise Refusal(f"has an axis twice: {AGAIN}")
    scales_at = 1 if opset < 11 else 2
    more = [*parts, None, None, None, None]
    scaling = more[scales_at]
    if scaling is not None and not (isinstance(scaling, Constant) and scaling.values.size == 0):
        scales = _scales(scaling, axes)
        targets = [_target(scale, x.shape[axis]) for scale, axis in zip(scales, axes, strict=True)]
        exact = [Fraction(float(scale)) for scale in scales]
    else:
        targets = list(sizes(more[3], "scales or sizes"))
        if len(targets) != len(axes) or min(targets, default=1) < 1:
            raise Refusal(f"has {len(targets)} sizes for {len(axes)} axes: {AGAIN}")
        exact = [Fraction(new, x.shape[axis]) for new, axis in zip(targets, axes, strict=True)]
        policy = choice(op, "keep_aspect_ratio_policy", "stretch not_larger not_smaller")
        if policy != "stretch":
            one = min(exact) if policy == "not_larger" else max(exact)
            targets = [math.floor(one * x.shape[axis] + Fraction(1, 2)) for axis in axes]
            exact = [one] * len(axes)
    return _resized(op, x, axes, targets, exact, way, rounding, to)


def _resized(
    op: Operation, x: Value, axes: list[int], targets: list[int], scales: list[Fraction], way: str,
    rounding: str, to: Builder,
) -> Value:  # fmt: skip
    new = [t for axis, t in zip(axes, targets, strict=True) if t != x.shape[axis]]
    if min(new, default=1) < 1 or max(new, default=1) > 1 << 14:
        raise Refusal(f"gives the sizes {tuple(targets)} of {said(x.shape)}: correct them")
    places = {}
    for axis, target, scale in zip(axes, targets, scales, strict=True):
        size = x.shape[axis]
        if scale != 1 or target != size:
            to.lead([x], [axis])
            places[axis] = places_of(size, target, scale, way, rounding)
    factors = [1] * len(x.shape)
    for axis, found in places.items():
        size = x.shape[axis]
        factor = len(found) // size
        if found == [place for place in range(size) for _ in range(factor)]:
            factors[axis] = factor
    x = repeated(op, x, factors, to)
    for axis, found in places.items():
        if factors[axis] == 1:
            x = take(op, x, axis, found, to)
    return x


def upsample(op: Operation, parts: list[Part], to: Builder, opset: int) -> Value:
    """``Upsample``, the older name, of opset 7 to 9."""
    check_known(op, "mode scales")
    x = data(parts)
    mode = op.attributes.get("mode", "nearest")
    if mode != "nearest":
        raise Refusal(f"has the mode {mode}, which mixes values: {WAY_OUT}")
    axes = list(range(len(x.shape)))
    given = op.attributes.get("scales")
    part = Constant(np.asarray(given, dtype=np.float32)) if given is not None else None
    scales = _scales(parts[1] if len(parts) > 1 else part, axes)
    targets = [_target(scale, size) for scale, size in zip(scales, x.shape, strict=True)]
    exact = [Fraction(float(scale)) for scale in scales]
    return _resized(op, x, axes, targets, exact, "asymmetric", "floor", to)
