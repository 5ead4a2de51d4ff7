"""Public quantised networks in gateware: the predictions of the reference executor."""

import gzip
from pathlib import Path

import numpy as np
import pytest

from sim.engines import get_engine
from sim.verify import verify
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import IntType
from spintron_nn.converter.quantised import convert_onnx
from spintron_nn.core.mtj_models import MTJConfig

VECTORS = Path(__file__).parents[3] / "shared" / "vectors"
IMAGES = VECTORS / "mnist" / "t10k-images-idx3-ubyte.gz"
FRAMES = 100


@pytest.mark.toolchain
@pytest.mark.parametrize("name", ["TFC_1W2A", "TFC_2W2A"])
def test_predictions_in_gateware(name, require_tool):
    """The streams of the emitted hardware equal the golden integers, whose class is predicted."""
    engine = get_engine("cxxrtl")
    require_tool("cxxrtl", engine.unavailable())
    require_tool("shared/vectors", None if IMAGES.is_file() else "the folder is absent")
    data = gzip.decompress(IMAGES.read_bytes())
    x = np.frombuffer(data, np.uint8, offset=16).reshape(-1, 1, 28, 28)[:FRAMES]
    made = convert_onnx(
        MTJConfig(),
        VECTORS / "qonnx" / f"{name}.onnx",
        input_type=IntType(8),
        input_scale=0.00392156862745098,
    )
    expected = np.load(VECTORS / "qonnx" / f"{name}_mnist_predictions.npy", allow_pickle=False)
    assert (made.network.run(x).argmax(axis=1) == expected[:FRAMES]).all()
    report = verify(design_of(map_network(made.network, GENERIC), "q"), made.network, x, engine)
    assert report.vectors == FRAMES
    assert report.mismatches == 0, report.first
