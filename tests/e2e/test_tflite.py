"""A TFLite file through every stage: the emitted Verilog gives the bytes of TFLite's kernels."""

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_nn.converter.quantised import place
from spintron_nn.converter.settings import Settings
from spintron_nn.converter.tflite_front import load_tflite
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from tests.spintron_nn.converter.tflite_front.models import reference
from tests.spintron_nn.converter.tflite_front.random_models import Random


def convolutions(model):
    """A branch that is added again, a pool that is smaller along the border, shares of two."""
    image = model.source((1, 3, 3, 2))
    first = model.conv(image, 2, largest=2)
    second = model.depthwise(first)
    while second.shape != first.shape:
        second = model.depthwise(first)
    joined = model.join("ADD", first, second)
    pooled = model.same("AVERAGE_POOL_2D", joined, joined.shape, (), "Pool2DOptions", padding=0,
                        strideH=1, strideW=1, filterHeight=2, filterWidth=2)  # fmt: skip
    flat = model.reshape(pooled)
    return model.softmax(model.dense(flat))


def tables(model):
    """A mean, a slice, a product with a constant and a function of single codes."""
    image = model.source((1, 3, 4, 2))
    scaled = model.join("MUL", image, constant=(2,))
    wide = model.concatenation([scaled, model.same("RESHAPE", scaled, scaled.shape, [
        model.numbers(scaled.shape)])], 1)  # fmt: skip
    return model.table("HARD_SWISH", model.mean(model.slice(wide)))


@pytest.mark.toolchain
@pytest.mark.parametrize(("network", "seed"), [(convolutions, 3), (tables, 36)])
def test_every_byte_of_the_hardware(network, seed, tmp_path, require_tool):
    simulator = get_engine("cxxrtl")
    require_tool("cxxrtl", simulator.unavailable())
    model = Random(seed)
    content = model.pack([network(model).index])
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    technology = MTJConfig(levels=16, cell_bits=8)  # two slices a weight
    settings = Settings(
        chip=Chip(technology, seed=0, ideal=True),
        quantization_bits=technology.level_bits,
        crossbar_size=32,
        adc_bits=None,
    )
    net = place(load_tflite(path), settings).network
    frames = model.frames(3)
    plan = map_network(net, GENERIC, body="folded")
    report = verify(design_of(plan, "tflite"), net, frames[0], simulator)
    assert (report.vectors, report.mismatches) == (3, 0), report.first
    assert report.latency == plan.latency
    found = net.run(frames[0])
    assert len(np.unique(found)) > 5
    np.testing.assert_array_equal(found, reference(content, frames)[0].reshape(found.shape))
