"""What to do instead of an operator that is not converted."""

from __future__ import annotations

__all__ = ["advice_for"]

_ADVICE = {
    "TRANSPOSE_CONV": "use RESIZE_NEAREST_NEIGHBOR and CONV_2D",
    "CONV_3D": "use CONV_2D on each slice",
    "RESIZE_BILINEAR": "use RESIZE_NEAREST_NEIGHBOR",
    "LOG_SOFTMAX": "leave it out, the scores before it have the same largest class",
    "L2_NORMALIZATION": "leave it out, and normalise on the host",
    "DIV": "multiply by the inverse of a constant with MUL",
    "BATCH_MATMUL": "use FULLY_CONNECTED with constant weights",
    "SUM": "use MEAN, with another scale of its output",
    "REDUCE_MIN": "use REDUCE_MAX of the negative",
    "CAST": "leave it out: types are those of the codes",
    "GELU": "use HARD_SWISH",
    "ELU": "use LEAKY_RELU",
    "EXP": "use LOGISTIC",
    "MAXIMUM": "use RELU",
    "MINIMUM": "use RELU6",
    **dict.fromkeys(
        ("LSTM", "RNN", "SVDF", "UNIDIRECTIONAL_SEQUENCE_LSTM", "UNIDIRECTIONAL_SEQUENCE_RNN",
         "BIDIRECTIONAL_SEQUENCE_LSTM", "BIDIRECTIONAL_SEQUENCE_RNN", "WHILE", "IF", "CALL"),
        "unroll it into FULLY_CONNECTED layers",
    ),
}  # fmt: skip


def advice_for(kind: str) -> str:
    """Return what to do about the operator :py:`kind`."""
    if kind.startswith("CUSTOM"):
        return "export the model with built-in operators"
    return _ADVICE.get(kind, "use convolutions, FULLY_CONNECTED, pools, ADD and MUL of int8")
