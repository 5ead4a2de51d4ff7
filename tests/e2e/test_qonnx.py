"""Public quantised networks in gateware: the predictions of the reference executor."""

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
