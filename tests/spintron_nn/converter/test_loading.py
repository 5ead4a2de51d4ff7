"""Tests of spintron_nn.converter.loading."""

import json
import os
import pickle
import re
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from spintron_ir import ConversionError, ParameterError
from spintron_nn.converter.graph import Linear
from spintron_nn.converter.loading import export_of, load_pt2, program_of, quiet
from spintron_nn.converter.pytorch_front import parse

WAY_OUT = "save it again with torch.export.save of torch 2.9 or later"


@pytest.fixture
def model():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(6, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Linear(5, 3)
    ).eval()


@pytest.fixture
def archive(model, tmp_path):
    path = tmp_path / "net.pt2"
    with quiet():
        torch.export.save(export_of(model, np.zeros((2, 2, 3))), path)
    return path


def changed(path, edit):
    """Write the archive again with what ``edit`` makes of its entries."""
    with zipfile.ZipFile(path) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    entries = edit(entries)
    with zipfile.ZipFile(path, "w") as target:
        for name, data in entries.items():
            target.writestr(name, data)
    return path


def edited_json(part, edit):
    def run(entries):
        name = next(name for name in entries if name.endswith(part))
        value = json.loads(entries[name])
        edit(value)
        return entries | {name: json.dumps(value).encode()}

    return run


def test_a_file_gives_the_same_graph_as_the_module(model, archive):
    direct = parse(export_of(model, np.zeros((2, 2, 3))))
    loaded = parse(load_pt2(archive))
    assert loaded.inputs == direct.inputs == {"input": (2, 3)}
    for ours, theirs in zip(loaded.steps, direct.steps, strict=True):
        assert (ours.name, ours.inputs, ours.shape) == (theirs.name, theirs.inputs, theirs.shape)
        if isinstance(ours.operation, Linear):
            np.testing.assert_array_equal(ours.operation.weight, theirs.operation.weight)
            np.testing.assert_array_equal(ours.operation.bias, theirs.operation.bias)


def test_a_free_batch_size_is_read(model, tmp_path):
    path = tmp_path / "net.pt2"
    batch = torch.export.Dim("batch")
    with quiet():
        program = torch.export.export(model, (torch.zeros(3, 2, 3),), dynamic_shapes=({0: batch},))
        torch.export.save(program, path)
    assert parse(load_pt2(path)).inputs == {"input": (2, 3)}


class Trap:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (str(self.mark),)


def test_sample_inputs_are_never_unpickled(archive, tmp_path):
    mark = tmp_path / "mark"

    def edit(entries):
        name = next(name for name in entries if "sample_inputs" in name)
        return entries | {name: pickle.dumps(Trap(mark))}

    load_pt2(changed(archive, edit))
    assert not mark.exists()


def trap_in_weights(value):
    value["config"]["1.weight"]["use_pickle"] = True


def trap_in_sizes(value):
    inputs = value["graph_module"]["graph"]["tensor_values"]["input"]
    inputs["sizes"][0] = {"as_expr": {"expr_str": "__import__('os').abort()", "hint": None}}


def trap_in_nodes(value):
    value["graph_module"]["graph"]["nodes"][0]["target"] = "torch.hub.load"


