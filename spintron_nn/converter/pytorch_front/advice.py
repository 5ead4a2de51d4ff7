"""What to use instead of an operation of PyTorch that is not converted."""

from __future__ import annotations

__all__ = ["advice_for"]

_NORM = "use nn.BatchNorm1d or nn.BatchNorm2d, then fine-tune"
_ACTIVATION = "use nn.ReLU, nn.SiLU, nn.GELU or nn.Hardswish, then fine-tune"
_SMOOTH = "use mode='nearest' with whole factors"
_RECURRENT = "unroll it into Linear layers with a fixed number of steps"
_QUANTISED = (
    "export the quantised model to ONNX (QONNX or QuantizeLinear), which keeps its integers"
)
_CONTROL = "decide before the export: forward() must compute the same for every input"
_CHOICE = "compute without comparisons: clamp, ReLU or a constant mask to multiply with"
_VOLUME = "use one or two spatial axes"
_ROOT = "fold it into constants, or use exp, sigmoid, tanh or a product"
_RANDOM = "call model.eval() before torch.export, and draw nothing in forward()"

_ADVICE = {
    **dict.fromkeys(
        (
            "layer_norm",
            "native_layer_norm",
            "group_norm",
            "native_group_norm",
            "instance_norm",
            "rms_norm",
            "_fused_rms_norm",
            "local_response_norm",
            "linalg_vector_norm",
            "norm",
            "var",
            "var_mean",
            "std",
        ),
        _NORM,
    ),
    **dict.fromkeys(
        (
            "mish",
            "threshold",
            "hardshrink",
            "softshrink",
            "tanhshrink",
            "softsign",
            "erf",
            "sin",
            "cos",
            "atan",
        ),
        _ACTIVATION,
    ),
    **dict.fromkeys(
        (
            "upsample_bilinear2d",
            "upsample_linear1d",
            "upsample_bicubic2d",
            "_upsample_bilinear2d_aa",
            "_upsample_bicubic2d_aa",
            "grid_sampler",
            "grid_sampler_2d",
        ),
        _SMOOTH,
    ),
    **dict.fromkeys(("lstm", "gru", "rnn_tanh", "rnn_relu", "lstm_cell", "gru_cell"), _RECURRENT),
    **dict.fromkeys(
        (
            "quantize_per_tensor",
            "quantize_per_channel",
            "dequantize_per_tensor",
            "dequantize_per_channel",
            "fake_quantize_per_tensor_affine",
            "fake_quantize_per_channel_affine",
            "fake_quantize_per_tensor_affine_cachemask",
            "fake_quantize_per_channel_affine_cachemask",
        ),
        _QUANTISED,
    ),
    **dict.fromkeys(
        (
            "cond",
            "while_loop",
            "scan",
            "map_impl",
            "item",
            "_local_scalar_dense",
            "nonzero",
            "masked_select",
            "unique",
            "_unique2",
            "is_nonzero",
        ),
        _CONTROL,
    ),
    **dict.fromkeys(
        (
            "eq",
            "ne",
            "lt",
            "le",
            "ge",
            "logical_and",
            "logical_or",
            "logical_not",
            "masked_fill",
            "sign",
            "floor",
            "ceil",
            "round",
            "trunc",
            "remainder",
            "fmod",
            "heaviside",
        ),
        _CHOICE,
    ),
    **dict.fromkeys(
        (
            "conv_transpose3d",
            "max_pool3d",
            "max_pool3d_with_indices",
            "avg_pool3d",
            "adaptive_avg_pool3d",
            "_adaptive_avg_pool3d",
            "adaptive_max_pool3d",
            "upsample_nearest3d",
            "reflection_pad3d",
            "replication_pad3d",
        ),
        _VOLUME,
    ),
    **dict.fromkeys(("log", "log2", "log10", "sqrt", "rsqrt", "reciprocal", "cumsum"), _ROOT),
    **dict.fromkeys(("rand", "randn", "rand_like", "randn_like", "bernoulli", "randint"), _RANDOM),
    **dict.fromkeys(
        ("gather", "scatter", "scatter_add", "index_put", "_unsafe_index_put", "take"),
        "pick places with constants: slices, or index_select",
    ),
    **dict.fromkeys(
        ("fractional_max_pool2d", "max_unpool2d", "unfold", "im2col", "fold", "col2im"),
        "use nn.MaxPool2d, nn.AvgPool2d, nn.Upsample or nn.Conv2d",
    ),
    **dict.fromkeys(
        ("empty", "empty_like", "new_empty", "expm1", "rrelu_with_noise_functional"),
        "convert the program as torch.export.export gives it, without run_decompositions()",
    ),
    "einsum": "write it with nn.Linear, torch.matmul with a constant matrix, permute and sum",
    "embedding": "give the embedded vectors as the input",
    "embedding_bag": "give the embedded vectors as the input",
    "bilinear": "use nn.Linear on the concatenated inputs",
    "lp_pool2d": "use nn.MaxPool2d or nn.AvgPool2d",
    **dict.fromkeys(
        ("scaled_dot_product_attention", "baddbmm", "_native_multi_head_attention"),
        "attention multiplies two computed matrices, and a crossbar holds constant ones: use "
        "convolutions and Linear layers",
    ),
    "wrap_with_set_grad_enabled": "leave torch.no_grad() out of forward()",
    "wrap_with_autocast": "leave torch.autocast out of forward()",
}


def advice_for(operation: str) -> str:
    """Return what to do about an ATen operation, named without its namespace and overload."""
    return _ADVICE.get(
        operation, "use convolutions, Linear, BatchNorm, pools, activations, sums and products"
    )
