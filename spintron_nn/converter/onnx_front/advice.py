"""What to do instead of an operator that is not converted."""

from __future__ import annotations

__all__ = ["advice_for"]

_CONV = "this version converts dense layers: use MatMul or Gemm"
_SCORE = "leave it out, the scores before it have the same largest class"
_ACTIVATION = "use Relu in front of a Quant"
_JOIN = "make the model a plain sequence"
_INTEGER = "export the model with Quant, or with QuantizeLinear and DequantizeLinear"

_ADVICE = {
    **dict.fromkeys(
        ("Conv", "ConvTranspose", "MaxPool", "AveragePool", "GlobalAveragePool"), _CONV
    ),
    **dict.fromkeys(("Softmax", "LogSoftmax", "Hardmax"), _SCORE),
    **dict.fromkeys(
        ("Sigmoid", "Tanh", "Gelu", "Elu", "Selu", "HardSigmoid", "HardSwish", "Softplus", "PRelu",
         "Mish", "Erf", "Exp"),
        _ACTIVATION,
    ),
    **dict.fromkeys(("Concat", "Split", "Sum", "Max", "Min", "Where", "Slice", "Gather"), _JOIN),
    **dict.fromkeys(("If", "Loop", "Scan", "LSTM", "GRU", "RNN"), "unroll it, or " + _JOIN),
    **dict.fromkeys(
        ("QLinearMatMul", "QLinearConv", "MatMulInteger",
         "ConvInteger", "DynamicQuantizeLinear", "Trunc", "FloatQuant"),
        _INTEGER,
    ),
}  # fmt: skip


def advice_for(kind: str) -> str:
    """Return what to do about the operator :py:`kind`."""
    return _ADVICE.get(kind, "use MatMul, Gemm, BatchNormalization, Relu, Quant and reshapes")
