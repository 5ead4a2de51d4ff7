"""Tests of spintron_nn.converter.quantised: public networks on ideal and on sampled chips."""

import re

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from spintron_ir import IntType, ParameterError, Quantise
from spintron_nn.converter.onnx_front import load_onnx
from spintron_nn.converter.quantised import convert_quantised
from spintron_nn.core.mtj_models import MTJConfig
from tests.outside import DATA, mnist_images, mnist_predictions
from tests.spintron_nn.converter.onnx_front.graphs import Quant


class FinnQuant(Quant):
    """The quantiser under the domain that this file gives it."""

    op_domain = "finn.custom_op.general"


FinnQuant.__name__ = "Quant"  # the operator is known by the name of its class
NAMES = ("TFC_1W2A", "TFC_2W2A")


@pytest.fixture(scope="module")
def images():
    return mnist_images()


def converted(name, technology=None, **choices):
    path = DATA / "qonnx" / f"{name}.onnx"
    given = {"input_type": IntType(8), "input_scale": 0.00392156862745098} | choices
    return convert_quantised(technology or MTJConfig(), path, **given)


@pytest.mark.parametrize("name", NAMES)
def test_all_predictions_are_those_of_the_reference_executor(name, images):
    found = converted(name).network.run(images).argmax(axis=1)
    assert int((found == mnist_predictions(name)[: len(images)]).sum()) == len(images)


@pytest.mark.parametrize(
    "choices",
    [
        {"technology": MTJConfig(levels=4, cell_bits=8), "crossbar_size": 64},
        {"technology": MTJConfig(levels=4, level_fractions=(0, 0.3, 0.8, 1)), "dac_bits": 2},
        {"scheme": "columns", "crossbar_size": 100},
    ],
)
def test_every_ideal_chip_gives_the_same_scores(choices, images):
    some = images[:500]
    one, other = converted("TFC_2W2A"), converted("TFC_2W2A", **choices)
    units = [made.network.outputs[0].scale for made in (one, other)]
    first, second = (made.network.run(some) for made in (one, other))
    np.testing.assert_array_equal(np.rint(first * (units[0] / units[1])), second)


def test_thresholds_of_the_first_quantiser(images):
    """2 x - 1 rounds to -1, 0 and 1: the steps are at a quarter and three quarters of 255."""
    first = converted("TFC_1W2A").network.nodes[0].layer
    assert isinstance(first, Quantise)
    assert first.requantise.thresholds.tolist() == [[64, 192]]
    assert first.requantise.low == -1


@pytest.mark.parametrize("bits", [None, 8])
def test_a_sampled_chip_is_close(bits, images):
    """10 % variation and, where they have bits, calibrated converters."""
    calibration = images[:300] if bits else None
    made = converted("TFC_2W2A", chip_seed=5, adc_bits=bits, calibration=calibration)
    found = made.network.run(images[300:1000]).argmax(axis=1)
    agree = int((found == mnist_predictions("TFC_2W2A")[300:1000]).sum())
    assert 665 <= agree < 700


def test_real_calibration_data_are_the_codes(images):
    few = images[:100]
    one = converted("TFC_1W2A", chip_seed=1, adc_bits=6, calibration=few)
    other = converted("TFC_1W2A", chip_seed=1, adc_bits=6, calibration=few / 255)
    assert one.network.digest() == other.network.digest()


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        (
            {"chip_seed": 1},
            "convert: calibration must be given for converters of 8 bits, whose range it fixes: "
            "some hundred inputs; or take lossless converters, adc_bits=None (--adc-bits 0), or an "
            "ideal chip",
        ),
        (
            {"scheme": "reference", "technology": MTJConfig(cell_bits=5)},
            "convert: a quantised model needs the scheme 'pair' or 'columns', which have a weight "
            "of zero, and code_steps='network'",
        ),
        (
            {"calibration": np.zeros((3, 784))},
            "convert: calibration must have the shape (batch, 1, 28, 28), not (3, 784)",
        ),
    ],
)
def test_refuses(choices, message, images):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        converted("TFC_1W2A", **choices)


def test_a_public_network_with_softmax_is_refused(images):
    message = (
        "the model cannot be converted (1 finding): Softmax_0 (Softmax): Softmax is not converted: "
        "leave it out, the scores before it have the same largest class"
    )
    with pytest.raises(Exception, match=f"^{re.escape(message)}$"):
        load_onnx(DATA / "qonnx" / "qkeras_jettagging.onnx")


def test_scores_of_a_public_network_are_those_of_onnx(images, tmp_path):
    """The jet tagger without its Softmax: scales are powers of two, and no score is rounded."""
    model = onnx.load(DATA / "qonnx" / "qkeras_jettagging.onnx")
    last = model.graph.node[-1]
    model.graph.output[0].name = last.input[0]
    model.graph.node.remove(last)
    model.opset_import.append(onnx.helper.make_opsetid(FinnQuant.op_domain, 1))
    (tmp_path / "jet.onnx").write_bytes(model.SerializeToString())
    kind, scale = IntType(10, signed=True), 2.0**-7
    made = convert_quantised(MTJConfig(), tmp_path / "jet.onnx", input_type=kind, input_scale=scale)
    x = np.random.default_rng(0).integers(kind.low, kind.high + 1, (200, 16))
    run = ReferenceEvaluator(model, new_ops=[FinnQuant])
    real = (x * scale).astype(np.float32)
    expected = np.concatenate([run.run(None, {"global_in": row[None]})[0] for row in real])
    np.testing.assert_array_equal(made.run(x * scale), expected)
