"""Tests of networks in files: the same integers again, and refusals of what is no such file."""

import re

import numpy as np
import pytest
import torch

from spintron_ir import ParameterError
from spintron_nn.models import (
    AlwaysOnVision_Spintronic,
    MicroNet_Spintronic,
    SpintronicNet,
    TinyConvNet_Spintronic,
)
from spintron_nn.models.base import CALIBRATION_FRAMES
from spintron_nn.models.data import zoo_data
from spintron_nn.models.files import floating_weights, pretrained_names
from spintron_nn.training import TrainingFileError
from spintron_nn.training.tensor_file import read_tree, write_tree


@pytest.fixture(scope="module")
def net():
    torch.manual_seed(0)
    made = MicroNet_Spintronic(filters=(4, 4), crossbar_size=32)
    x = torch.from_numpy(zoo_data("micronet_digits").train_x[:600])
    with torch.no_grad():
        made(x)  # statistics of the normalisations
    halves = floating_weights(made)
    chips = made.prepare(x)
    with torch.no_grad():
        for parameter in chips.parameters():
            parameter.mul_(1.01)  # as a training would
    return made, halves


@pytest.fixture
def file(net, tmp_path):
    net[0].save(tmp_path / "net.safetensors", floating=net[1], note="a fact")
    return tmp_path / "net.safetensors"


def test_the_same_integers_come_back(net, file):
    read = MicroNet_Spintronic.from_pretrained(file)
    assert type(read) is MicroNet_Spintronic and not read.training
    assert read.arguments == net[0].arguments and read.facts == {"note": "a fact"}
    assert len(read.frames) == CALIBRATION_FRAMES
    x = zoo_data("micronet_digits").test_x[:64]
    for chip in ({"ideal": True}, {"chip_seed": 3}):
        mine, other = net[0].convert(**chip), read.convert(**chip)
        assert other.network.digest() == mine.network.digest()
    scores = read.convert(ideal=True).run(x)
    assert torch.equal(read(torch.from_numpy(x)), torch.from_numpy(scores))


def test_written_again_it_is_the_same_file(file, tmp_path):
    read = SpintronicNet.from_pretrained(str(file))
    halves = floating_weights(SpintronicNet.from_pretrained(file, floating=True))
    read.save(tmp_path / "again.safetensors", floating=halves, note="a fact")
    assert (tmp_path / "again.safetensors").read_bytes() == file.read_bytes()


def test_floating_weights_are_those_before_training_on_chips(net, file):
    read = MicroNet_Spintronic.from_pretrained(file, floating=True)
    assert read.chips is None
    for name, tensor in read.network.state_dict().items():
        assert torch.equal(tensor, net[1][name].to(tensor.dtype))


def test_a_fact_of_a_needed_name_is_refused(net, tmp_path):
    message = r"^MicroNet_Spintronic: no fact may be called 'frames'; the file has its own$"
    with pytest.raises(ParameterError, match=message):
        net[0].save(tmp_path / "x.safetensors", frames=3)


def test_unknown_names():
    names = ", ".join(pretrained_names())
    with pytest.raises(ParameterError) as caught:
        SpintronicNet.from_pretrained("nothing")
    assert str(caught.value) == (
        f"SpintronicNet: there are no weights 'nothing' in the package, which has {names}; give "
        "one of them, or the path of a .safetensors file"
    )
    with pytest.raises(ParameterError) as caught:
        MicroNet_Spintronic.from_pretrained("..")
    assert str(caught.value) == (
        "MicroNet_Spintronic: there are no weights '..' in the package, which has "
        "micronet_digits; give one of them, or the path of a .safetensors file"
    )
    with pytest.raises(ParameterError) as caught:
        AlwaysOnVision_Spintronic.from_pretrained("person")
    assert str(caught.value) == (
        "AlwaysOnVision_Spintronic: there are no weights 'person' in the package, which has none "
        "of it; give the path of a .safetensors file"
    )


@pytest.mark.parametrize("name", ["../weights/micronet_digits", "weights/../micronet_digits", ""])
def test_a_name_with_a_folder_is_a_path_of_the_user(name):
    with pytest.raises((TrainingFileError, ParameterError), match=r"(no such file|no weights '')"):
        MicroNet_Spintronic.from_pretrained(name)


def test_another_class_is_refused(file):
    message = (
        r"weights of another class \(MicroNet_Spintronic\) than TinyConvNet_Spintronic; read them "
        r"with the class that they are of$"
    )
    with pytest.raises(TrainingFileError, match=message):
        TinyConvNet_Spintronic.from_pretrained(file)


def changed(tree, *keys, value):
    """Put a value at a place of the file's content; delete what is there for an ellipsis."""
    inner = tree
    for key in keys[:-1]:
        inner = inner[key]
    if value is ...:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value


