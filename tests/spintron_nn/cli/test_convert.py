"""Tests of spintron convert."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from spintron_ir import Network


@pytest.fixture
def model(tmp_path):
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(8, 6), nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3)).eval()
    program = torch.export.export(module, (torch.zeros(2, 8),))
    torch.export.save(program, tmp_path / "model.pt2")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).random((50, 8)))
    return "model.pt2"


def test_a_model_becomes_a_network(spintron, model, tmp_path):
    words = ("--calibrate", "x.npy", "-o", "out/net.safetensors", "--chip", 3, "--tile", 4)
    result = spintron("convert", model, *words, "--json")
    assert result.code == 0, result.err
    network = Network.load(tmp_path / "out/net.safetensors")
    assert result.json["digest"] == network.digest()
    assert json.loads(network.metadata["chip"])["seed"] == 3
    manifest = json.loads((tmp_path / "out/net.manifest.json").read_text())
    assert manifest["command"] == ["spintron", "convert", model, *map(str, words), "--json"]
    assert manifest["seeds"] == {"chip": 3}
    assert set(manifest["inputs"]) == {"model", "calibration"}


def test_the_same_command_gives_the_same_bytes(spintron, model, tmp_path):
    made = []
    for _ in range(2):
        assert spintron("convert", model, "--calibrate", "x.npy", "-o", "net").code == 0
        made.append([(tmp_path / name).read_bytes() for name in ("net", "net.manifest.json")])
    assert made[0] == made[1]


def test_a_technology_from_a_file(spintron, model, tmp_path):
    (tmp_path / "mtj.json").write_text('{"resistance_variation": 0.0, "levels": 4}')
    words = ("--calibrate", "x.npy", "-o", "net.safetensors", "--mtj", "mtj.json")
    assert spintron("convert", model, *words).code == 0
    metadata = Network.load(tmp_path / "net.safetensors").metadata
    assert json.loads(metadata["mtj"])["levels"] == 4


@pytest.mark.parametrize("text", ["[1]", "{", '{"colour": 1}'])
def test_refuses_a_technology(spintron, model, tmp_path, text):
    (tmp_path / "mtj.json").write_text(text)
    words = ("--calibrate", "x.npy", "-o", "net.safetensors", "--mtj", "mtj.json")
    result = spintron("convert", model, *words)
    assert result.code == 1
    assert result.err.startswith("error: mtj.json: must be a JSON object")


def test_bits_of_single_layers(spintron, model, tmp_path):
    words = "--calibrate", "x.npy", "-o", "net.safetensors", "--layer-bits", "layer_3=4"
    tensors = "--layer-activation-bits", "input=6", "--layer-activation-bits", "layer_2=1"
    result = spintron("convert", model, *words, *tensors, "--json")
    assert result.code == 0, result.err
    assert [layer["bits"] for layer in result.json["report"]["layers"]] == [2, 4]
    network = Network.load(tmp_path / "net.safetensors")
    first, last = (network.node(name).layer for name in ("layer_0", "layer_3"))
    assert (first.input.bits, first.slices, first.type.bits, last.slices) == (6, 2, 1, 4)
    chosen = json.loads(network.metadata["conversion"])
    assert chosen["layer_bits"] == {"layer_3": 4}
    assert chosen["layer_activation_bits"] == {"input": 6, "layer_2": 1}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("layer_3",), "Invalid value for '--layer-bits': 'layer_3' is not NAME=BITS."),
        (("=3",), "Invalid value for '--layer-bits': '=3' is not NAME=BITS."),
        (("a=-1",), "Invalid value for '--layer-bits': 'a=-1' is not NAME=BITS."),
        (("a=1", "a=2"), "Invalid value for '--layer-bits': a is given twice."),
    ],
    ids=str,
)
def test_refuses_bits_that_are_none(spintron, model, words, message):
    given = [part for word in words for part in ("--layer-bits", word)]
    result = spintron("convert", model, "--calibrate", "x.npy", "-o", "net", *given)
    assert (result.code, result.err.splitlines()[-1]) == (2, f"Error: {message}")


def test_refuses_layers_that_are_not_there(spintron, model):
    given = ("--calibrate", "x.npy", "-o", "net", "--layer-bits", "fc=1")
    result = spintron("convert", model, *given)
    assert (result.code, result.err.splitlines()[-1]) == (
        1, "error: convert: layer_bits must name steps with weights, which are layer_0, layer_3, "
           "not fc"
    )  # fmt: skip
