"""What to do instead of an operator that is not converted."""

from __future__ import annotations

__all__ = ["advice_for"]

_CONV = "use Resize (nearest) and Conv"
_POOL = "use MaxPool or AveragePool"
_SCORE = "leave it out, the scores before it have the same largest class"
_JOIN = "join two tensors at a time with Add, Sub, Mul or Concat"
_NORM = "use BatchNormalization"
_UNROLL = "unroll it, or make the model a plain sequence"
_INTEGER = "export the model with Quant, or with QuantizeLinear and DequantizeLinear"
_STATIC = "quantise the model with fixed scales"

_ADVICE = {
    **dict.fromkeys(("ConvTranspose", "DeformConv"), _CONV),
    **dict.fromkeys(("LpPool", "GlobalLpPool", "MaxUnpool", "MaxRoiPool", "RoiAlign"), _POOL),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Hardmax"), _SCORE),
    **dict.fromkeys(("Sum", "Mean", "Where", "Einsum"), _JOIN),
    **dict.fromkeys(
        ("LayerNormalization", "InstanceNormalization", "GroupNormalization", "LRN",
         "LpNormalization", "RMSNormalization"),
        _NORM,
    ),
    **dict.fromkeys(("If", "Loop", "Scan", "LSTM", "GRU", "RNN"), _UNROLL),
    **dict.fromkeys(("DynamicQuantizeLinear",), _STATIC),
    **dict.fromkeys(("FloatQuant", "QLinearAdd", "QLinearConcat", "QGemm", "QLinearSigmoid",
                     "QLinearGlobalAveragePool", "QLinearAveragePool", "QLinearLeakyRelu",
                     "QLinearMul", "QLinearSoftmax"), _INTEGER),
}  # fmt: skip


def advice_for(kind: str) -> str:
    """Return what to do about the operator :py:`kind`.

    >>> advice_for("ConvTranspose")
    'use Resize (nearest) and Conv'
    """
    return _ADVICE.get(kind, "use the operators that docs/onnx.md lists")
