"""Outputs that are no codes: scores and classes."""

import numpy as np
import pytest

from spintron_ir import Argmax, ConversionError, Dense, IntType, ParameterError, TopK
from spintron_nn.converter.onnx_front import load_onnx
from spintron_nn.converter.quantised import convert_quantised
from spintron_nn.converter.scores import real_outputs
from spintron_nn.core.mtj_models import MTJConfig
from tests.spintron_nn.converter.onnx_front.graphs import Graph, reference

U4 = IntType(4)
WEIGHTS = [[1.0, -1.0, 0.5], [0.25, 0.5, -0.75]]


def codes(shape=(2,), count=40):
    return np.random.default_rng(1).integers(0, 16, (count, *shape))


def converted(graph, tmp_path, scale=0.5):
    return convert_quantised(
        MTJConfig(), graph.save(tmp_path / "m.onnx"), input_type=U4, input_scale=scale
    )


def dense(scale=0.25):
    graph = Graph((2,))
    return graph.add("MatMul", graph.weight(WEIGHTS, scale, 4.0))


def test_a_bias_in_whole_units_is_added(tmp_path):
    """Units of 1/8: the bias is 4, -2 and 1 of them, and scores of all channels compare."""
    graph = dense()
    graph.add("Add", graph.constant([0.5, -0.25, 0.125]))
    made = converted(graph, tmp_path)
    x = codes()
    expected = reference(graph, (x * 0.5).astype(np.float32))
    result = made.network.run(x)
    found = real_outputs(made.network, {"scores": result})["scores"]
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(result.argmax(axis=1), expected.argmax(axis=1))
    assert made.network.nodes[-1].layer.bias.tolist() == [4, -2, 1]
    assert made.network.outputs[0].scale == 0.125


def test_one_line_for_all_channels_keeps_the_sums(tmp_path):
    """As in a model whose last layer is scaled as a whole: offsets are no whole units."""
    graph = dense()
    graph.add("Mul", graph.constant(0.3)).add("Sub", graph.constant([0.77]))
    made = converted(graph, tmp_path)
    x = codes()
    expected = reference(graph, (x * 0.5).astype(np.float32))
    result = made.network.run(x)
    assert not made.network.nodes[-1].layer.bias.any()
    np.testing.assert_array_equal(result.argmax(axis=1), expected.argmax(axis=1))
    found = real_outputs(made.network, {"scores": result})["scores"]
    np.testing.assert_array_equal(made.run(x * 0.5), found)
    assert made.predict(x * 0.5).tolist() == expected.argmax(axis=1).tolist()
    assert float(np.abs(found - expected).max()) < 1e-6  # rounded in float32 and in float64


def test_a_scale_for_each_channel_is_in_the_real_values(tmp_path):
    graph = Graph((2,))
    graph.add("MatMul", graph.weight(WEIGHTS, [[0.25, 0.5, 0.125]], 4.0))
    made = converted(graph, tmp_path)
    x = codes()
    found = real_outputs(made.network, {"scores": made.network.run(x)})["scores"]
    np.testing.assert_array_equal(found, reference(graph, (x * 0.5).astype(np.float32)))


@pytest.mark.parametrize("kind", ["ArgMax", "ArgMax of two axes", "TopK"])
def test_the_class(kind, tmp_path):
    graph = dense()
    if kind == "TopK":
        graph.add("TopK", graph.constant([1], np.int64), outputs=2)
    else:
        graph.add("ArgMax", axis=-1, keepdims=int(kind == "ArgMax"))
    made = converted(graph, tmp_path)
    assert isinstance(made.network.nodes[-1].layer, Argmax)
    x = codes()
    found = made.network.run(x)
    # Many of these have equal scores; the first of them is the class.
    assert found[:, 0].tolist() == reference(graph, (x * 0.5).astype(np.float32)).ravel().tolist()
    assert [output.name for output in made.network.outputs] == ["class"]
    assert made.predict(x * 0.5).tolist() == found[:, 0].tolist()
    message = "SpintronicModel: the network must have an output 'scores', not class; use predict"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        made.run(x * 0.5)


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize("chip", [None, 4])
def test_the_largest_in_their_order(count, chip, tmp_path):
    graph = dense()
    graph.add("TopK", graph.constant([count], np.int64), outputs=2)
    choices = {} if chip is None else {"chip_seed": chip, "adc_bits": None}
    path = graph.save(tmp_path / "m.onnx")
    made = convert_quantised(
        MTJConfig(resistance_variation=0.0, read_noise=0.0), path,
        input_type=IntType(4), input_scale=0.5, **choices,
    )  # fmt: skip
    layer = made.network.nodes[-1].layer
    assert isinstance(layer, TopK) and layer.shape == (count,)
    x = codes()
    wanted = reference(graph, (x * 0.5).astype(np.float32))
    found = made.network.run(x)
    if chip is None:
        np.testing.assert_array_equal(found, wanted)
    assert made.predict(x * 0.5).tolist() == found[:, 0].tolist()


def test_scores_that_do_not_compare_have_no_class(tmp_path):
    graph = Graph((2,))
    graph.add("MatMul", graph.weight(WEIGHTS, [[0.25, 0.5, 0.125]], 4.0)).add("ArgMax", axis=1)
    message = (
        r"the model cannot be converted \(1 finding\): ArgMax_2 \(ArgMax\): takes the largest of "
        "scores with scales or offsets of their own, which no common integers represent: use one "
        "scale for all outputs, or put a Quant before it"
    )
    with pytest.raises(ConversionError, match=f"^{message}$"):
        load_onnx(graph.save(tmp_path / "m.onnx"))


def test_scores_that_float32_makes_equal_have_no_class(tmp_path):
    """2**24 + 1 is no float32: two sums, one score, and the reference takes the first."""
    graph = Graph((2,))
    graph.add("MatMul", graph.weight(WEIGHTS, 1.0, 4.0))
    graph.add("Add", graph.constant(2.0**24)).add("ArgMax", axis=1)
    with pytest.raises(ConversionError, match="takes the largest of scores"):
        load_onnx(graph.save(tmp_path / "m.onnx"))


def test_scales_that_are_no_powers_of_two_are_noted(tmp_path):
    graph = Graph((2,))
    graph.add("MatMul", graph.weight(WEIGHTS, 0.3, 4.0))
    note = (
        "MatMul_1 (MatMul): its scales are no powers of two, so that float32 sums depend on their "
        "order; here the exact sum is rounded once"
    )
    assert load_onnx(graph.save(tmp_path / "m.onnx"), input_scale=0.3).notes == (note,)
    assert load_onnx(dense().save(tmp_path / "m.onnx"), input_scale=0.5).notes == ()


def test_weights_stand_on_two_devices(tmp_path):
    """Weights 4, -4, 2; 1, 2, -3 of a quarter: three binary slices, each sign on its device."""
    made = converted(dense(), tmp_path)
    layer = made.network.nodes[-1].layer
    assert isinstance(layer, Dense)
    values = np.einsum("s,sdrc->drc", [1, 2, 4], layer.codes.astype(int))
    assert values.tolist() == [[[4, 0, 2], [1, 2, 0]], [[0, 4, 0], [0, 0, 3]]]
