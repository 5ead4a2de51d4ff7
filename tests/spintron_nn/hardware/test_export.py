"""Tests of spintron_nn.hardware.export, through the public model."""

import json

import numpy as np
import pytest
import torch
from torch import nn

from spintron_ir import Network, ParameterError
from spintron_nn import MTJConfig, SpintronConverter

X = np.random.default_rng(0).uniform(0, 1, (40, 8))


@pytest.fixture(scope="module")
def made():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 4), nn.ReLU(), nn.Linear(4, 3)).eval()
    return SpintronConverter(MTJConfig()).convert(
        model, calibration=X, crossbar_size=8, activation_bits=2
    )


def test_verilog_of_the_readme(made):
    text = made.to_verilog(module_name="keyword_detector", target_frequency=10e6)
    assert "module keyword_detector(" in text
    assert "i_x__payload" in text and "o_class__valid" in text
    assert text == made.to_verilog(module_name="keyword_detector", target_frequency=10e6)


def test_a_design_folder(made, tmp_path):
    files = made.save_design(tmp_path / "out", module_name="little", vectors=X[:5])
    names = {path.name for path in files}
    assert {"network.safetensors", "little.v", "little_tb.v", "manifest.json"} <= names
    assert all(path.is_file() for path in files)
    loaded = Network.load(tmp_path / "out" / "network.safetensors")
    assert loaded.digest() == made.network.digest()
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["inputs"]["network"] == made.network.digest()
    assert set(manifest["files"]) == names - {"manifest.json"}


def test_random_vectors_are_always_the_same(made, tmp_path):
    first = made.save_design(tmp_path / "a")
    again = made.save_design(tmp_path / "b")
    for one, other in zip(first, again, strict=True):
        assert one.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("frequency", [0, "fast", -1.0])
def test_refuses_a_frequency(made, frequency):
    with pytest.raises(
        ParameterError,
        match=rf"^export: target_frequency must be in 1\.\.1e11 Hz, not {frequency!r}$",
    ):
        made.to_verilog(target_frequency=frequency)


def test_refuses_a_name(made):
    with pytest.raises(
        ParameterError,
        match=r"^export: module_name must be a letter followed by letters, digits and "
        r"underscores, not 'a-b'$",
    ):
        made.to_verilog(module_name="a-b")
