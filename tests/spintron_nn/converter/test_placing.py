"""Graphs of integers on a chip: exact on an ideal one, close on a sampled one."""

import numpy as np
import pytest

from spintron_ir import (
    Argmax,
    Dense,
    Flatten,
    IntType,
    Join,
    MulShift,
    ParameterError,
    Pool,
    Port,
    Table,
    TFLite,
    Thresholds,
    Window,
)
from spintron_nn.converter.integers import IntegerGraph, IntegerNode, IntegerOutput, Matrix
from spintron_nn.converter.quantised import place
from spintron_nn.converter.settings import Settings
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

U4, S8 = IntType(4), IntType(8, signed=True)
ONE, ZERO = np.ones(1), np.zeros(1)
TECHNOLOGIES = [
    MTJConfig(),
    MTJConfig(levels=4, cell_bits=8),
    MTJConfig(levels=4, cell_bits=8, level_fractions=(0, 0.2, 0.7, 1)),
]


def settings(technology=None, **given):
    chip = Chip(
        technology or MTJConfig(), seed=given.pop("seed", 0), ideal=given.pop("ideal", True)
    )
    given.setdefault("adc_bits", None if chip.ideal else 8)
    return Settings(chip=chip, quantization_bits=chip.config.level_bits, **given)


def rescale(cols, factor, zero=0):
    return TFLite(
        multiplier=np.full(cols, round(factor * 2**31)),
        shift=np.zeros(cols, dtype=int),
        zero_point=zero,
        low=-128,
        high=127,
        type=S8,
    )


def table(cols):
    code = MulShift(multiplier=np.full(cols, 3), shift=np.full(cols, 6), zero_point=0, type=S8)
    return Table(code=code, table=np.abs(np.arange(-128, 128)), type=IntType(8))


def steps(cols, count=15):
    limits = np.sort(np.random.default_rng(cols).integers(-300, 300, (cols, count)), axis=1)
    return Thresholds(thresholds=limits, sign=np.resize([1, -1], cols), low=0, type=U4)


def branches(middle):
    """Convolution, a depthwise one beside it, a join, a maximum, scores and a class."""
    rng = np.random.default_rng(0)
    window = Window(in_shape=(6, 6, 2), type=U4, kernel=(3, 3), padding=(1, 1, 1, 1))
    first = Matrix(
        rng.integers(-7, 8, (4, 18)), rng.integers(-9, 9, 4), U4, middle(4), positions=36
    )
    deep = Window(in_shape=(6, 6, 4), type=first.type, kernel=(3, 3), padding=(1,) * 4, groups=4)
    second = Matrix(rng.integers(-3, 4, (4, 9)), np.arange(4), first.type, middle(4), 36, blocks=4)
    join = Join(inputs=(first.type, second.type), in_shape=(36, 4), mode="sum",
                requantise=steps(1, 15))  # fmt: skip
    pool = Window(in_shape=(6, 6, 4), type=U4, kernel=(2, 2), stride=(2, 2))
    most = Pool(input=U4, in_shape=(9, 16), channels=4, mode="max")
    last = Matrix(rng.integers(-7, 8, (3, 36)), rng.integers(-99, 99, 3), U4)
    nodes = [
        ("w1", window, "x"),
        ("conv", first, "w1"),
        ("image", Flatten(in_shape=(36, 4), type=first.type, out_shape=(6, 6, 4)), "conv"),
        ("w2", deep, "image"),
        ("deep", second, "w2"),
        ("join", join, "conv", "deep"),
        ("image2", Flatten(in_shape=(36, 4), type=U4, out_shape=(6, 6, 4)), "join"),
        ("w3", pool, "image2"),
        ("pool", most, "w3"),
        ("flat", Flatten(in_shape=(9, 4), type=U4), "pool"),
        ("fc", last, "flat"),
        ("class_", Argmax(input=last.type, length=3), "fc"),
    ]
    outputs = (IntegerOutput("scores", "fc", 0.5 * ONE, ZERO),
               IntegerOutput("class", "class_", ONE, ZERO))  # fmt: skip
    return IntegerGraph(
        (Port(name="x", shape=(6, 6, 2), type=U4, scale=0.5),),
        tuple(IntegerNode(name, op, tuple(sources)) for name, op, *sources in nodes),
        outputs,
    )


def computed(graph, x):
    """The integers of a graph, by its definition."""
    known = {"x": x}
    for node in graph.nodes:
        given = [known[source] for source in node.inputs]
        if isinstance(node.op, Matrix):
            blocks = node.op.blocks or 1
            parts = given[0].reshape(*given[0].shape[:-1], blocks, -1)
            weights = node.op.weights.reshape(blocks, -1, node.op.weights.shape[1])
            total = np.einsum("...br,bcr->...bc", parts, weights)
            total = total.reshape(*total.shape[:-2], -1) + node.op.bias
            same = node.op.requantise is None
            known[node.name] = total if same else node.op.requantise.run(total)
        else:
            known[node.name] = node.op.run(*given)
    return {output.name: known[output.node] for output in graph.outputs}


