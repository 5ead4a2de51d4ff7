"""Files: what is read of them, what is refused at once, and that no damage gives a traceback."""

import contextlib
import re

import numpy as np
import pytest

from spintron_ir import ConversionError, IntType, ParameterError
from spintron_nn.converter.tflite_front import load_tflite
from spintron_nn.converter.tflite_front.refusal import Refusal
from spintron_nn.converter.tflite_front.state import State
from tests.spintron_nn.converter.tflite_front.models import Model
from tests.spintron_nn.converter.tflite_front.random_models import Random

AGAIN = "export the model again"
INT8 = IntType(8, signed=True)


def written(content, tmp_path):
    path = tmp_path / "model.tflite"
    path.write_bytes(content)
    return path


def findings(content, tmp_path, **given):
    with pytest.raises(ConversionError) as caught:
        load_tflite(written(content, tmp_path), **given)
    return list(caught.value.findings)


def relu(shape=(1, 4), kind="int8", scale=0.5, zero=0, change=lambda model: None):
    """The smallest model: an input x, and y that is never below zero."""
    model = Model()
    x = model.input(shape, kind, scale, zero, name="x")
    y = model.tensor(shape, kind, scale, zero, name="y")
    model.add("RELU", [x], [y])
    change(model)
    return model.pack([y] if not model.outputs else model.outputs)


def set_tensor(number, name, value):
    def change(model):
        setattr(model.tensors[number], name, value)

    return change


def test_ports_and_outputs_have_the_shape_of_the_model(tmp_path):
    graph = load_tflite(written(relu((1, 3, 2), scale=0.25, zero=-5), tmp_path))
    (port,), (output,) = graph.inputs, graph.outputs
    assert (port.name, port.shape, port.type, port.scale) == ("x", (3, 2), INT8, 0.25)
    assert (output.name, output.gain.tolist(), output.offset.tolist()) == ("scores", [0.25], [1.25])
    assert load_tflite(written(relu(), tmp_path), input_type=INT8, input_scale=0.5).inputs == (
        load_tflite(written(relu(), tmp_path)).inputs
    )


def test_an_input_that_is_an_output(tmp_path):
    model = Model()
    content = model.pack([model.input((1, 3), "uint8", 0.5)])
    graph = load_tflite(written(content, tmp_path))
    assert [node.op.kind for node in graph.nodes] == ["flatten"]


def test_what_leads_to_no_output_is_not_read(tmp_path):
    def change(model):
        model.add("SIN", [0], [model.tensor((1, 4))])

    graph = load_tflite(written(relu(change=change), tmp_path))
    assert [node.name for node in graph.nodes] == ["relu_0"]


def test_several_inputs_have_their_own_names(tmp_path):
    model = Model()
    first = model.input((1, 3), scale=0.5, name="serving_default_Left:0")
    second = model.input((1, 3), scale=0.5, name="serving_default_left_0")
    out = model.tensor((1, 3), scale=1.0)
    model.add("ADD", [first, second], [out], "AddOptions")
    graph = load_tflite(written(model.pack([out]), tmp_path))
    names = [port.name for port in graph.inputs]
    assert names == ["serving_default_left_0", "serving_default_left_0_"]


def test_real_inputs_of_several_types(tmp_path):
    model = Model()
    parts = [model.input((1, 3), "float32", name=name) for name in ("a", "b")]
    codes = [model.tensor((1, 3), scale=0.5) for _ in parts]
    for part, code in zip(parts, codes, strict=True):
        model.add("QUANTIZE", [part], [code])
    out = model.tensor((1, 3), scale=1.0)
    model.add("ADD", codes, [out], "AddOptions")
    given = {"input_type": {"a": IntType(4), "b": INT8}, "input_scale": {"b": 0.25}}
    graph = load_tflite(written(model.pack([out]), tmp_path), **given)
    assert [(port.name, port.type, port.scale) for port in graph.inputs] == [
        ("a", IntType(4), 1.0),
        ("b", INT8, 0.25),
    ]


def test_a_tie_is_noted_where_libraries_of_functions_differ(tmp_path):
    model = Model()
    x = model.input((1, 4), scale=0.5)
    y = model.tensor((1, 4), scale=2.0, name="y")  # tanh(...) / 2 is near a half for large inputs
    model.add("TANH", [x], [y])
    assert load_tflite(written(model.pack([y]), tmp_path)).notes == (
        "y (TANH): lies so near a tie that the last bit hangs on the library of functions",
    )


