"""Random graphs: the model computes exactly what the reference does, or the graph is refused."""

import collections

import numpy as np
import pytest

from spintron_ir import ConversionError
from spintron_nn.converter.lower import check
from spintron_nn.converter.onnx_float import load_real_onnx
from spintron_nn.converter.onnx_float.operators import HANDLERS
from tests.spintron_nn.converter.onnx_float.graphs import random_graph
from tests.spintron_nn.converter.onnx_float.lowered_cases import lowered_differences
from tests.spintron_nn.converter.real_graph import run_model

REASONS = (
    "along the batch axis",
    "without the batch axis first",
    "moves the batch axis",
    "decides: use a whole factor",
    "does not depend on an input",
    "reaches no output",
    "frames as one",
    "has windows of padding alone",
    "spatial axes are converted",
    "has a kernel that spans",
    "a shape with a fixed batch",
    "multiplies the shape (batch,)",
    "pieces of an axis, more than",
    "is converted as a part of GELU alone",
    "values: use 0..",
    "in the padding, which opset 22 drops",
)
"""Why a graph may be refused."""


def codes(values, like):
    return np.round(values / (float(np.abs(like).max(initial=0)) / 200.3 or 1.0))


def compared(graph, outputs, model):
    feeds = {
        port: graph.values[name].reshape(graph.batch, *shape)
        for name, (port, shape) in zip(graph.inputs, model.inputs.items(), strict=True)
    }
    results = run_model(model, feeds)
    assert list(results) == outputs
    for name in outputs:
        wanted = graph.values[name]
        found = results[name]
        assert found.size == wanted.size
        found = found.reshape(wanted.shape)
        if graph.exact:
            assert np.array_equal(found, wanted), name
        else:
            assert np.array_equal(codes(found, wanted), codes(wanted, wanted)), name


@pytest.mark.parametrize("block", range(6))
def test_models_compute_what_the_reference_does(block, tmp_path):
    converted, unknown = 0, []
    for seed in range(block * 60, block * 60 + 60):
        graph, outputs = random_graph(seed)
        try:
            model = load_real_onnx(graph.save(tmp_path / "m.onnx", *outputs))
        except ConversionError as error:
            unknown += [
                (seed, text) for text in error.findings if not any(why in text for why in REASONS)
            ]
            continue
        converted += 1
        compared(graph, outputs, model)
    assert unknown == []
    assert converted > 40


@pytest.mark.parametrize("block", range(2))
def test_every_code_of_a_network_is_that_of_its_operations(block, tmp_path):
    differ, placed = [], 0
    for seed in range(block * 60, block * 60 + 60):
        graph, outputs = random_graph(seed)
        try:
            model = load_real_onnx(graph.save(tmp_path / "m.onnx", *outputs))
        except ConversionError:
            continue
        if not check(model):
            placed += 1
            differ += lowered_differences(str(seed), model)
    assert differ == []
    assert placed > 35


@pytest.mark.parametrize("seed", [1017, 4018])
def test_wide_values_are_narrowed_before_they_meet_others(seed, tmp_path):
    """The largest of wide scores, in a function and in a sum."""
    graph, outputs = random_graph(seed)
    model = load_real_onnx(graph.save(tmp_path / "m.onnx", *outputs))
    assert not check(model)
    assert lowered_differences(str(seed), model) == []


def test_every_operator_occurs():
    found = collections.Counter(
        node.op_type for seed in range(360) for node in random_graph(seed)[0].nodes
    )
    assert set(HANDLERS) - set(found) == {
        "CastLike",  # made of Cast
        "Exp",  # grows beyond what is compared
        "Swish",  # of opset 24
        "Upsample",  # of opset 9
    }
