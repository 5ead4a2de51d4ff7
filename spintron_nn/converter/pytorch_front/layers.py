"""Matrix products, convolutions and batch normalisations."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..graph import Conv, Linear, Norm, Pad
from .walk import MIXES, Constant, Handler, Refused, Value, Walk, many

__all__ = ["HANDLERS"]

Reals = NDArray[np.float64]

EVAL = "exported in training mode; call model.eval() before torch.export"
ATTENTION = (
    "multiplies two computed matrices, as attention does, and a crossbar holds constant ones; "
    "make one of them constant"
)


def _key(constant: Constant, *, flipped: bool) -> str | None:
    """Name in the state, where the state holds the tensor as it is used."""
    return constant.key if constant.flipped == flipped else None


def _matrix(
    walk: Walk, value: Value, weight: Constant, bias: Any = None, *, transposed: bool = False
) -> Value:
    """Weights on the last axis; :py:`transposed` where they have the shape (inputs, outputs)."""
    numbers = walk.numbers(weight)
    if numbers.ndim != 2:
        raise ValueError(f"weights of shape {numbers.shape} are no matrix")
    if value.ndim < 2:
        raise Refused(MIXES)
    matrix = np.ascontiguousarray(numbers.T) if transposed else numbers
    added = np.zeros(len(matrix))
    bias_key = None
    rest: Reals | None = None
    if bias is not None:
        constant = walk.constant(bias, "biases")
        offsets = walk.row(constant, value)
        if offsets.size in (1, len(matrix)) and offsets.shape[-1:] == (offsets.size,):
            added = np.broadcast_to(offsets.reshape(-1), added.shape).copy()
            bias_key = constant.key if constant.tensor.ndim == 1 == added.ndim else None
        elif offsets.ndim == 0:
            added = np.full_like(added, float(offsets))
        else:
            rest = offsets
    linear = Linear(matrix, added, _key(weight, flipped=transposed), bias_key)
    made = walk.like(linear, value)
    return made if rest is None else walk.affine(made, 1.0, rest)


def _linear(walk: Walk, a: dict[str, Any]) -> Value:
    value = walk.value(a["input"])
    return _matrix(walk, value, walk.constant(a["weight"]), a["bias"])


def _scaled(constant: Constant | None, factor: Any) -> Constant | None:
    if constant is None or factor == 1:
        return constant
    return Constant(constant.tensor * factor)


def _addmm(walk: Walk, a: dict[str, Any]) -> Value:
    weight, value = a["mat2"], a["mat1"]
    if isinstance(value, Constant):
        raise Refused(MIXES)
    if isinstance(weight, Value):
        raise Refused(ATTENTION)
    bias = walk.constant(a["self"], "biases")
    return _matrix(
        walk,
        walk.value(value),
        Constant(walk.constant(weight).tensor * a["alpha"])
        if a["alpha"] != 1
        else walk.constant(weight),
        _scaled(bias, a["beta"]),
        transposed=True,
    )


def _one_matrix(walk: Walk, constant: Constant) -> Constant:
    """A matrix from copies of itself, one for each input of a batch or each place."""
    tensor = constant.tensor
    if tensor.ndim <= 2:
        return constant
    rows = tensor.reshape(-1, *tensor.shape[-2:])
    if len(rows) == 0 or not bool((rows == rows[:1]).all()):
        raise Refused("has other weights at every place; use one matrix for all of them")
    key = constant.key if tensor.ndim == 2 else None
    return Constant(rows[0], key)


def _matmul(walk: Walk, a: dict[str, Any]) -> Value:
    left = a["self"]
    right = a["mat2"] if "mat2" in a else a["other"] if "other" in a else a["vec"]
    if isinstance(left, Value) and isinstance(right, Value):
        raise Refused(ATTENTION)
    if isinstance(left, Value):
        weight = walk.constant(right)
        if weight.tensor.ndim == 1:
            column = _matrix(walk, left, Constant(weight.tensor[:, None]), transposed=True)
            return walk.reshape_tail(column, column.tail[:-1])
        return _matrix(walk, left, _one_matrix(walk, weight), transposed=True)
    value, weight = walk.value(right), _one_matrix(walk, walk.constant(left))
    if value.ndim < 3 or weight.tensor.ndim != 2:
        raise Refused(MIXES)
    axes = len(value.shape)
    order = (*range(axes - 2), axes - 1, axes - 2)
    return walk.permute(_matrix(walk, walk.permute(value, order), weight), order)


def _padding(given: Any, kernel: tuple[int, ...], dilation: tuple[int, ...]) -> Any:
    """Before and after each axis; an odd one of ``same`` goes behind, as in torch."""
    if given == "valid":
        return tuple((0, 0) for _ in kernel)
    if given == "same":
        totals = [gap * (size - 1) for size, gap in zip(kernel, dilation, strict=True)]
        return tuple((total // 2, total - total // 2) for total in totals)
    return tuple((amount, amount) for amount in many(given, len(kernel)))


def _conv(walk: Walk, a: dict[str, Any]) -> Value:
    weight = walk.constant(a["weight"])
    spatial = weight.tensor.ndim - 2
    if spatial not in (1, 2):
        raise Refused(
            "has other than one or two spatial axes; use nn.Conv1d or nn.Conv2d, slice by slice"
        )
    value = walk.images(a["input"], spatial)
    if a.get("transposed"):
        return _transposed(walk, a)
    numbers = walk.numbers(weight)
    dilation = many(a["dilation"], spatial)
    bias, bias_key = _per_channel(walk, a["bias"], np.zeros(len(numbers)))
    made = Conv(
        numbers,
        bias,
        many(a["stride"], spatial),
        _padding(a["padding"], numbers.shape[2:], dilation),
        dilation,
        int(a["groups"]),
        weight.key,
        bias_key,
    )
    return walk.add(made, value)


def _transposed(walk: Walk, a: dict[str, Any]) -> Value:
    """A transposed convolution: zeros between the values, then a convolution, its kernel turned.

    Source
    ------
    V. Dumoulin, F. Visin, A guide to convolution arithmetic for deep learning, 2016, section 4.
    """
    numbers = walk.numbers(walk.constant(a["weight"]))
    spatial = numbers.ndim - 2
    value = walk.images(a["input"], spatial)
    groups = int(a["groups"])
    stride, dilation, padding, extra = (
        many(a[name], spatial) for name in ("stride", "dilation", "padding", "output_padding")
    )
    if groups < 1 or min(*stride, *dilation) < 1 or min(*padding, *extra) < 0:
        raise ValueError("strides, dilations and groups start at 1, paddings at 0")
    kernel = numbers.shape[2:]
    parts = numbers.reshape(groups, -1, *numbers.shape[1:]).swapaxes(1, 2)
    turned = np.flip(parts.reshape(-1, parts.shape[2], *kernel), tuple(range(2, 2 + spatial)))
    bias, _ = _per_channel(walk, a["bias"], np.zeros(len(turned)))
    if max(stride) > 1:
        value = _spread(walk, value, stride)
    amounts = []
    for size, jump, gap, cut, more in zip(kernel, stride, dilation, padding, extra, strict=True):
        before = gap * (size - 1) - cut
        amounts.append((before, before + more - (jump - 1)))
    if min(min(pair) for pair in amounts) < 0:
        cuts = tuple((min(before, 0), min(after, 0)) for before, after in amounts)
        value = walk.add(Pad(((0, 0), *cuts)), value)
    around = tuple((max(before, 0), max(after, 0)) for before, after in amounts)
    ones = (1,) * spatial
    return walk.add(Conv(turned.copy(), bias, ones, around, dilation, groups), value)


def _spread(walk: Walk, value: Value, stride: tuple[int, ...]) -> Value:
    """Put ``stride - 1`` zeros behind each value of every spatial axis."""
    channels, *sizes = value.shape
    parted = tuple(part for size in sizes for part in (size, 1))
    value = walk.reshape_tail(value, (channels, *parted))
    amounts = tuple(pair for jump in stride for pair in ((0, 0), (0, jump - 1)))
    value = walk.add(Pad(((0, 0), *amounts)), value)
    spread = (size * jump for size, jump in zip(sizes, stride, strict=True))
    return walk.reshape_tail(value, (channels, *spread))


def _norm(walk: Walk, a: dict[str, Any]) -> Any:
    value = walk.value(a["input"])
    if a["running_mean"] is None or a["running_var"] is None:
        raise Refused("has no running statistics; use track_running_stats=True")
    if a.get("training"):
        raise Refused(EVAL)
    if value.ndim < 2 or (value.merged and value.ndim > 2):
        raise Refused(
            f"is applied to {walk.text(value)}; give it (batch, channels) or (batch, channels, "
            "positions)"
        )
    mean, var = (walk.constant(a[name], "statistics") for name in ("running_mean", "running_var"))
    means, variances, eps = walk.numbers(mean), walk.numbers(var), float(a["eps"])
    if eps < 0:
        raise ValueError(f"adds {eps} to variances")
    if not (variances + eps > 0).all() and np.isfinite(variances).all():
        raise Refused("has variances below zero; train again from a checkpoint before it")
    gamma, gamma_key = _per_channel(walk, a["weight"], np.ones_like(means))
    beta, beta_key = _per_channel(walk, a["bias"], np.zeros_like(means))
    if {part.shape for part in (means, variances, gamma, beta)} != {value.tail[:1]}:
        raise ValueError(f"statistics of shape {means.shape} do not fit {walk.text(value)}")
    made = Norm(gamma, beta, means, variances, eps, gamma_key, beta_key, mean.key, var.key)
    if not value.merged:
        return walk.add(made, value)
    last = len(value.shape) - 1  # the channels, which a step has first
    first = walk.permute(value, (last, *range(last)))
    return walk.permute(walk.like(made, first), (*range(1, last + 1), 0))


def _per_channel(walk: Walk, given: Any, default: Reals) -> tuple[Reals, str | None]:
    if given is None:
        return default, None
    constant = walk.constant(given)
    return walk.numbers(constant), constant.key


def _norm_of_three(walk: Walk, a: dict[str, Any]) -> Any:
    made = _norm(walk, a)
    return [made, None, None]


HANDLERS: dict[str, Handler] = {
    "linear": _linear,
    "addmm": _addmm,
    **dict.fromkeys(("mm", "bmm", "matmul", "mv"), _matmul),
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution"), _conv),
    **dict.fromkeys(("conv_transpose1d", "conv_transpose2d"), _transposed),
    "batch_norm": _norm,
    **dict.fromkeys(
        ("_native_batch_norm_legit_no_training", "native_batch_norm", "cudnn_batch_norm"),
        _norm_of_three,
    ),
}