REAL = (
    "x (input): takes real numbers: say which integers stand for them, --input-type uint8 "
    "--input-scale 0.00392156862745098 for example"
)
FLOATS = "computes with real numbers: quantise the whole model to int8"
FILES = {
    "batch": (
        relu((2, 4)),
        "x (input): must have a batch axis of 1 and 1 to 7 axes more, not the shape (2, 4): export "
        "the model with a batch of 1",
    ),
    "no batch": (
        relu((4,)),
        "x (input): must have a batch axis of 1 and 1 to 7 axes more, not the shape (4,): export "
        "the model with a batch of 1",
    ),
    "free": (
        relu(change=set_tensor(0, "shapeSignature", [-1, -1])),
        "x (input): must have fixed axes behind the batch, not free ones (0, 1): export the model "
        "with a fixed shape",
    ),
    "large": (
        relu((1, 1 << 13, 1 << 12)),
        "x (input): Port x: shape must hold at most 2**24 values, not 33554432",
    ),
    "int16": (
        relu(kind="int16", change=set_tensor(1, "type", 9)),
        "x (input): has 'x' of type int16, and activations of int8 and uint8 are converted: "
        "quantise the whole model to int8",
    ),
    "floats": (relu(kind="float32", scale=None), f"y (RELU): {FLOATS}"),
    "real input": (relu(kind="float32", scale=None), REAL),
    "variable": (
        relu(change=set_tensor(0, "isVariable", True)),
        "x (tensor): keeps its value from frame to frame: make the model stateless",
    ),
    "no scale": (
        relu(change=set_tensor(0, "quantization", None)),
        "x (input): has 'x' with 0 scales, and activations need one: quantise the model per tensor "
        "there",
    ),
    "constant": (
        relu(
            change=lambda model: setattr(
                model, "outputs", [model.tensor((1, 4), "int8", 0.5, 0, [1, 2, 3, 4], name="c")]
            )
        ),
        f"c (output): does not depend on the input: {AGAIN}",
    ),  # fmt: skip
    "no operator": (
        relu(change=lambda model: setattr(model, "outputs", [model.tensor((1, 4), name="z")])),
        f"z (output): is given by no operator: {AGAIN}",
    ),
    "circle": (
        relu(change=lambda model: setattr(model.operators[0], "inputs", [1])),
        "y (RELU): takes 'y', which nothing before it gives: sort them",
    ),
    "twice": (
        relu(change=lambda model: model.add("RELU", [0], [1])),
        "y (RELU): gives a tensor that something else gives, too: export it again",
    ),
    "shape": (
        relu(change=set_tensor(0, "shape", [1, -4])),
        "x (tensor): has the shape (1, -4), beyond 8 axes or 2**26 values: split it",
    ),
    "scale": (
        relu(scale=-0.5),
        f"x (tensor): has scales that are no positive numbers: {AGAIN}",
    ),
    "buffer": (
        relu(change=set_tensor(0, "buffer", 9)),
        f"x (tensor): lies in the buffer 9, which is none: {AGAIN}",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_findings(name, tmp_path):
    content, expected = FILES[name]
    assert expected in findings(content, tmp_path)


def test_all_findings_at_once(tmp_path):
    """Behind an operator with a finding, the others are judged as if it had none."""
    model = Random(3)
    image = model.source((1, 4, 4, 2), scale=0.5, zero=0)
    first = model.same("SIN", image, image.shape)
    second = model.same("LOGISTIC", first, image.shape)
    third = model.tensor((1, 4, 4, 2), "float32")
    model.add("DEQUANTIZE", [second.index], [third])
    fourth = model.tensor((1, 4, 4, 2), "float32")
    model.add("TANH", [third], [fourth])
    fifth = model.tensor((1, 4, 4, 2), "float32")
    model.add("RELU", [fourth], [fifth])
    other = model.same("TRANSPOSE_CONV", image, image.shape)
    assert findings(model.pack([fifth, other.index]), tmp_path) == [
        "t1 (SIN): is not converted: use convolutions, FULLY_CONNECTED, pools, ADD and MUL of int8",
        "t2 (LOGISTIC): has the output scale 0.5, where TFLite has 1/256: use that",
        f"t4 (TANH): {FLOATS}",
        f"t5 (RELU): {FLOATS}",
        "t6 (TRANSPOSE_CONV): is not converted: use RESIZE_NEAREST_NEIGHBOR and CONV_2D",
    ]


def test_an_input_of_integers_takes_no_other_type_or_scale(tmp_path):
    assert findings(relu(), tmp_path, input_type=IntType(8)) == [
        "x (input): holds int8 already, not real numbers for uint8: feed int8"
    ]
    assert findings(relu(), tmp_path, input_scale=0.25) == [
        "x (input): holds integers of the scale 0.5 already, not 0.25: leave the input scale out"
    ]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"input_type": IntType(17)}, "input_type must have at most 16 bits, not 17"),
        ({"input_scale": 0}, r"input_scale must be in 1e-30\.\.1e30, not 0"),
        ({"input_scale": True}, r"input_scale must be in 1e-30\.\.1e30, not True"),
        ({"input_scale": {"y": 1.0}}, "input_scale must be given for x, not for y"),
        ({"input_type": {"a": INT8, "b": INT8}}, "input_type must be given for x, not for a, b"),
    ],
)
def test_arguments(given, message, tmp_path):
    with pytest.raises(ParameterError, match=f"^load_tflite: {message}$"):
        load_tflite(written(relu(), tmp_path), **given)