def images(count=12):
    x = np.random.default_rng(3).integers(0, 16, (count, 6, 6, 2))
    x[0], x[-1] = 0, 15
    return x


def wide(cols):
    return MulShift(multiplier=np.full(cols, -3), shift=np.full(cols, 1), zero_point=5,
                    type=IntType(12, signed=True))  # fmt: skip


@pytest.mark.parametrize("middle", [lambda n: rescale(n, 0.07, -3), table, steps, wide,
                                    lambda n: None],
                         ids=["tflite", "table", "thresholds", "mulshift", "none"])  # fmt: skip
@pytest.mark.parametrize("technology", range(3))
def test_an_ideal_chip_is_exact(middle, technology):
    graph, x = branches(middle), images()
    for given in ({}, {"scheme": "columns", "crossbar_size": 16, "dac_bits": 2}):
        made = place(graph, settings(TECHNOLOGIES[technology], **given))
        found, expected = made.network.run(x), computed(graph, x)
        for name in expected:
            np.testing.assert_array_equal(found[name], expected[name])
    deep = made.network.node("deep").layer
    assert isinstance(deep, Dense)
    assert (deep.blocks, deep.codes.shape[2]) == (4, 9)  # one group of 9 rows on 16 rows
    assert made.run(x * 0.5).tolist() == (0.5 * expected["scores"]).tolist()


def test_groups_are_packed_into_tiles():
    made = place(branches(steps), settings(crossbar_size=20))
    layer = made.network.node("deep").layer
    assert layer.blocks == made.network.node("w2").layer.groups == 4
    assert layer.codes.shape[2:] == (9, 4)
    report = next(layer for layer in made.report.layers if layer.name == "deep")
    assert report.tiles == layer.slices * 2 * 2  # two blocks a tile, two devices a weight


@pytest.mark.parametrize("middle", [lambda n: rescale(n, 0.07, -3), table, steps, wide,
                                    lambda n: None],
                         ids=["tflite", "table", "thresholds", "mulshift", "none"])  # fmt: skip
@pytest.mark.parametrize("bits", [None, 10])
def test_a_sampled_chip_is_close(middle, bits):
    """Without variation and noise, lossless converters give the integers but for the rounding."""
    graph, x = branches(middle), images(40)
    quiet = MTJConfig(cell_bits=8, resistance_variation=0.0, read_noise=0.0)
    choices = {"ideal": False, "adc_bits": bits, "crossbar_size": 32}
    made = place(graph, settings(quiet, **choices), calibration=x)
    found, expected = made.run(x * 0.5), 0.5 * computed(graph, x)["scores"]
    spread = float(np.std(expected))
    error = float(np.std(found - expected)) / spread
    assert error < (0.02 if bits is None else 0.4), error
    assert made.report.frames == 40


def test_several_inputs_are_calibrated_by_name():
    kinds = (Port(name="a", shape=(2,), type=U4), Port(name="b", shape=(2,), type=U4))
    join = Join(inputs=(U4, U4), in_shape=(2,), mode="sum")
    matrix = Matrix(np.array([[1, -2]]), np.zeros(1, dtype=np.int64), join.type)
    graph = IntegerGraph(
        kinds,
        (IntegerNode("s", join, ("a", "b")), IntegerNode("fc", matrix, ("s",))),
        (IntegerOutput("scores", "fc", ONE, ZERO),),
    )
    x = np.random.default_rng(0).integers(0, 16, (9, 2))
    given = settings(ideal=False)
    place(graph, given, calibration={"a": x, "b": x})
    for wrong, message in (
        ({"a": x}, r"convert: calibration must have an array for each of the inputs a, b, not for "
                   r"a; give a .npz file with these names"),
        ({"a": x, "b": x[1:]}, "convert: calibration must have the same number of frames for "
                               "every input, not 8, 9"),
    ):  # fmt: skip
        with pytest.raises(ParameterError, match=f"^{message}$"):
            place(graph, given, calibration=wrong)


def test_refuses_a_bias_beyond_the_layer():
    matrix = Matrix(np.array([[1]]), np.array([1 << 31]), U4)
    graph = IntegerGraph(
        (Port(name="x", shape=(1,), type=U4),),
        (IntegerNode("fc", matrix, ("x",)),),
        (IntegerOutput("scores", "fc", ONE, ZERO),),
    )
    message = (
        r"convert: the bias of fc must stay below 2\*\*31 in units of its sums, not reach "
        "2147483648: take fewer cell bits, or a bias of fewer bits"
    )
    with pytest.raises(ParameterError, match=f"^{message}$"):
        place(graph, settings())