FACTS = ("manifest", "facts")

HOSTILE = {
    "no frames of a network; write it with SpintronicNet.save$": ((*FACTS, "frames"), ...),
    "no config of a network; write it": ((*FACTS, "config"), 3),
    "no MicroNet_Spintronic can be built of it (.*unexpected keyword argument 'evil'": (
        (*FACTS, "arguments", "evil"),
        1,
    ),
    "no MicroNet_Spintronic can be built of it (MTJConfig: ": ((*FACTS, "config", "levels"), 3),
    "another class (os) than MicroNet_Spintronic": (("manifest", "architecture"), "os"),
    "another class (['MicroNet_Spintronic']) than": (
        ("manifest", "architecture"),
        ["MicroNet_Spintronic"],
    ),
    "frames must be codes of 8 bits of shape (batch, 1, 8, 8) with a step above 0, not "
    "torch.float32 of shape (2, 1, 8, 8) with ": ((*FACTS, "frames"), torch.zeros(2, 1, 8, 8)),
    "frames must be codes of 8 bits of shape (batch, 1, 8, 8) with a step above 0, not torch.uint8 "
    "of shape (0, 1, 8, 8) with ": (
        (*FACTS, "frames"),
        torch.zeros(0, 1, 8, 8, dtype=torch.uint8),
    ),
    "with a step above 0, not torch.uint8 of shape (512, 1, 8, 8) with nan; write the file again": (
        (*FACTS, "frame_step"),
        float("nan"),
    ),
    "weights.4.weight is missing": (("weights", "module.4.weight"), ...),
    "weights.0.weight: shape (1,) instead of (4, 1, 3, 3)": (
        ("weights", "module.0.weight"),
        torch.zeros(1),
    ),
    "weights.more is not known": (("weights", "more"), torch.zeros(1)),
}


@pytest.mark.parametrize("message", HOSTILE)
def test_hostile_files(file, tmp_path, message):
    tree = read_tree(file, "model")
    keys, value = HOSTILE[message]
    changed(tree, *keys, value=value)
    write_tree(tmp_path / "bad.safetensors", "model", tree)
    with pytest.raises(TrainingFileError) as caught:
        MicroNet_Spintronic.from_pretrained(tmp_path / "bad.safetensors")
    plain = message.replace("$", "")
    head, *rest = plain.split(".*")
    assert head in str(caught.value) and all(part in str(caught.value) for part in rest)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("module.0.weight", "cannot be put on chips: the model cannot be converted (1 finding): "),
        ("module.1.running_var", "cannot be put on chips: the model cannot be converted"),
        ("module.9.bias", "cannot be put on chips: the model cannot be converted (1 finding): "),
        ("sizes.steps", "sizes.steps must be finite; train again"),
    ],
)
def test_weights_that_are_no_numbers(file, tmp_path, name, message):
    tree = read_tree(file, "model")
    tree["weights"][name].fill_(float("nan"))
    write_tree(tmp_path / "bad.safetensors", "model", tree)
    with pytest.raises(TrainingFileError, match=re.escape(message)):
        MicroNet_Spintronic.from_pretrained(tmp_path / "bad.safetensors")


@pytest.mark.parametrize("cut", [0, 7, 100, 5000])
def test_cut_off_files(file, tmp_path, cut):
    (tmp_path / "bad.safetensors").write_bytes(file.read_bytes()[:cut])
    with pytest.raises(TrainingFileError, match="not a safetensors file, or cut off"):
        MicroNet_Spintronic.from_pretrained(tmp_path / "bad.safetensors")


def test_weights_in_floating_point_must_be_there(net, tmp_path):
    net[0].save(tmp_path / "net.safetensors")
    message = r"net.safetensors: the file has no weights in floating point; read it without "
    with pytest.raises(TrainingFileError, match=message):
        SpintronicNet.from_pretrained(tmp_path / "net.safetensors", floating=True)
    net[0].save(tmp_path / "net.safetensors", floating={"0.weight": torch.zeros(2)})
    with pytest.raises(TrainingFileError, match="weights of another network: floating.1.weight is"):
        SpintronicNet.from_pretrained(tmp_path / "net.safetensors", floating=True)


def test_codes_of_signed_inputs(tmp_path):
    torch.manual_seed(1)
    made = MicroNet_Spintronic(filters=(4,), crossbar_size=32)
    x = torch.randn(32, 1, 8, 8)
    with torch.no_grad():
        made(x)
    made.prepare(x)
    made.save(tmp_path / "net.safetensors")
    read = SpintronicNet.from_pretrained(tmp_path / "net.safetensors")
    assert read.frames.min() < 0
    y = np.asarray(torch.randn(16, 1, 8, 8))
    assert np.array_equal(read.convert().run(y), made.convert().run(y))
