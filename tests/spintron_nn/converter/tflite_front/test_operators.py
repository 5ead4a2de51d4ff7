"""Every operator, on random shapes, attributes and scales, against TFLite's reference kernels."""

import numpy as np
import pytest

from spintron_nn.converter.tflite_front import load_tflite
from tests.spintron_nn.converter.tflite_front.models import reference, run
from tests.spintron_nn.converter.tflite_front.random_models import Random


def check(model, outputs, tmp_path, frames=None):
    content = model.pack([output.index for output in outputs])
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    frames = model.frames() if frames is None else frames
    graph = load_tflite(path)
    expected = reference(content, frames)
    for found, wanted, output in zip(run(graph, frames), expected, outputs, strict=True):
        shape = output.shape[1:] if output.shape[0] == 1 and len(output.shape) > 1 else output.shape
        np.testing.assert_array_equal(found, wanted.reshape(len(found), *shape))
    return graph


KINDS = ("int8", "uint8")
SEEDS = range(8)

UNARY = ("conv", "depthwise", "dense", "pool", "average", "mean", "pad", "slice", "strided",
         "transpose", "resize", "reshape", "softmax", "prelu", "mirror", "depth",
         "squeeze", "largest", "gather", "tile", "reverse")  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", UNARY)
def test_one_input(name, kind, seed, tmp_path):
    model = Random([seed, UNARY.index(name)], kind)
    check(model, [getattr(model, name)(model.image())], tmp_path)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["conv", "depthwise", "dense", "average", "mean"])
def test_exact_ties(name, seed, tmp_path):
    """Scales that are powers of two: every requantiser meets sums halfway between two codes."""
    model = Random([seed, 13], KINDS[seed % 2], ties=True)
    check(model, [getattr(model, name)(model.image())], tmp_path, model.frames(30))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
def test_exact_ties_of_two_inputs(name, seed, tmp_path):
    model = Random([seed, 14], ties=True)
    first = model.image()
    check(model, [model.join(name, first, model.source(first.shape))], tmp_path, model.frames(30))


TABLES = ("RELU", "RELU6", "RELU_N1_TO_1", "RELU_0_TO_1", "LOGISTIC", "TANH", "HARD_SWISH",
          "LEAKY_RELU", "QUANTIZE")  # fmt: skip


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", TABLES)
def test_tables_of_all_codes(name, kind, seed, tmp_path):
    model = Random([seed, TABLES.index(name)], kind)
    source = model.source((1, 256))
    frames = [np.arange(model.low, model.high + 1)[None]]
    check(model, [model.table(name, source)], tmp_path, frames)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
def test_two_inputs(name, kind, seed, tmp_path):
    model = Random([seed, 7], kind)
    first = model.image()
    shape = [first.shape, (1, 1, 1, first.shape[3]), (1, *first.shape[1:3], 1), (1, 1, 1, 1)]
    second = model.source(shape[seed % 4])
    check(model, [model.join(name, first, second)], tmp_path)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("name", ["ADD", "SUB", "MUL"])
def test_an_input_and_a_constant(name, seed, tmp_path):
    model = Random([seed, 8])
    image = model.image()
    _, height, width, channels = image.shape
    shapes = [(), (1,), (channels,), (1, 1, 1, channels), (1, height, width, channels),
              (height, 1, 1), (1, width, 1)]  # fmt: skip
    check(model, [model.join(name, image, constant=shapes[seed % 7])], tmp_path)


@pytest.mark.parametrize("seed", range(10))
def test_splits(seed, tmp_path):
    model = Random([seed, 6], KINDS[seed % 2])
    check(model, model.split(model.image()), tmp_path)


@pytest.mark.parametrize("seed", range(9))
def test_codes_are_moved_and_mean_something_else(seed, tmp_path):
    """An operator that copies codes may give them another scale and zero point."""
    model = Random([seed, 5])
    image = model.image()
    other = image._replace(scale=model.quantised((1,)).scale, zero=model.pick(-128, 127))
    if seed % 3 == 0:
        shape = tuple(size + 2 * (0 < axis < 3) for axis, size in enumerate(image.shape))
        rows = model.numbers([[0, 0], [1, 1], [1, 1], [0, 0]])
        moved = model.quantised(shape, other.scale, other.zero)
        model.add("PAD", [image.index, rows], [moved.index])
    else:
        moved = model.quantised(image.shape, other.scale, other.zero)
        kind, rest = [("TRANSPOSE", [0, 1, 2, 3]), ("RESHAPE", image.shape)][seed % 3 - 1]
        model.add(kind, [image.index, model.numbers(rest)], [moved.index])
    check(model, [model.conv(moved)], tmp_path)


@pytest.mark.parametrize("seed", range(8))
def test_concatenations(seed, tmp_path):
    model = Random([seed, 9], KINDS[seed % 2])
    axis = model.pick(1, 3) - 4 * (seed % 3 == 0)
    first = model.image()
    shape = list(first.shape)
    shape[axis] = model.pick(1, 4)
    if model.kind == "uint8":  # a scale of its own
        second = model.source(shape)
    else:
        second = model.source(shape, scale=first.scale, zero=first.zero)
    check(model, [model.concatenation([first, second], axis)], tmp_path)


def test_a_sum_with_itself(tmp_path):
    model = Random(1)
    check(model, [model.join("ADD", model.image())], tmp_path)