def test_no_file(tmp_path):
    path = tmp_path / "none.tflite"
    text = re.escape(f"load_tflite: path must name a file, and there is no {str(path)!r}")
    with pytest.raises(ParameterError, match=f"^{text}$"):
        load_tflite(path)


@pytest.mark.parametrize(
    ("content", "finding"),
    [
        (b"", "is no TFLite model of schema 3; export it again with TensorFlow 2"),
        (b"PK\x03\x04 a zip", "is no TFLite model of schema 3; export it again with TensorFlow 2"),
        (b"\xff\xff\xff\xffTFL3", "is cut off or damaged; export it again"),
        (relu()[:200], "is cut off or damaged; export it again"),
        (Model().pack([])[:-4].replace(b"main", b"none"), None),
    ],
)
def test_no_model(content, finding, tmp_path):
    found = findings(content, tmp_path)
    assert finding is None or found == [f"model.tflite: {finding}"]


def test_small_files_do_not_grow_large():
    """What all operators make together is bounded, and what has grown too large stays refused."""
    state = State({})
    state.spend(1 << 26)
    state.work(1 << 27)
    for _ in range(2):
        with pytest.raises(
            Refusal,
            match=r"^brings the weights and tables to more than 2\*\*26: split the model$",
        ):
            state.spend(1)
        with pytest.raises(
            Refusal,
            match=r"^brings the values that are moved to more than 2\*\*27: split the model$",
        ):
            state.work(1)


def test_a_broadcast_is_no_bomb(tmp_path):
    model = Model()
    one, two = (model.input(shape, scale=1.0) for shape in ((1, 4096, 1, 1), (1, 1, 4097, 1)))
    out = model.tensor((1, 4096, 4097, 1), scale=2.0, name="y")
    model.add("ADD", [one, two], [out], "AddOptions")
    assert findings(model.pack([out]), tmp_path) == [
        "y (ADD): gives the shape (1, 4096, 4097, 1), and at most 2**24 values are converted: "
        "split it"
    ]


def test_long_constants_are_not_folded(tmp_path):
    model = Model()
    model.input((1, 3), scale=1.0)
    out = model.tensor((2, 65), "int32", name="y")
    model.add("PACK", [model.numbers(np.zeros(65))] * 2, [out], "PackOptions", valuesCount=2)
    assert findings(model.pack([out]), tmp_path) == [
        "y (PACK): takes long constants: fold them into one tensor"
    ]


@pytest.mark.parametrize("seed", range(6))
def test_damage_gives_findings(seed, tmp_path):
    """Files cut off or with other bytes load or are refused; nothing else happens."""
    model = Random([seed, 15])
    content = model.pack([output.index for output in model.network()])
    rng = np.random.default_rng(seed)
    ends = [0, 1, 2, 0xFFFFFFFF, 0x7FFFFFFF, 0x80000000, len(content), 1 << 16, 1 << 28]
    for number in range(60):
        damaged = bytearray(content)
        if number % 3 == 0:
            damaged = damaged[: rng.integers(len(content))]
        for _ in range(int(rng.integers(1, 4)) if damaged else 0):
            place = int(rng.integers(len(damaged)))
            if number % 3 == 1:
                damaged[place] = rng.integers(256)
            elif number % 3 == 2:
                damaged[place & ~3 : (place & ~3) + 4] = int(rng.choice(ends)).to_bytes(4, "little")
        with contextlib.suppress(ConversionError):
            load_tflite(written(damaged, tmp_path))
