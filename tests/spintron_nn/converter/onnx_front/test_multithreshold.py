"""MultiThreshold: counts by hand, and what is refused."""

import re

import numpy as np
import pytest

from spintron_ir import ConversionError, IntType
from spintron_nn.converter.onnx_front import load_onnx
from spintron_nn.converter.quantised import convert_quantised
from spintron_nn.converter.scores import real_outputs
from spintron_nn.core.mtj_models import MTJConfig
from tests.spintron_nn.converter.onnx_front.graphs import Graph

FINN = "finn.custom_op.general"


def graph_of(limits, **attributes):
    graph = Graph((2,))
    graph.add("MatMul", graph.weight([[1.0, -1], [1, 2]], 0.5, 4.0))
    return graph.add("MultiThreshold", graph.constant(limits), domain=FINN, **attributes)


@pytest.mark.parametrize(
    ("attributes", "value"),
    [
        ({}, lambda count: count),
        ({"out_scale": 2.0, "out_bias": -1.0}, lambda count: 2 * count - 1),
        ({"out_scale": 0.25, "out_bias": -0.5}, lambda count: 0.25 * count - 0.5),
    ],
)
@pytest.mark.parametrize("limits", [[[0.5, 3.0, 7.25]], [[1.0, 2.5, 6.0], [-2.0, 9.0, 9.0]]])
def test_counts(limits, attributes, value, tmp_path):
    path = graph_of(limits, **attributes).save(tmp_path / "m.onnx")
    made = convert_quantised(MTJConfig(), path, input_type=IntType(4))
    x = np.stack(np.meshgrid(range(16), range(16)), axis=-1).reshape(-1, 2)
    sums = x @ np.array([[1, -1], [1, 2]])
    count = (sums[:, :, None] >= np.array(limits)).sum(axis=-1)
    found = real_outputs(made.network, {"scores": made.network.run(x)})["scores"]
    np.testing.assert_array_equal(found, value(count))


@pytest.mark.parametrize(("layout", "shape"), [("NCHW", (2, 3, 3)), ("NHWC", (3, 3, 2))])
def test_channels_first_or_last(layout, shape, tmp_path):
    limits = np.array([[3.0, 9.0], [-1.0, 12.0]])
    graph = Graph(shape)
    graph.add("MultiThreshold", graph.constant(limits), domain=FINN, data_layout=layout)
    made = convert_quantised(MTJConfig(), graph.save(tmp_path / "m.onnx"), input_type=IntType(4))
    x = np.random.default_rng(0).integers(0, 16, (50, *shape))
    form = (2, 1, 1) if layout == "NCHW" else (2,)
    count = sum((x >= limits[:, n].reshape(form)).astype(int) for n in range(2))
    np.testing.assert_array_equal(made.network.run(x), count)


@pytest.mark.parametrize(
    ("limits", "attributes", "message"),
    [
        (
            [[1.0], [2], [3]],
            {},
            "its thresholds of shape (3, 1) do not fit values of shape (1, 2): give (channels, "
            "thresholds) or (1, thresholds)",
        ),
        ([[1.0] * 256], {}, "has 256 thresholds, and at most 255 are converted: use 8 bits"),
        (
            [[1.0]],
            {"out_scale": 0.5, "out_bias": 0.3},
            "gives counts times 0.5 plus 0.3, which are no integers times a scale: make the bias a "
            "multiple of the scale",
        ),
    ],
)
def test_refuses(limits, attributes, message, tmp_path):
    whole = (
        "the model cannot be converted (1 finding): MultiThreshold_2 (MultiThreshold): " + message
    )
    with pytest.raises(ConversionError, match=f"^{re.escape(whole)}$"):
        load_onnx(graph_of(limits, **attributes).save(tmp_path / "m.onnx"))
