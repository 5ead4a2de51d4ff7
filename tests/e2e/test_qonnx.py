"""Public quantised networks in gateware: the predictions of the reference executor."""

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import IntType
from spintron_nn.converter.quantised import convert_quantised
from spintron_nn.core.mtj_models import MTJConfig
from tests.outside import DATA, mnist_images, mnist_predictions
from tests.spintron_nn.converter.onnx_front.graphs import Graph, reference

FRAMES = 100


@pytest.mark.toolchain
@pytest.mark.parametrize("name", ["TFC_1W2A", "TFC_2W2A"])
def test_predictions_in_gateware(name, require_tool):
    """The streams of the emitted hardware equal the golden integers, whose class is predicted."""
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    x = mnist_images()[:FRAMES]
    made = convert_quantised(
        MTJConfig(),
        DATA / "qonnx" / f"{name}.onnx",
        input_type=IntType(8),
        input_scale=0.00392156862745098,
    )
    assert (made.network.run(x).argmax(axis=1) == mnist_predictions(name)[:FRAMES]).all()
    report = verify(design_of(map_network(made.network, GENERIC), "q"), made.network, x, engine)
    assert report.vectors == FRAMES
    assert report.mismatches == 0, report.first


@pytest.mark.toolchain
def test_a_residual_network_in_gateware(tmp_path, require_tool):
    """A convolution, what it is added to, and a function that does not rise: values and streams."""
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    rng = np.random.default_rng(3)
    graph = Graph((2, 3, 3)).quant(1.0, 2.0, signed=0, narrow=0)
    skip = graph.last
    weight = graph.weight(rng.normal(0, 1, (2, 2, 3, 3)))
    graph.add("Conv", weight, kernel_shape=[3, 3], pads=[1] * 4).quant(0.7, 3.0)
    graph.join("Add", graph.last, skip).add("Relu").quant(0.9, 3.0, signed=0)
    graph.add("Mul", graph.constant(0.5)).add("Gelu").quant(0.25, 3.0)
    path = graph.save(tmp_path / "m.onnx", opset=20)
    made = convert_quantised(MTJConfig(), path, input_type=IntType(2), dac_bits=2)
    x = rng.integers(0, 4, (12, 2, 3, 3))
    expected = reference(graph, x.astype(np.float32), opset=20)
    np.testing.assert_array_equal(made.run(x), expected)
    report = verify(design_of(map_network(made.network, GENERIC), "q"), made.network, x, engine)
    assert report.vectors == 12
    assert report.mismatches == 0, report.first
