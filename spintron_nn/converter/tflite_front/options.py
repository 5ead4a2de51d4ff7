"""Attributes of TFLite's operators, read from their tables by name."""

from __future__ import annotations

from typing import Any

import tflite

from .refusal import Refusal

__all__ = ["OPTIONS", "Numbers", "options_of"]

Numbers = dict[str, Any]

_POOL = ("Padding", "StrideH", "StrideW", "FilterHeight", "FilterWidth", "FusedActivationFunction")
_STRIDE = ("Padding", "StrideH", "StrideW", "DilationHFactor", "DilationWFactor")
_ACTIVATION = ("FusedActivationFunction",)

OPTIONS: dict[str, tuple[str, tuple[str, ...]]] = {
    "CONV_2D": ("Conv2DOptions", (*_STRIDE, *_ACTIVATION)),
    "DEPTHWISE_CONV_2D": ("DepthwiseConv2DOptions", (*_STRIDE, *_ACTIVATION, "DepthMultiplier")),
    "FULLY_CONNECTED": (
        "FullyConnectedOptions",
        (*_ACTIVATION, "WeightsFormat", "KeepNumDims"),
    ),
    "AVERAGE_POOL_2D": ("Pool2DOptions", _POOL),
    "MAX_POOL_2D": ("Pool2DOptions", _POOL),
    "ADD": ("AddOptions", _ACTIVATION),
    "SUB": ("SubOptions", _ACTIVATION),
    "MUL": ("MulOptions", _ACTIVATION),
    "CONCATENATION": ("ConcatenationOptions", ("Axis", *_ACTIVATION)),
    "SOFTMAX": ("SoftmaxOptions", ("Beta",)),
    **dict.fromkeys(("MEAN", "REDUCE_MAX"), ("ReducerOptions", ("KeepDims",))),
    "GATHER": ("GatherOptions", ("Axis", "BatchDims")),
    "LEAKY_RELU": ("LeakyReluOptions", ("Alpha",)),
    "RESIZE_NEAREST_NEIGHBOR": (
        "ResizeNearestNeighborOptions",
        ("AlignCorners", "HalfPixelCenters"),
    ),
    "STRIDED_SLICE": (
        "StridedSliceOptions",
        ("BeginMask", "EndMask", "EllipsisMask", "NewAxisMask", "ShrinkAxisMask", "Offset"),
    ),
    "SPLIT": ("SplitOptions", ("NumSplits",)),
    "SPLIT_V": ("SplitVOptions", ("NumSplits",)),
    "PACK": ("PackOptions", ("Axis",)),
    "DEPTH_TO_SPACE": ("DepthToSpaceOptions", ("BlockSize",)),
    "SPACE_TO_DEPTH": ("SpaceToDepthOptions", ("BlockSize",)),
    "MIRROR_PAD": ("MirrorPadOptions", ("Mode",)),
}
"""Table of each operator and the numbers read from it; others have none that count here."""

LISTS = {"RESHAPE": ("ReshapeOptions", "NewShape"), "SQUEEZE": ("SqueezeOptions", "SqueezeDims")}
"""Operators whose table has a list of sizes, or is left out."""


def options_of(kind: str, operator: Any) -> Numbers:
    """Numbers in the options of an operator.

    Parameters
    ----------
    kind : str
        Its name.
    operator : tflite.Operator
        Its table.

    Raises
    ------
    Refusal
        If its table is none of this operator.
    """
    if kind not in OPTIONS and kind not in LISTS:
        return {}
    name, fields = OPTIONS[kind] if kind in OPTIONS else LISTS[kind]
    table = operator.BuiltinOptions()
    if kind in LISTS and table is None:
        return {}
    if operator.BuiltinOptionsType() != getattr(tflite.BuiltinOptions, name) or table is None:
        raise Refusal(f"lacks its {name}: export the model again")
    options = getattr(tflite, name)()
    options.Init(table.Bytes, table.Pos)
    if isinstance(fields, str):
        if not 0 < getattr(options, f"{fields}Length")() <= 8:
            return {}
        return {fields: getattr(options, f"{fields}AsNumpy")().tolist()}
    return {field: getattr(options, field)() for field in fields}
