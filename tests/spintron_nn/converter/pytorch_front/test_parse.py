"""Tests of spintron_nn.converter.pytorch_front.parse: names, and what is followed."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from spintron_nn.converter import graph
from spintron_nn.converter.pytorch_front import parse
from tests.spintron_nn.converter.pytorch_front.modules import (
    Made,
    Pair,
    kinds,
    program_of,
    read,
)
from tests.spintron_nn.converter.real_graph import run_model


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.relu = nn.ReLU(inplace=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding="same", padding_mode="circular")

    def forward(self, x):
        y = self.conv2(self.relu(self.bn1(self.conv1(x))))
        y += x
        return F.relu(y, inplace=True)


def test_names_say_where_a_step_is_from():
    model = nn.Sequential(
        Block(2), Block(2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 3)
    )
    made = parse(program_of(model, (2, 4, 4)))
    assert [(step.name, step.origin) for step in made.steps[12:]] == [
        ("layer_1_conv1", "1.conv1 (Conv2d)"),
        ("layer_1_bn1", "1.bn1 (BatchNorm2d)"),
        ("layer_1_relu", "1.relu (ReLU)"),
        ("layer_1_conv2_slice", "1.conv2 (Conv2d)"),
        ("layer_1_conv2_slice_2", "1.conv2 (Conv2d)"),
        ("layer_1_conv2_concatenate", "1.conv2 (Conv2d)"),
        ("layer_1_conv2_slice_3", "1.conv2 (Conv2d)"),
        ("layer_1_conv2_slice_4", "1.conv2 (Conv2d)"),
        ("layer_1_conv2_concatenate_2", "1.conv2 (Conv2d)"),
        ("layer_1_conv2", "1.conv2 (Conv2d)"),
        ("layer_1_add", "1 (aten.add_)"),
        ("layer_1_relu_2", "1 (aten.relu_)"),
        ("layer_2", "2 (AdaptiveAvgPool2d)"),
        ("layer_3", "3 (Flatten)"),
        ("layer_4", "4 (Linear)"),
    ]
    assert made.inputs == {"input": (2, 4, 4)} and made.outputs == {"output": "layer_4"}
    assert all(re.fullmatch("[a-z][a-z0-9_]{0,62}", step.name) for step in made.steps)
    conv = made.steps[0].operation
    assert (conv.weight_key, conv.bias_key) == ("0.conv1.weight", None)
    assert made.steps[1].operation.mean_key == "0.bn1.running_mean"


def test_long_names_are_cut():
    model = Made(lambda self, x: self.a(x), nn.Sequential())
    path = "a" * 80
    model.a.add_module(path, nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)))
    assert [step.name for step in parse(program_of(model, (3,))).steps] == [
        "a_" + "a" * 61,
        "a_" + "a" * 59 + "_2",
    ]


def test_outputs_have_the_names_of_the_keys():
    made = read(lambda self, x: {"scores": x + 1, "Two": (x * 2, [x - 3])}, (3,))
    assert list(made.outputs) == ["scores", "two_0", "two_1_0"]
    assert list(read(lambda self, x: (x.relu(), x.relu()), (3,)).outputs) == [
        "output_0",
        "output_1",
    ]


def test_several_inputs():
    made = parse(program_of(Pair(lambda x, y: (x - 2 * y, x)), (3,), (3,)))
    assert made.inputs == {"x": (3,), "y": (3,)}
    assert [(step.name, step.inputs) for step in made.steps] == [
        ("mul", ("y",)),
        ("sub", ("x", "mul")),
        ("output", ("x",)),
    ]
    assert made.steps[1].operation.factors == (1.0, -1.0)


def test_a_module_used_twice_shares_its_weights():
    made = read(lambda self, x: self.a(self.a(x).relu()), (3,), layers=[nn.Linear(3, 3)])
    assert [step.name for step in made.steps] == ["a", "relu", "a_2"]
    assert made.steps[0].operation.weight_key == made.steps[2].operation.weight_key == "a.weight"


def test_what_leads_to_no_output_is_left_out():
    layers = [nn.Linear(3, 3), nn.LayerNorm(3)]

    def forward(self, x):
        self.b(x)
        values, _ = x.topk(2)
        self.a(values.repeat(1, 2)[:, :3])
        return self.a(x)

    assert [step.name for step in read(forward, (3,), layers=layers).steps] == ["a"]


@pytest.mark.parametrize("free", [False, True], ids=["fixed", "free"])
@pytest.mark.parametrize("core", [False, True], ids=["exported", "core"])
def test_axes_joined_with_the_batch_and_parted_again(core, free):
    layers = [nn.Linear(4, 5), nn.BatchNorm1d(5)]

    def forward(self, x):
        x = self.a(x)
        return self.b(x.reshape(-1, 5)).relu().reshape(-1, 3, 5).softmax(-1)

    made = read(forward, (3, 4), layers=layers, free=free, core=core)
    assert kinds(made) == ["Linear", "Permute", "Norm", "Permute", "Function", "SoftmaxOf"]


def test_in_place_operations_are_followed():
    def forward(self, x):
        y = x * 2
        y[:, 0] = 7
        y += x
        z = y.view(-1, 2, 2)
        z.relu_()
        return y

    made = read(forward, (4,))
    x = np.array([[1.0, -2.0, 3.0, -4.0], [5.0, 6.0, -7.0, 8.0]])
    np.testing.assert_array_equal(
        run_model(made, {"x": x})["output"], [[8.0, 0.0, 9.0, 0.0], [12.0, 18.0, 0.0, 24.0]]
    )


def test_weights_worked_out_in_the_module():
    def forward(self, x):
        weight = self.a.weight / self.a.weight.abs().sum(1, keepdim=True)
        return F.linear(x, weight) @ torch.eye(3)

    made = read(forward, (4,), layers=[nn.Linear(4, 3)])
    assert kinds(made) == ["Linear", "Linear"]
    assert made.steps[0].operation.weight_key is None
    np.testing.assert_array_equal(made.steps[1].operation.weight, np.eye(3))


def test_only_a_matrix_as_it_is_in_the_state_keeps_its_key():
    class Turned(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 3))

        def forward(self, x):
            return (x @ self.weight) @ self.weight.T

    made = parse(program_of(Turned(), (4,)))
    assert [step.operation.weight_key for step in made.steps] == [None, "weight"]


def test_dropout_is_kept():
    made = read(lambda self, x: self.a(x), (3,), layers=[nn.Dropout(0.25)])
    assert made.steps[0].operation == graph.Dropout(0.25)


@pytest.mark.parametrize("free", [False, True], ids=["fixed", "free"])
def test_constants_with_a_row_for_each_input(free):
    def forward(self, x):
        return torch.cat([x.new_ones(x.shape[0], 1), x + 2, torch.full((x.shape[0], 1), 5.0)], 1)

    made = read(forward, (1,), free=free)
    assert kinds(made) == ["Affine", "Pad", "Affine"]
    np.testing.assert_array_equal(run_model(made, {"x": [[7.0]]})["output"], [[1.0, 9.0, 5.0]])
