"""Tests of spintron_nn.training.model_file."""

import re

import pytest
import torch
from safetensors.torch import load_file

from spintron_ir import ParameterError
from spintron_nn.training import TrainingFileError, load_weights, read_manifest, save_model
from spintron_nn.training.networks import lenet, mlp
from spintron_nn.training.tensor_file import write_tree

FACTS = {"widths": [8, 6, 2], "seed": 3, "metrics": {"accuracy": 0.5, "chips": (0.25, None)}}


@pytest.fixture
def file(tmp_path):
    save_model(mlp((8, 6, 2), seed=3), tmp_path / "m.safetensors", architecture="mlp", **FACTS)
    return tmp_path / "m.safetensors"


def test_weights_and_manifest_come_back(file):
    model = mlp((8, 6, 2), seed=4)
    manifest = load_weights(model, file)
    for key, value in mlp((8, 6, 2), seed=3).state_dict().items():
        assert torch.equal(model.state_dict()[key], value)
    assert manifest == read_manifest(file)
    assert manifest["architecture"] == "mlp" and manifest["facts"] == FACTS
    assert manifest["versions"]["torch"] == torch.__version__
    assert list(manifest["versions"]) == ["spintron-nn-kit", "torch", "python"]


def test_any_reader_of_safetensors_reads_it(file):
    found = load_file(file)
    weight = mlp((8, 6, 2), seed=3).fc1.weight
    assert torch.equal(found["model.weights.fc1.weight"], weight)


def test_the_same_bytes_again_and_the_class_as_a_name(file, tmp_path):
    save_model(mlp((8, 6, 2), seed=3), tmp_path / "b", architecture="mlp", **FACTS)
    assert (tmp_path / "b").read_bytes() == file.read_bytes()
    save_model(torch.nn.Linear(2, 2), tmp_path / "b")
    assert read_manifest(tmp_path / "b")["architecture"] == "Linear"


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (mlp((8, 7, 2)), "weights.fc1.weight: shape (6, 8) instead of (7, 8); "
                         "weights.fc1.bias: shape (6,) instead of (7,); "
                         "weights.norm1.weight: shape (6,) instead of (7,); "
                         "weights.norm1.bias: shape (6,) instead of (7,); and 3 more"),
        (mlp((8, 2)), "weights.norm1.weight is not known; weights.norm1.bias is not known; "
                      "weights.norm1.running_mean is not known; "
                      "weights.norm1.running_var is not known; and 5 more"),
        (mlp((8, 6, 2)).double(), "weights.fc1.weight: torch.float32 instead of torch.float64; "),
    ],
    ids=["wider", "flatter", "double"],
)  # fmt: skip
def test_refuses_another_model(file, model, message):
    before = model.fc1.weight.clone()
    message = re.escape(f"{file}: weights of another model (mlp): {message}")
    with pytest.raises(TrainingFileError, match=f"^{message}.*build the model that they are of$"):
        load_weights(model, file)
    assert torch.equal(model.fc1.weight, before)


def test_another_architecture(file):
    with pytest.raises(TrainingFileError, match=r"weights of another model \(mlp\): "):
        load_weights(lenet((4, 4, 10, 10, 10)), file)


@pytest.mark.parametrize(
    "tree",
    [
        None,
        {"manifest": {}, "weights": {}},
        {"manifest": {"architecture": "", "versions": {}, "facts": {}}},
        {"manifest": [], "weights": {}},
    ],
    ids=range(4),
)
def test_refuses_what_is_no_model(tmp_path, tree):
    write_tree(tmp_path / "a", "model", tree)
    message = re.escape(f"{tmp_path / 'a'}: the model in the file is malformed; write it again")
    with pytest.raises(TrainingFileError, match=f"^{message}$"):
        read_manifest(tmp_path / "a")


def test_refuses_what_is_no_module(tmp_path):
    message = "model must be a torch.nn.Module, not str"
    with pytest.raises(ParameterError, match=f"^save_model: {message}$"):
        save_model("weights", tmp_path / "a")
    with pytest.raises(ParameterError, match=f"^load_weights: {message}$"):
        load_weights("weights", tmp_path / "a")


def test_refuses_other_facts(tmp_path):
    message = "model.manifest.facts.x: only tensors, numbers, text, None, and lists, tuples and "
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}"):
        save_model(mlp((8, 2)), tmp_path / "a", x=object())
