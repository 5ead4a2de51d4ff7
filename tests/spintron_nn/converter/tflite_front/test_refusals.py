"""Operators that are refused: what stands in the way, and the way out."""

import numpy as np
import pytest

from spintron_ir import ConversionError
from spintron_nn.converter.tflite_front import load_tflite
from tests.spintron_nn.converter.tflite_front.models import Model

CONV = {"options": "Conv2DOptions", "padding": 1, "strideH": 1, "strideW": 1,
        "dilationHFactor": 1, "dilationWFactor": 1}  # fmt: skip
POOL = {"options": "Pool2DOptions", "padding": 1, "strideH": 1, "strideW": 1,
        "filterHeight": 2, "filterWidth": 2}  # fmt: skip


def findings(content, tmp_path, **given):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    with pytest.raises(ConversionError) as caught:
        load_tflite(path, **given)
    return list(caught.value.findings)


class Small(Model):
    """A model with an image of 4 x 4 x 2; operators give an output of its scale."""

    def __init__(self, kind="int8", scale=0.5, zero=3, shape=(1, 4, 4, 2)):
        super().__init__()
        self.x = self.input(shape, kind, scale, zero)

    def weight(self, shape=(3, 2, 2, 2), kind="int8", scale=0.25, zero=0, axis=0):
        return self.tensor(shape, kind, scale, zero, np.ones(shape), axis)

    def out(self, shape=(1, 3, 3, 3), kind="int8", scale=0.5, zero=3):
        return self.tensor(shape, kind, scale, zero, name="y")

    def give(self, kind, inputs=(), shape=(1, 4, 4, 2), out=None, **fields):
        out = self.out(shape) if out is None else out
        return self.pack([self.add(kind, [self.x, *inputs], [out], **fields)])


def conv(weight=None, bias=None, out=None, shape=(1, 4, 4, 2), kind="int8", **fields):
    m = Small(kind, shape=shape)
    weight = m.weight(**(weight or {}))
    inputs = [weight] if bias is None else [weight, bias(m)]
    out = m.out(**(out or {"kind": kind}))
    return m.give("CONV_2D", inputs, out=out, **{**CONV, **fields})


def dense(shape=(3, 32), weight=None, **fields):
    m = Small()
    return m.give("FULLY_CONNECTED", [m.weight(shape, **(weight or {}))], (1, 3),
                  options="FullyConnectedOptions", **fields)  # fmt: skip


def unary(kind, out=None, inputs=(), shape=(1, 4, 4, 2), **fields):
    m = Small(shape=shape)
    inputs = [m.numbers(part) for part in inputs]
    return m.give(kind, inputs, out=m.out(**{"shape": shape, **(out or {})}), **fields)


def pair(kind, second, out=None, **fields):
    m = Small()
    second = second(m)
    return m.give(kind, [second], out=m.out(**{"shape": (1, 4, 4, 2), **(out or {})}),
                  options=f"{kind.title()}Options", **fields)  # fmt: skip


def concatenation(second, axis=3, **fields):
    m = Small()
    return m.give("CONCATENATION", [second(m)], (1, 4, 4, 4), options="ConcatenationOptions",
                  axis=axis, **fields)  # fmt: skip


