"""Operators that are converted, by name."""

from __future__ import annotations

from collections.abc import Callable

from spintron_nn.converter.onnx_front.reading import Operation

from . import arranging, beside, functions, matrices, pairs, reducing, resizing, windows
from .build import Builder
from .tensors import Part, Value

__all__ = ["HANDLERS", "INPUTS", "Handler"]

REDUCTIONS = (
    "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceSumSquare",
)  # fmt: skip

Handler = Callable[[Operation, list[Part], Builder, int], Part | tuple[Value, ...]]

HANDLERS: dict[str, Handler] = {
    **dict.fromkeys(functions.PLAIN, functions.apply_plain),
    **dict.fromkeys(functions.OTHERS, functions.function),
    **dict.fromkeys(("Add", "Sub", "Mul", "Div"), pairs.pair),
    **dict.fromkeys(("Max", "Min"), functions.extreme),
    **dict.fromkeys(("Sum", "Mean"), pairs.sum_of),
    **dict.fromkeys(("Cast", "CastLike"), functions.cast),
    **dict.fromkeys(("MaxPool", "AveragePool"), windows.pool),
    **dict.fromkeys(("GlobalMaxPool", "GlobalAveragePool"), windows.global_pool),
    **dict.fromkeys(REDUCTIONS, reducing.reduce),
    **dict.fromkeys(("Softmax", "LogSoftmax"), reducing.softmax),
    **dict.fromkeys(("ArgMax", "ArgMin"), reducing.argmax),
    **dict.fromkeys(("Reshape", "Flatten", "Squeeze", "Unsqueeze", "Identity"), arranging.reshape),
    "BatchNormalization": windows.normalise,
    "Clip": functions.clip,
    "Concat": beside.concatenate,
    "Conv": windows.convolve,
    "DepthToSpace": arranging.depth_to_space,
    "Dropout": functions.dropout,
    "Expand": arranging.expand,
    "Gather": arranging.gather,
    "Gemm": matrices.gemm,
    "MatMul": matrices.matmul,
    "PRelu": functions.prelu,
    "Pad": beside.pad,
    "Pow": pairs.power,
    "Resize": resizing.resize,
    "Slice": arranging.slice_axes,
    "SpaceToDepth": arranging.space_to_depth,
    "Split": arranging.split,
    "Tile": arranging.tile,
    "TopK": reducing.topk,
    "Transpose": arranging.transpose,
    "Upsample": resizing.upsample,
}

INPUTS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("Add", "Sub", "Mul", "Div", "MatMul", "PRelu", "Pow", "Gather", "CastLike",
                     "Expand", "Tile"), (2, 2)),
    **dict.fromkeys(("Max", "Min", "Sum", "Mean", "Concat"), (1, 256)),
    **dict.fromkeys((*REDUCTIONS, "Reshape", "Squeeze",
                     "Unsqueeze", "Split", "TopK", "Upsample"), (1, 2)),
    "BatchNormalization": (5, 5),
    "Clip": (1, 3),
    "Conv": (2, 3),
    "Dropout": (1, 3),
    "Gemm": (2, 3),
    "Pad": (1, 4),
    "Resize": (2, 4),
    "Slice": (1, 5),
}  # fmt: skip
"""Least and most inputs of an operator; one where it is not listed."""
