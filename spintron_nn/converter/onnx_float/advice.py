"""What to do instead of an operator that is not converted."""

from __future__ import annotations

__all__ = ["SAME_SHAPE", "advice_for"]

_FUNCTION = "use Relu, Clip, LeakyRelu, Sigmoid, Tanh, Gelu or HardSwish"
_NORM = "use BatchNormalization"
_LOGIC = "move it behind the network"
_RANDOM = "export the model for inference"
_QUANTISED = "keep the model real or quantise all of it"
_REDUCE = "use ReduceMean, ReduceSum, ReduceMax or ReduceMin"

_FUNCTIONS = (
    "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "Ceil", "Cos", "Cosh", "Floor", "Log",
    "Reciprocal", "Round", "Selu", "Shrink", "Sign", "Sin", "Sinh", "Softsign", "Sqrt", "Tan",
    "ThresholdedRelu", "BitShift", "Mod", "Trilu",
)  # fmt: skip

_NORMS = ("InstanceNormalization", "LRN", "LpNormalization", "LayerNormalization",
          "GroupNormalization", "MeanVarianceNormalization", "RMSNormalization")  # fmt: skip

_ADVICE = {
    **dict.fromkeys(_FUNCTIONS, _FUNCTION),
    "Mish": "use HardSwish, or x * Sigmoid(x)",
    **dict.fromkeys(_NORMS, _NORM),
    "ConvTranspose": "use Resize (nearest), then Conv",
    "DeformConv": "use Conv",
    **dict.fromkeys(("LpPool", "MaxUnpool", "MaxRoiPool", "RoiAlign"),
                    "use MaxPool or AveragePool"),
    "GlobalLpPool": "use GlobalAveragePool",
    "GridSample": "use Resize (nearest)",
    "Hardmax": "use ArgMax",
    **dict.fromkeys(("If", "Loop", "Scan"), "unroll it"),
    **dict.fromkeys(("LSTM", "GRU", "RNN"), "use Conv along the steps, or unroll it into Gemm"),
    **dict.fromkeys(("Attention", "FlexAttention", "LinearAttention", "RotaryEmbedding", "Einsum"),
                    "use Gemm or MatMul with constants"),
    **dict.fromkeys(("CumSum", "CumProd", "Where", "Compress", "NonZero", "OneHot", "Unique",
                     "ScatterND", "ScatterElements", "GatherND", "GatherElements",
                     "NonMaxSuppression", "Equal", "Less", "Greater", "LessOrEqual",
                     "GreaterOrEqual", "And", "Or", "Not", "Xor", "IsNaN", "IsInf"), _LOGIC),
    **dict.fromkeys(("RandomNormal", "RandomUniform", "RandomNormalLike", "RandomUniformLike",
                     "Bernoulli", "Multinomial"), _RANDOM),
    **dict.fromkeys(("QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear", "QLinearConv",
                     "QLinearMatMul", "ConvInteger", "MatMulInteger"), _QUANTISED),
    **dict.fromkeys(("ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd"), _REDUCE),
}  # fmt: skip

SAME_SHAPE = {*_FUNCTIONS, *_NORMS, "Mish", "Hardmax", "CumSum", "CumProd"}
"""Operators whose first result has the shape of their first input: what follows is judged, too."""


def advice_for(kind: str) -> str:
    """Return what to do about the operator :py:`kind`.

    >>> advice_for("ConvTranspose")
    'use Resize (nearest), then Conv'
    """
    return _ADVICE.get(kind, "use an operator of the table in the documentation")
