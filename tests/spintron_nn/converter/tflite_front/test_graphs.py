"""Random networks on an ideal chip against TFLite's reference kernels, every byte."""

from dataclasses import replace

import numpy as np
import pytest

from spintron_ir import Dense, IntType
from spintron_nn.converter.quantised import place
from spintron_nn.converter.settings import Settings
from spintron_nn.converter.tflite_front import load_tflite
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from tests.outside import DATA
from tests.spintron_nn.converter.tflite_front.models import Model, reference
from tests.spintron_nn.converter.tflite_front.random_models import Random


def placed(content, tmp_path, technology=None, crossbar_size=64, **given):
    """The network of a file on an ideal chip."""
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    technology = technology or MTJConfig()
    settings = Settings(
        chip=Chip(technology, seed=0, ideal=True),
        quantization_bits=technology.level_bits,
        crossbar_size=crossbar_size,
        adc_bits=None,
    )
    return place(load_tflite(path, **given), settings).network


def outputs_of(network, frames):
    """Outputs in their order."""
    found = network.run(
        {port.name: values for port, values in zip(network.inputs, frames, strict=True)}
    )
    found = found if isinstance(found, dict) else {network.outputs[0].name: found}
    return [found[output.name] for output in network.outputs]


def check(content, frames, tmp_path, **given):
    network = placed(content, tmp_path, **given)
    for found, wanted in zip(outputs_of(network, frames), reference(content, frames), strict=True):
        np.testing.assert_array_equal(found, wanted.reshape(found.shape))
    return network


@pytest.mark.parametrize("seed", range(60))
def test_random_networks(seed, tmp_path):
    model = Random([seed, 10], "uint8" if seed % 6 == 5 else "int8")
    outputs = model.network()
    technology = MTJConfig(levels=1 << model.pick(1, 4), cell_bits=8)
    check(model.pack([output.index for output in outputs]), model.frames(4), tmp_path,
          technology=technology, crossbar_size=model.pick(8, 64))  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_real_inputs_and_outputs(seed, tmp_path):
    """float32 goes in and comes out: the integers of the command line, and codes with a line."""
    model = Random([seed, 11])
    shape = (1, 4, 5, 2)
    real = model.input(shape, "float32")
    first = model.quantised(shape, 0.02 * (seed + 1))
    model.add("QUANTIZE", [real], [first.index])
    last = model.conv(first)
    back = model.tensor(last.shape, "float32")
    model.add("DEQUANTIZE", [last.index], [back])
    content = model.pack([back])
    kind = [IntType(8), IntType(8, signed=True), IntType(12, signed=True), IntType(16)][seed]
    scale = 2.5 / (kind.high - kind.low)
    frames = [model.rng.integers(kind.low, kind.high + 1, (3, *shape[1:]))]
    frames[0][0, 0, 0] = kind.low
    network = placed(content, tmp_path, input_type=kind, input_scale=scale)
    (found,) = outputs_of(network, frames)
    (wanted,) = reference(content, [(frames[0] * scale).astype(np.float32)])
    values = (last.scale * (found - last.zero)).astype(np.float32)
    np.testing.assert_array_equal(values, wanted.reshape(values.shape))


@pytest.mark.parametrize("last", [True, False])
def test_class_and_the_shape_that_exporters_compute(last, tmp_path):
    """SHAPE, STRIDED_SLICE and PACK before a RESHAPE are folded; ARG_MAX ends the network."""
    model = Random([last, 12])
    image = model.source((1, 3, 2, 4))
    sizes = model.tensor((4,), "int32")
    model.add("SHAPE", [image.index], [sizes], "ShapeOptions", outType=2)
    batch = model.tensor((), "int32")
    rest = [model.numbers([part]) for part in (0, 1, 1)]
    model.add("STRIDED_SLICE", [sizes, *rest], [batch], "StridedSliceOptions", shrinkAxisMask=1)
    shape = model.tensor((2,), "int32")
    model.add("PACK", [batch, model.numbers(24)], [shape], "PackOptions", valuesCount=2)
    flat = model.quantised((1, 24), image.scale, image.zero)
    model.add("RESHAPE", [image.index, shape], [flat.index], "ReshapeOptions")
    scores = model.dense(flat._replace(shape=(1, 24)))
    if scores.shape[0] > 1 or not last:
        wide = (1, int(np.prod(scores.shape)))
        scores = model.same("RESHAPE", scores, wide, [model.numbers(wide)])
    index = model.tensor((1,), "int64")
    model.add("ARG_MAX", [scores.index, model.numbers(1)], [index], "ArgMaxOptions",
              outputType=4)  # fmt: skip
    network = check(model.pack([index]), model.frames(), tmp_path)
    assert network.outputs[0].name == "class"


def test_a_layer_of_a_real_network(tmp_path):
    """Weights, bias and input of a real network, in a file; its scales are rounded to float32."""
    with np.load(DATA / "tflite_conv" / "conv_05.npz", allow_pickle=False) as file:
        given = {name: file[name] for name in file.files}
    shape, kernel = tuple(given["input_dims"]), tuple(given["filter_dims"])
    model = Model()
    image = model.input(shape, scale=1.0, zero=-int(given["input_offset"]))
    scales = np.ldexp(given["output_multipliers"].astype(float), given["output_shifts"] - 31)
    weight = model.tensor(kernel, "int8", scales, 0, given["filter"])
    bias = model.tensor((16,), "int32", scales, 0, given["output_biases"])
    out = model.tensor((1, 22, 160, 16), "int8", 1.0, int(given["output_offset"]))
    model.add("CONV_2D", [image, weight, bias], [out], "Conv2DOptions", padding=1, strideH=1,
              strideW=1, dilationHFactor=1, dilationWFactor=1)  # fmt: skip
    frames = [given["input"].reshape(shape)]
    network = check(model.pack([out]), frames, tmp_path)
    # The multipliers of the network have 31 bits, quotients of float32 scales 24.
    layers = {node.name: node.layer for node in network.nodes}
    (dense,) = (name for name, layer in layers.items() if isinstance(layer, Dense))
    near = layers[dense].requantise
    assert np.abs(near.multiplier - given["output_multipliers"].astype(np.int64)).max() <= 64
    exact = replace(near, multiplier=given["output_multipliers"], shift=given["output_shifts"])
    layers[dense] = replace(layers[dense], requantise=exact)
    nodes = tuple(replace(node, layer=layers[node.name]) for node in network.nodes)
    whole = replace(network, nodes=nodes)
    found = whole.run(frames[0])
    np.testing.assert_array_equal(found, given["expected_output"].reshape(found.shape))
