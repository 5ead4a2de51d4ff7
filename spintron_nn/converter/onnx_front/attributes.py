"""Attributes of operators: any that changes a result and is not known here is refused."""

from __future__ import annotations

from .reading import Operation, Refusal

__all__ = ["check_attributes"]

_WINDOW = "auto_pad dilations kernel_shape pads strides"
_CONV = f"{_WINDOW} group"
_REDUCE = "axes keepdims noop_with_empty_axes"

KNOWN = {
    "ArgMax": "axis keepdims select_last_index",
    "AveragePool": f"{_WINDOW} ceil_mode count_include_pad",
    "BatchNormalization": "epsilon momentum training_mode spatial",
    "Cast": "to saturate round_mode",
    "Celu": "alpha",
    "Clip": "min max",
    "Concat": "axis",
    "Constant": "value value_float value_int value_floats value_ints",
    "Conv": _CONV,
    "ConvInteger": _CONV,
    "DepthToSpace": "blocksize mode",
    "DequantizeLinear": "axis block_size output_dtype",
    "Dropout": "ratio seed",
    "Elu": "alpha",
    "Flatten": "axis",
    "Gather": "axis",
    "Gelu": "approximate",
    "Gemm": "alpha beta transA transB",
    "HardSigmoid": "alpha beta",
    "LeakyRelu": "alpha",
    "MaxPool": f"{_WINDOW} ceil_mode storage_order",
    "MultiThreshold": "out_dtype out_scale out_bias data_layout",
    "Pad": "mode pads paddings value",
    "QLinearConv": _CONV,
    "Quant": "signed narrow rounding_mode",
    "IntQuant": "signed narrow rounding_mode",
    "QuantAvgPool2d": "kernel stride ibits obits signed data_layout",
    "QuantizeLinear": "axis saturate block_size output_dtype precision",
    "ReduceMax": _REDUCE,
    "ReduceMean": _REDUCE,
    "Reshape": "allowzero shape",
    "Resize": "mode nearest_mode coordinate_transformation_mode antialias axes exclude_outside "
    "cubic_coeff_a extrapolation_value keep_aspect_ratio_policy",
    "Selu": "alpha gamma",
    "Shape": "start end",
    "Shrink": "lambd bias",
    "Slice": "axes starts ends",
    "SpaceToDepth": "blocksize",
    "Split": "axis split num_outputs",
    "Squeeze": "axes",
    "Swish": "alpha",
    "ThresholdedRelu": "alpha",
    "TopK": "axis largest sorted k",
    "Transpose": "perm",
    "Trunc": "rounding_mode signed narrow",
    "Unsqueeze": "axes",
    "Upsample": "mode scales",
}

FIXED: dict[str, dict[str, tuple[int | str, ...]]] = {
    "DequantizeLinear": {"output_dtype": (0, 1)},
    "BatchNormalization": {"spatial": (1,)},
    "DepthToSpace": {"mode": ("DCR", "CRD")},
    "Gelu": {"approximate": ("none", "tanh")},
    "QuantizeLinear": {"precision": (0, 1)},
}
"""Values that an attribute may have, of those that are not looked at elsewhere."""


def check_attributes(op: Operation) -> None:
    """Refuse attributes that are not known.

    Raises
    ------
    ValueError
        If there is one; the text says what to do.
    """
    known = KNOWN.get(op.kind, "").split()
    for name, value in op.attributes.items():
        if name not in known:
            raise Refusal(f"has the attribute {name!r}, which is not converted: leave it out")
        allowed = FIXED.get(op.kind, {}).get(name)
        if allowed is not None and value not in allowed:
            raise Refusal(f"has {name} = {value!r}, which is not converted: leave it out")
