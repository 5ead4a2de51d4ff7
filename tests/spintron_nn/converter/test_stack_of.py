"""Tests of spintron_nn.converter.stack_of."""

import numpy as np
import pytest
import torch
from torch import nn

from spintron_ir import ConversionError
from spintron_nn.converter.loading import export_of, quiet
from spintron_nn.converter.pytorch_front import parse
from spintron_nn.converter.stack_of import stack_of


def read(model, shape=(6,)):
    return stack_of(parse(export_of(model, np.zeros((3, *shape)))))


def findings_of(model, shape=(6,)):
    with pytest.raises(ConversionError) as caught:
        read(model, shape)
    return list(caught.value.findings)


def whole():
    return nn.Sequential(
        nn.Flatten(),
        nn.Dropout(0.25),
        nn.Linear(6, 5),
        nn.BatchNorm1d(5, eps=1e-3),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(5, 4, bias=False),
        nn.ReLU(),
        nn.Linear(4, 3),
    )


class Functional(nn.Module):
    """Layers as functions, and a shape that is written out."""

    def __init__(self):
        super().__init__()
        self.First = nn.Linear(6, 4)
        self.second = nn.Linear(4, 2)

    def forward(self, x):
        x = torch.relu(self.First(x.view(x.shape[0], 6)))
        return self.second(x)


@pytest.mark.parametrize("core", [False, True], ids=["exported", "core-aten"])
def test_reads_a_stack(core):
    model = whole()
    with torch.no_grad():
        model[3].running_mean.uniform_(-1, 1)
        model[3].weight.uniform_(-1, 1)
    program = export_of(model, np.zeros((3, 2, 3)))
    if core:
        with quiet():
            program = program.run_decompositions()
    stack = stack_of(parse(program))
    assert stack.input_shape == (2, 3) and stack.inputs == 6
    assert [stage.name for stage in stack.stages] == ["layer_2", "layer_6", "layer_8"]
    assert [stage.relu for stage in stack.stages] == [True, True, False]
    assert [stage.norm is not None for stage in stack.stages] == [True, False, False]
    assert [stage.weight_key for stage in stack.stages] == ["2.weight", "6.weight", "8.weight"]
    assert [stage.bias_key for stage in stack.stages] == ["2.bias", None, "8.bias"]
    first, second, _ = stack.stages
    np.testing.assert_array_equal(first.weight, model[2].weight.detach().double().numpy())
    np.testing.assert_array_equal(first.bias, model[2].bias.detach().double().numpy())
    np.testing.assert_array_equal(second.bias, np.zeros(4))
    np.testing.assert_array_equal(first.norm.mean, model[3].running_mean.double().numpy())
    np.testing.assert_array_equal(first.norm.gamma, model[3].weight.detach().double().numpy())
    assert first.norm.eps == 1e-3 and first.norm.var_key == "3.running_var"
    if not core:  # core ATen has dropped what does nothing
        assert stack.input_dropout == 0.25 and first.dropout == 0.5


def test_reads_functions_too():
    stack = read(Functional(), (2, 3))
    assert [stage.name for stage in stack.stages] == ["first", "second"]
    assert stack.stages[0].relu


def test_a_model_is_left_as_it_is():
    model = whole().train()
    before = {key: value.clone() for key, value in model.state_dict().items()}
    read(model, (2, 3))
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


class Unsupported(nn.Module):
    """One of each kind of what a stack does not have."""

    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3)
        self.norm = nn.BatchNorm2d(4)
        self.pool = nn.MaxPool2d(2)
        self.fc1 = nn.Linear(36, 8)
        self.act = nn.Sigmoid()
        self.fc2 = nn.Linear(8, 8)
        self.out = nn.Softmax(-1)

    def forward(self, x):
        x = self.pool(self.norm(self.conv1(x))).flatten(1) * 2 - 1
        x = self.act(self.fc1(x))
        return self.out(x + self.fc2(x))


def test_all_findings_at_once():
    dense = "a stack has Linear, BatchNorm1d, ReLU, Dropout and Flatten alone"
    assert findings_of(Unsupported(), (1, 8, 8)) == [
        f"conv1 (aten.conv2d): not supported; {dense}",
        "norm (aten.batch_norm): does not follow a Linear layer; use Linear, BatchNorm1d, ReLU, in "
        "this order",
        f"pool (aten.max_pool2d): not supported; {dense}",
        f"mul (aten.mul): not supported; {dense}",
        f"sub (aten.add): not supported; {dense}",
        "act (aten.sigmoid): not supported; use nn.ReLU, then fine-tune",
        "add (aten.add): not supported; branches and skip connections are not converted: make "
        "forward() a plain sequence",
        "out (aten.softmax): not supported; leave it out, the scores before it have the same "
        "largest class",
    ]


class Skip(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x):
        return self.fc1(x) + self.fc2(x)


class Unused(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(6, 6), nn.Linear(6, 6)

    def forward(self, x):
        self.fc1(x)
        return self.fc2(x)


class Sizes(nn.Module):
    """A Linear layer whose weight is worked out in forward()."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(3, 6))

    def forward(self, x):
        return nn.functional.linear(x, self.weight * 2)


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(6, 6)

    def forward(self, x):
        x = self.fc1(x)
        return x, x.relu()


@pytest.mark.parametrize(
    ("model", "shape", "findings"),
    [
        (nn.Flatten(), (2, 3), ["forward: has no Linear layer; there is nothing to map on a chip"]),
        (nn.Sequential(nn.Linear(6, 6), nn.ReLU()), (6,),
         ["layer_0 (aten.relu): the last layer must give scores; remove the ReLU behind it"]),
        (nn.Sequential(nn.ReLU(), nn.Linear(6, 6)), (6,),
         ["0 (aten.relu): does not follow a Linear layer; remove it, or apply it to the data"]),
        (nn.Sequential(nn.Linear(6, 6), nn.ReLU(), nn.BatchNorm1d(6), nn.Linear(6, 2)), (6,),
         ["2 (aten.batch_norm): does not follow a Linear layer; use Linear, BatchNorm1d, ReLU, in "
          "this order"]),
        (nn.Linear(6, 2), (4, 6),
         ["linear (aten.linear): is applied to (batch, 4, 6); put nn.Flatten() before it, a Linear "
          "layer takes (batch, values)"]),
        (nn.Sequential(nn.Unflatten(1, (3, 2)), nn.Flatten(), nn.Linear(6, 2)), (6,),
         ["0 (aten.reshape): turns (batch, 6) into (batch, 3, 2); only flattening the input to "
          "(batch, values) is supported"]),
        (Skip(), (6,),
         ["fc2 (aten.linear): takes a value that something else uses too; branches and skip "
          "connections are not supported: make forward() a plain sequence",
          "add (aten.add): not supported; branches and skip connections are not converted: make "
          "forward() a plain sequence"]),
        (Sizes(), (6,),
         ["linear (aten.linear): its weights are computed, not parameters; make them nn.Linear"]),
        (Two(), (6,),
         ["forward: takes 1 inputs and gives 2 outputs; write a module of one tensor argument and "
          "one tensor result",
          "forward: returns something else than its last layer's result; return that",
          "fc1 (aten.relu): the last layer must give scores; remove the ReLU behind it"]),
    ],
    ids=["empty", "relu-last", "relu-first", "norm-late", "three-axes", "reshape", "skip",
         "computed", "two"],
)  # fmt: skip
def test_refuses(model, shape, findings):
    assert findings_of(model, shape) == findings


def test_what_leads_to_no_output_is_no_branch():
    assert [stage.name for stage in read(Unused()).stages] == ["fc2"]