AGAIN = "export the model again"
OPERATORS = {
    "activation": (
        conv(fusedActivationFunction=4),
        "y (CONV_2D): has the fused activation 4: use ReLU or ReLU6",
    ),
    "rank": (
        conv(shape=(1, 4, 8)),
        "y (CONV_2D): takes the shape (1, 4, 8), not (1, height, width, channels)",
    ),
    "channels": (
        conv(weight={"shape": (3, 2, 2, 5)}),
        "y (CONV_2D): has weights (3, 2, 2, 5) for 2 channels: they do not fit",
    ),
    "kernel": (
        conv(weight={"shape": (3, 5, 2, 2)}),
        "y (CONV_2D): Window: the kernel must fit the padded image, which is 4 high, but reaches "
        "over 5: use a smaller kernel or dilation, or pad",
    ),
    "weights of floats": (
        conv(weight={"kind": "float32"}),
        "y (CONV_2D): has weights of type float32 for int8: quantise the model to int8",
    ),
    "weights of another type": (
        conv(weight={"kind": "uint8"}),
        "y (CONV_2D): has weights of type uint8 for int8: quantise the model to int8",
    ),
    "scales": (
        conv(weight={"scale": [0.1, 0.2]}),
        "y (CONV_2D): has 2 scales along axis 0 of its weights, not one or 3 along axis 0: "
        + AGAIN,
    ),
    "axis": (
        conv(weight={"scale": [0.1, 0.2, 0.3], "axis": 1}),
        "y (CONV_2D): has 3 scales along axis 1 of its weights, not one or 3 along axis 0: "
        + AGAIN,
    ),
    "zero point": (
        conv(weight={"zero": 1}),
        "y (CONV_2D): has int8 weights with a zero point, which TFLite leaves out: use zero",
    ),
    "types": (conv(out={"kind": "uint8"}), "y (CONV_2D): turns int8 into uint8: use one type"),
    "int16": (
        conv(out={"kind": "int16"}),
        "y (CONV_2D): has 'y' of type int16, and activations of int8 and uint8 are converted: "
        "quantise the whole model to int8",
    ),
    "scales of activations": (
        conv(out={"scale": [0.1, 0.2, 0.3]}),
        "y (CONV_2D): has 'y' with 3 scales, and activations need one: quantise the model per "
        "tensor there",
    ),
    "zero point of activations": (
        conv(out={"zero": 128}),
        "y (CONV_2D): has 'y' with the zero point 128, which is no int8",
    ),
    "bias": (
        conv(bias=lambda m: m.numbers([1, 2])),
        f"y (CONV_2D): needs a constant bias of 3 values: {AGAIN}",
    ),
    "bias of int64": (
        conv(bias=lambda m: m.numbers([1, 2, 3], "int64")),
        "y (CONV_2D): has a bias of type int64, not int32: quantise it",
    ),
    "large bias": (
        conv(bias=lambda m: m.numbers([-(1 << 31), 2, 3])),
        "y (CONV_2D): has sums beyond 32 bits: use smaller biases",
    ),
    "large scale": (
        conv(out={"scale": 1e-20}),
        "y (CONV_2D): scales by 1.25e+19, beyond 2**30: check the scales of its tensors",
    ),
    "left shift": (
        conv(out={"scale": 1e-8}),
        "y (CONV_2D): TFLite: accumulators shifted left must stay below 2**31, where TFLite's own "
        "are defined, not reach 17582522368: split the layer, or use a smaller left shift",
    ),
    "weights from the input": (
        Small().give("CONV_2D", [0], **CONV),
        "y (CONV_2D): takes weights that depend on the input: fold them into constants",
    ),
    "rows": (
        dense((3, 5)),
        "y (FULLY_CONNECTED): has weights (3, 5) for 32 values: they do not fit",
    ),
    "kept axes": (
        dense((3, 4), keepNumDims=True),
        "y (FULLY_CONNECTED): has weights (3, 4) for the last axis of (1, 4, 4, 2)",
    ),
    "shuffled": (
        dense(weightsFormat=1),
        f"y (FULLY_CONNECTED): has shuffled weights: {AGAIN} in the default format",
    ),
    "outputs": (
        dense((1 << 15, 2)),
        "y (FULLY_CONNECTED): has 32768 outputs, and at most 16384 are converted: split it",
    ),
    "sums": (
        dense(weight={"scale": 1e9}),
        "y (FULLY_CONNECTED): scales sums beyond 32 bits: check the scales of its tensors",
    ),
    "pool": (
        unary("MAX_POOL_2D", {"zero": 4}, **POOL),
        "y (MAX_POOL_2D): changes scale or zero point, which TFLite's pools do not: keep them",
    ),
    "pool of a vector": (
        unary("AVERAGE_POOL_2D", shape=(1, 32), **POOL),
        "y (AVERAGE_POOL_2D): takes the shape (1, 32), not (1, height, width, channels)",
    ),
    "axes of a mean": (
        unary("MEAN", inputs=[[4]], options="ReducerOptions"),
        f"y (MEAN): reduces the axes [4] of 4: {AGAIN}",
    ),
    "no neighbours": (
        unary("MEAN", inputs=[[1, 3]], options="ReducerOptions"),
        "y (MEAN): reduces the axes [1, 3], which are no neighbours: transpose",
    ),
    "type of a mean": (
        unary("MEAN", {"kind": "uint8"}, [[1]], options="ReducerOptions"),
        "y (MEAN): turns int8 into uint8: use one type",
    ),
    "largest": (
        unary("REDUCE_MAX", {"zero": 4}, [[1]], options="ReducerOptions"),
        "y (REDUCE_MAX): changes scale or zero point, which TFLite's maxima do not: keep them",
    ),
    "places from the input": (
        Small().give("GATHER", [0], options="GatherOptions", axis=1),
        "y (GATHER): takes places that depend on the input: make them constant",
    ),
    "places of no axis": (
        unary("GATHER", inputs=[[1]], options="GatherOptions", axis=4),
        f"y (GATHER): takes 1 places of the axis 4: {AGAIN}",
    ),
    "places beyond": (
        unary("GATHER", inputs=[[4]], options="GatherOptions", axis=1),
        f"y (GATHER): takes places beyond the 4 of its axis: {AGAIN}",
    ),
    "many places": (
        unary(
            "GATHER",
            inputs=[[0] * (1 << 16)],
            shape=(1, 2, 1, 1 << 10),
            options="GatherOptions",
            axis=1,
        ),  # fmt: skip
        "y (GATHER): gives more than 2**24 values: take fewer places",
    ),
    "tile": (
        unary("TILE", inputs=[[1, 1 << 20, 1 << 20, 1]]),
        "y (TILE): repeats 4 axes [1, 1048576, 1048576, 1] times, beyond 2**24 values: repeat less",
    ),
    "small sum": (
        pair("ADD", lambda m: m.x, {"scale": 1e-7}),
        "y (ADD): has an output scale so small that TFLite itself stops: enlarge it",
    ),
    "types of a sum": (
        pair("ADD", lambda m: m.weight((2,), "uint8")),
        "y (ADD): mixes types, where TFLite has int8 alone: use one type",
    ),
    "shapes of a sum": (
        pair("ADD", lambda m: m.input((1, 3, 4, 2), "int8", 0.5)),
        f"y (ADD): contradicts itself: {AGAIN}",
    ),
    "types of parts": (
        concatenation(lambda m: m.input((1, 4, 4, 2), "uint8", 0.5, 3)),
        "y (CONCATENATION): mixes types, where TFLite has int8 alone: use one type",
    ),
    "scales of parts": (
        concatenation(lambda m: m.input((1, 4, 4, 2), "int8", 0.25, 3)),
        "y (CONCATENATION): joins different scales, where TFLite needs equal ones of int8: put a "
        "QUANTIZE before it",
    ),
    "axis of parts": (
        concatenation(lambda m: m.x, 4),
        f"y (CONCATENATION): joins along the axis 4 of 4: {AGAIN}",
    ),
    "batch of parts": (
        concatenation(lambda m: m.x, 0),
        "y (CONCATENATION): joins along the batch: keep it at 1",
    ),
    "constant part": (
        concatenation(lambda m: m.weight((1, 4, 4, 2))),
        "y (CONCATENATION): joins constants: use a PAD or a constant sum",
    ),
    "activation of parts": (
        concatenation(lambda m: m.x, fusedActivationFunction=1),
        "y (CONCATENATION): has a fused activation: put it behind the operator",
    ),
    "logistic": (
        unary("LOGISTIC"),
        "y (LOGISTIC): has the output scale 0.5, where TFLite has 1/256: use that",
    ),
    "relu": (unary("RELU", {"kind": "uint8"}), "y (RELU): turns int8 into uint8: use one type"),
    "scale of relu": (
        unary("RELU", {"scale": 1e-9}),
        "y (RELU): scales by 5e+08, beyond 32 bits: check the scales of its tensors",
    ),
    "slope": (
        unary("LEAKY_RELU", options="LeakyReluOptions", alpha=-1.0),
        "y (LEAKY_RELU): has the slope -1, not one of 0 or more",
    ),
    "hard swish": (
        unary("HARD_SWISH", {"scale": 1e-4}),
        "y (HARD_SWISH): has an output scale so small that TFLite itself stops: enlarge it",
    ),
    "slopes": (
        Small().give("PRELU", [0]),
        "y (PRELU): takes slopes that depend on the input: make them constant",
    ),
    "slopes of positions": (
        (lambda m: m.give("PRELU", [m.weight((4, 4, 2))]))(Small()),
        "y (PRELU): has slopes that differ between positions: share them",
    ),
    "softmax": (
        unary("SOFTMAX", options="SoftmaxOptions", beta=1.0),
        "y (SOFTMAX): has the output scale 0.5 and zero point 3, where TFLite has 1/256 and -128: "
        "use these",
    ),
    "type of softmax": (
        unary("SOFTMAX", {"kind": "uint8"}, options="SoftmaxOptions", beta=1.0),
        "y (SOFTMAX): turns int8 into uint8: use one type",
    ),
    "beta": (
        unary("SOFTMAX", {"scale": 1 / 256, "zero": -128}, options="SoftmaxOptions", beta=1e-9),
        "y (SOFTMAX): has an input scale so small that TFLite itself stops: enlarge it",
    ),
    "dequantise": (unary("DEQUANTIZE"), f"y (DEQUANTIZE): gives no float32: {AGAIN}"),
    "sizes from the input": (
        Small().give("RESHAPE", [0]),
        "y (RESHAPE): takes sizes that depend on the input: export with a fixed shape",
    ),
    "many sizes": (
        unary("RESHAPE", inputs=[[1] * 17]),
        f"y (RESHAPE): takes a list of 17 sizes: {AGAIN}",
    ),
    "reshape": (
        unary("RESHAPE", inputs=[[1, 33]]),
        f"y (RESHAPE): gives 32 values the shape [1, 33]: {AGAIN}",
    ),
    "new axis": (
        unary("EXPAND_DIMS", inputs=[[5]]),
        f"y (EXPAND_DIMS): adds the axis 5 to 4: {AGAIN}",
    ),
    "pad": (unary("PAD", inputs=[[1, 2]]), f"y (PAD): pads 4 axes by [1, 2]: {AGAIN}"),
    "wide pad": (
        unary("PAD", inputs=[[0, 0, 1 << 20, 0, 20, 0, 0, 0]]),
        "y (PAD): gives 50331840 values, and at most 2**24 are converted: pad less",
    ),
    "transpose": (
        unary("TRANSPOSE", inputs=[[0, 1, 1, 2]]),
        f"y (TRANSPOSE): has the order [0, 1, 1, 2] of 4 axes: {AGAIN}",
    ),
    "slice": (
        unary("SLICE", inputs=[[0, 2, 0, 0], [1, 3, 1, 1]]),
        f"y (SLICE): takes 2 to 5 of 4: {AGAIN}",
    ),
    "ellipsis": (
        unary(
            "STRIDED_SLICE", inputs=[[0], [1], [1]], options="StridedSliceOptions", ellipsisMask=1
        ),  # fmt: skip
        "y (STRIDED_SLICE): has an ellipsis or a new axis: write the slice out, then RESHAPE",
    ),
    "stride": (
        unary("STRIDED_SLICE", inputs=[[0], [1], [0]], options="StridedSliceOptions"),
        f"y (STRIDED_SLICE): slices 4 axes by [0]: {AGAIN}",
    ),
    "nothing left": (
        unary("STRIDED_SLICE", inputs=[[0, 2], [1, 2], [1, 1]], options="StridedSliceOptions"),
        f"y (STRIDED_SLICE): gives 0 values, not 1 to 2**24: {AGAIN}",
    ),
    "resize": (
        unary(
            "RESIZE_NEAREST_NEIGHBOR", inputs=[[0, 4]], options="ResizeNearestNeighborOptions"
        ),  # fmt: skip
        f"y (RESIZE_NEAREST_NEIGHBOR): resizes 4 axes to [0, 4]: {AGAIN}",
    ),
    "wide resize": (
        unary(
            "RESIZE_NEAREST_NEIGHBOR",
            inputs=[[1 << 12, 1 << 12]],
            options="ResizeNearestNeighborOptions",
        ),  # fmt: skip
        "y (RESIZE_NEAREST_NEIGHBOR): resizes to [4096, 4096], beyond 2**24 values: resize less",
    ),
    "blocks": (
        unary("SPACE_TO_DEPTH", options="SpaceToDepthOptions", blockSize=0),
        f"y (SPACE_TO_DEPTH): takes blocks of 0 of 4 axes: {AGAIN}",
    ),
    "uneven blocks": (
        unary("SPACE_TO_DEPTH", options="SpaceToDepthOptions", blockSize=3),
        f"y (SPACE_TO_DEPTH): contradicts itself: {AGAIN}",
    ),
    "class": (
        unary("ARG_MAX", inputs=[3]),
        "y (ARG_MAX): looks along the axis 3, not along all values: flatten first",
    ),
    "transposed": (
        unary("TRANSPOSE_CONV"),
        "y (TRANSPOSE_CONV): is not converted: use RESIZE_NEAREST_NEIGHBOR and CONV_2D",
    ),
    "unknown": (
        unary("SIN"),
        "y (SIN): is not converted: use convolutions, FULLY_CONNECTED, pools, ADD and MUL of int8",
    ),
    "options": (unary("CONV_2D"), f"y (CONV_2D): lacks its Conv2DOptions: {AGAIN}"),
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators(name, tmp_path):
    content, expected = OPERATORS[name]
    assert findings(content, tmp_path) == [expected]
