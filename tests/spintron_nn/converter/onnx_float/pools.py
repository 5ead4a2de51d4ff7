"""MaxPool and AveragePool window by window, as the ONNX standard (opset 22) words them.

onnx.reference has pads in another order, none in one dimension, and windows past ceil_mode's end.
"""

import itertools
import math

import numpy as np
from onnx import helper

__all__ = ["explicit", "pooled"]


def explicit(node, x, weight):
    """A convolution with pads instead of auto_pad, which older references mistake."""
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    auto = given.pop("auto_pad", b"NOTSET")
    kernel, sizes = weight.shape[2:], x.shape[2:]
    rank = len(kernel)
    stride, dilation = (given.get(key, [1] * rank) for key in ("strides", "dilations"))
    if auto.startswith(b"SAME"):
        before, after = [], []
        for axis, size in enumerate(sizes):
            span = (kernel[axis] - 1) * dilation[axis] + 1
            pad = max((math.ceil(size / stride[axis]) - 1) * stride[axis] + span - size, 0)
            before.append(pad // 2 + (pad % 2 if auto == b"SAME_LOWER" else 0))
            after.append(pad - before[-1])
        given["pads"] = before + after
    return helper.make_node("Conv", node.input, node.output, name=node.name, **given)


def pooled(node, x):
    """Result of a pool for an array ``(frames, channels, ...)``."""
    given = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    kernel, sizes = given["kernel_shape"], x.shape[2:]
    rank = len(kernel)
    stride, dilation = (given.get(key, [1] * rank) for key in ("strides", "dilations"))
    pads = list(given.get("pads", [0] * 2 * rank))
    auto, up = given.get("auto_pad", b"NOTSET"), given.get("ceil_mode", 0)
    places = []
    for axis, size in enumerate(sizes):
        span = (kernel[axis] - 1) * dilation[axis] + 1
        if auto.startswith(b"SAME"):
            count = math.ceil(size / stride[axis])
            pad = max((count - 1) * stride[axis] + span - size, 0)
            pads[axis] = pad // 2 + (pad % 2 if auto == b"SAME_LOWER" else 0)
            pads[rank + axis] = pad - pads[axis]
        elif auto == b"VALID":
            count = math.ceil((size - span + 1) / stride[axis])
        else:
            length = (size + pads[axis] + pads[rank + axis] - span) / stride[axis] + 1
            count = math.ceil(length) if up else math.floor(length)
            if up and (count - 1) * stride[axis] >= size + pads[axis]:
                count -= 1
        places.append(
            [
                [start * stride[axis] - pads[axis] + step * dilation[axis]
                 for step in range(kernel[axis])]
                for start in range(count)
            ]
        )  # fmt: skip
    result = np.zeros((*x.shape[:2], *(len(starts) for starts in places)), x.dtype)
    for at in itertools.product(*(range(len(starts)) for starts in places)):
        window = [starts[index] for starts, index in zip(places, at, strict=True)]
        result[(slice(None), slice(None), *at)] = _one(node, given, x, window, pads)
    return result


def _one(node, given, x, window, pads):
    rank, sizes = len(window), x.shape[2:]
    inside = [[n for n in line if 0 <= n < size] for line, size in zip(window, sizes, strict=True)]
    values = x[(slice(None), slice(None), *np.ix_(*inside))].reshape(*x.shape[:2], -1)
    if node.op_type == "MaxPool":
        return values.max(axis=-1)
    if given.get("count_include_pad", 0):
        count = math.prod(
            sum(-pads[axis] <= n < sizes[axis] + pads[rank + axis] for n in line)
            for axis, line in enumerate(window)
        )
    else:
        count = values.shape[-1]
    return values.sum(axis=-1) / count
