"""What to do instead of an operation that cannot be converted."""

from __future__ import annotations

__all__ = ["advice_for"]

_CONV = "convolutions are not converted by this version: use Linear layers"
_POOL = "pooling is not converted by this version: use a strided or smaller input and Linear layers"
_SCORE = "leave it out, the scores before it have the same largest class"
_ACTIVATION = "use nn.ReLU, then fine-tune"
_NORM = "use nn.BatchNorm1d after a Linear layer"
_BRANCH = "branches and skip connections are not converted: make forward() a plain sequence"

_ADVICE = {
    **dict.fromkeys(("conv1d", "conv2d", "conv3d", "convolution", "conv_transpose2d"), _CONV),
    **dict.fromkeys(
        (
            "max_pool1d",
            "max_pool2d",
            "avg_pool1d",
            "avg_pool2d",
            "adaptive_avg_pool2d",
            "mean",
            "_adaptive_avg_pool2d",
            "max_pool2d_with_indices",
            "adaptive_avg_pool1d",
        ),
        _POOL,
    ),
    **dict.fromkeys(("softmax", "log_softmax", "_softmax", "_log_softmax", "argmax"), _SCORE),
    **dict.fromkeys(
        (
            "sigmoid",
            "tanh",
            "gelu",
            "silu",
            "elu",
            "selu",
            "leaky_relu",
            "hardtanh",
            "relu6",
            "hardswish",
            "hardsigmoid",
            "softplus",
            "mish",
            "prelu",
            "_prelu_kernel",
            "clamp",
        ),
        _ACTIVATION,
    ),
    **dict.fromkeys(
        (
            "layer_norm",
            "native_layer_norm",
            "group_norm",
            "native_group_norm",
            "instance_norm",
            "rms_norm",
        ),
        _NORM,
    ),
    **dict.fromkeys(("add", "add_", "sub", "mul", "cat", "stack", "matmul", "bmm"), _BRANCH),
    "scaled_dot_product_attention": "attention is not converted by this version",
    "embedding": "embeddings are not converted by this version: give their vectors as input",
}


def advice_for(operation: str) -> str:
    """Return what to do about an ATen operation, named without its namespace and overload."""
    return _ADVICE.get(operation, "use Linear, BatchNorm1d, ReLU, Dropout and Flatten")
