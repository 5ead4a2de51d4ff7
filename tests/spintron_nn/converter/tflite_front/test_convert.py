"""Files of TFLite take the same way to a chip as those of ONNX."""

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.converter.quantised import convert_quantised
from spintron_nn.converter.scores import real_outputs
from spintron_nn.core.mtj_models import MTJConfig
from tests.spintron_nn.converter.tflite_front.models import reference
from tests.spintron_nn.converter.tflite_front.random_models import Random


@pytest.fixture
def model():
    return Random(2)


@pytest.fixture
def path(model, tmp_path):
    model.last = model.dense(model.conv(model.source((1, 4, 4, 2))))
    model.content = model.pack([model.last.index])
    path = tmp_path / "model.tflite"
    path.write_bytes(model.content)
    return path


def test_an_ideal_chip_changes_no_byte(model, path):
    frames = model.frames(20)
    made = convert_quantised(MTJConfig(), path)
    found = made.network.run(frames[0])
    expected = reference(model.content, frames)[0].reshape(found.shape)
    np.testing.assert_array_equal(found, expected)
    (values,) = real_outputs(made.network, {"scores": found}).values()
    scale, zero = np.float64(model.last.scale), model.last.zero
    np.testing.assert_array_equal(values, found * scale + -scale * zero)


@pytest.mark.parametrize("given", [{"adc_bits": None}, {"adc_bits": 10}])
def test_a_sampled_chip_comes_near(model, path, given):
    frames = model.frames(60)
    made = convert_quantised(MTJConfig(), path, chip_seed=1, calibration=frames[0], **given)
    found = made.network.run(frames[0])
    expected = reference(model.content, frames)[0].reshape(found.shape)
    assert found.shape == expected.shape
    assert np.median(np.abs(found - expected)) <= 8


def test_an_onnx_model_needs_an_input_type(tmp_path):
    with pytest.raises(
        ParameterError,
        match=r"^convert: input_type must be given for an ONNX model, the integers that stand for "
        r"its input: IntType\(8\) for bytes, for example$",
    ):
        convert_quantised(MTJConfig(), tmp_path / "model.onnx")