@pytest.mark.parametrize(
    ("edit", "finding"),
    [
        (edited_json("model_weights_config.json", trap_in_weights),
         f"net.pt2: holds pickled objects, which are never read; {WAY_OUT}"),
        (edited_json("model.json", trap_in_sizes),
         "net.pt2: has the size \"__import__('os').abort()\", and sizes must be numbers or single "
         "symbols; export it with a fixed batch size"),
        (edited_json("model.json", trap_in_nodes),
         "torch.hub.load: not supported; only operations of PyTorch's ATen are converted"),
        (lambda entries: entries | {"net/data/constants/custom_obj_0": b"x"},
         "net.pt2: holds 'net/data/constants/custom_obj_0', which no exported model needs; "
         + WAY_OUT),
        (lambda entries: entries | {"net/data/weights/model.pt": b"x"},
         f"net.pt2: holds 'net/data/weights/model.pt', which no exported model needs; {WAY_OUT}"),
        (lambda entries: entries | {"other/models/model.json": b"{}"},
         f"net.pt2: holds 'other/models/model.json', which no exported model needs; {WAY_OUT}"),
        (lambda entries: {"net/archive_version": b"0"},
         "net.pt2: is not an archive of torch.export (it holds no models/model.json); " + WAY_OUT),
    ],
    ids=["weights", "sizes", "nodes", "objects", "legacy", "twice", "empty"],
)  # fmt: skip
def test_refuses_what_could_run_code(archive, edit, finding):
    with pytest.raises(ConversionError) as caught:
        load_pt2(changed(archive, edit))
    assert caught.value.findings == (finding,)


def test_refuses_a_file_of_something_else(tmp_path):
    path = tmp_path / "net.pt2"
    path.write_bytes(b"no archive")
    with pytest.raises(ConversionError) as caught:
        load_pt2(path)
    assert caught.value.findings == (
        f"net.pt2: is not an archive of torch.export (File is not a zip file); {WAY_OUT}",
    )


def test_refuses_a_damaged_graph(archive):
    path = changed(archive, edited_json("model.json", lambda value: value.pop("graph_module")))
    with pytest.raises(ConversionError) as caught:
        load_pt2(path)
    pattern = rf"net\.pt2: cannot be read by torch {re.escape(torch.__version__)} \(.*\); {WAY_OUT}"
    assert re.fullmatch(pattern, caught.value.findings[0])


def test_refuses_a_shape_that_does_not_fit(model):
    with pytest.raises(ConversionError) as caught:
        export_of(model, np.zeros((2, 7)))
    assert re.fullmatch(
        r"Sequential \(torch\.export\): cannot be traced with an input of shape \(7,\): .*; make "
        r"forward\(\) a fixed sequence of operations on tensors, or give calibration data of the "
        r"right shape",
        caught.value.findings[0],
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("net.pth", "convert: model must be a .pt2 file of torch.export.save or an .onnx file, not "
                    "'net.pth'; pickled models are never read: load it yourself and pass the "
                    "module; a .tflite file is for convert_quantised"),
        ("nowhere.pt2", "load_pt2: path must name a file, and there is no 'nowhere.pt2'"),
        (7, "convert: model must be a torch.nn.Module, an exported program or the path of a .pt2 "
            "or .onnx file, not int"),
    ],
)  # fmt: skip
def test_refuses_other_models(given, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        program_of(given, np.zeros((2, 6)))


def test_double_precision_is_kept():
    model = nn.Linear(3, 2).double()
    (step,) = parse(program_of(model, np.zeros((2, 3)))).steps
    np.testing.assert_array_equal(step.operation.weight, model.weight.detach().numpy())


class Both(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, image, vector):
        return self.fc(image).amax(1) + vector


@pytest.mark.parametrize(
    "example",
    [
        (np.zeros((5, 4, 3)), np.zeros((5, 2))),
        {"vector": np.zeros((1, 2)), "image": np.zeros((1, 4, 3))},
    ],
    ids=["places", "names"],
)
def test_several_inputs(example):
    assert parse(program_of(Both(), example)).inputs == {"image": (4, 3), "vector": (2,)}


def test_refuses_several_inputs_that_do_not_fit():
    with pytest.raises(ConversionError) as caught:
        program_of(Both(), (np.zeros((2, 4)), np.zeros((2, 2))))
    assert re.fullmatch(
        r"Both \(torch\.export\): cannot be traced with inputs of shapes \(4,\), \(2,\): .*; make "
        r"forward\(\) a fixed sequence of operations on tensors, or give calibration data of the "
        r"right shape",
        caught.value.findings[0],
    )
