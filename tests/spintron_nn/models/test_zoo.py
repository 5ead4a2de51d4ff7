"""Tests of the trained weights in the package: every figure of their cards, integer for integer."""

import importlib.util
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner

from spintron_ir import ParameterError
from spintron_nn import models
from spintron_nn.models import SpintronicNet
from spintron_nn.models.cards import card
from spintron_nn.models.data import DATA, zoo_data
from spintron_nn.models.figures import counts, float_hits, hits
from spintron_nn.models.files import pretrained_names
from spintron_nn.simulation import TorchNetwork

ROOT = Path(__file__).parents[3]
PICTURES = [name for name in pretrained_names() if "fashion" in name or "digits" in name]
WEIGHTS = [item for item in (files(models) / "weights").iterdir()]


@pytest.fixture(params=PICTURES)
def judged(request, require_tool):
    """Name and data of trained weights for pictures."""
    try:
        data, reason = zoo_data(request.param), None
    except ParameterError as error:
        data, reason = None, str(error)
    require_tool("Fashion-MNIST", reason)
    return request.param, data


def test_a_card_says_what_its_weights_do(judged):
    name, data = judged
    net = SpintronicNet.from_pretrained(name)
    floating = SpintronicNet.from_pretrained(name, floating=True)
    told = net.facts["card"]
    x, y = data.test_x[: told["inputs"]], data.test_y[: told["inputs"]]
    found = counts(hits(net, floating, x, y))
    assert found == {key: told[key] for key in found}
    assert told["held_out"] == len(data.test_y)
    assert told["float_held_out"] == float_hits(floating, data.test_x, data.test_y).sum()
    assert told["command"] == f"python examples/train_zoo.py {name}"


def test_evaluation_in_torch_is_the_network_on_its_chip(judged):
    """In floating point only quantised inputs come in, and real values of integers go out."""
    name, data = judged
    net, x = SpintronicNet.from_pretrained(name), data.test_x[:8]
    for chip in ({"ideal": True}, {"chip_seed": 11, "wafer": 4}):
        placed = net.chips.place(**chip)
        codes = placed.quantise_input(x)
        wanted = placed.network.run(codes)
        found = TorchNetwork(placed.network)(codes)
        assert all(np.array_equal(found[key].numpy(), wanted[key]) for key in wanted)
        scale = next(out.scale for out in placed.network.outputs if out.name == "scores")
        scores = net(torch.from_numpy(x))
        assert scores.dtype == torch.float64
        assert np.array_equal(scores.numpy(), wanted["scores"] * scale)


def test_every_weights_has_its_data_and_its_class():
    assert set(pretrained_names()) <= set(DATA)
    for name in pretrained_names():
        kind = type(SpintronicNet.from_pretrained(name, floating=True))
        assert kind.__name__ in models.__all__
        assert type(kind.from_pretrained(name, floating=True)) is kind


def test_weights_are_small():
    assert [item.name for item in WEIGHTS if item.stat().st_size > 450_000] == []
    assert sum(item.stat().st_size for item in WEIGHTS) < 2_500_000


def test_the_page_has_every_card_as_it_is_made():
    page = (ROOT / "docs/model-zoo.md").read_text(encoding="utf8")
    assert [name for name in pretrained_names() if card(name) not in page] == []


def test_training_runs(tmp_path):
    """An epoch each on 256 digits; again from its checkpoints it writes the same file."""
    spec = importlib.util.spec_from_file_location("train_zoo", ROOT / "examples/train_zoo.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert set(script.RECIPES) >= set(PICTURES)
    found = []
    for name in ("first", "again"):
        out, work = tmp_path / f"{name}.safetensors", tmp_path / "work"
        words = ["micronet_digits", "--quick", "--out", str(out), "--work", str(work)]
        done = CliRunner().invoke(script.command, words, catch_exceptions=False)
        assert done.exit_code == 0 and "held_out: 64" in done.output
        found.append(out.read_bytes())
    assert found[0] == found[1]
    read = SpintronicNet.from_pretrained(tmp_path / "first.safetensors")
    assert read.facts["card"]["inputs"] == 64
