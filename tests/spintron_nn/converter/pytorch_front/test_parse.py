"""Tests of spintron_nn.converter.pytorch_front.parse: names, what is refused, and in what words."""

import re

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from spintron_ir import ConversionError
from spintron_nn.converter import graph
from spintron_nn.converter.loading import quiet
from spintron_nn.converter.pytorch_front import parse
from tests.spintron_nn.converter.real_graph import run_model

MIXES = (
    "mixes the inputs of a batch; keep the batch the first axis of every value and work on the "
    "others"
)


class Made(nn.Module):
    """A function as a module, with layers ``a``, ``b``, ... for it."""

    def __init__(self, function, *layers):
        super().__init__()
        self.function = function
        for name, layer in zip("abcdef", layers):
            setattr(self, name, layer)

    def forward(self, x):
        return self.function(self, x)


class Pair(nn.Module):
    """A function of two tensors."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, y):
        return self.function(x, y)


def program_of(model, *shapes, batch=2, free=False, core=False):
    torch.manual_seed(0)
    given = tuple(torch.randn(batch, *shape) for shape in shapes)
    axes = tuple({0: torch.export.Dim("batch", min=2)} for _ in given) if free else None
    with quiet():
        program = torch.export.export(model.eval(), given, dynamic_shapes=axes)
        return program.run_decompositions() if core else program


def read(function, *shapes, layers=(), **options):
    return parse(program_of(Made(function, *layers), *shapes, **options))


def findings_of(program):
    with pytest.raises(ConversionError) as caught:
        parse(program)
    return list(caught.value.findings)


def kinds(model):
    return [type(step.operation).__name__ for step in model.steps]


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


class Many(nn.Module):
    """One of each kind of what is not converted."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3)
        self.norm = nn.GroupNorm(2, 4)
        self.up = nn.Upsample(scale_factor=2, mode="bilinear")
        self.pool = nn.AdaptiveAvgPool2d(5)
        self.act = nn.Mish()
        self.fc = nn.Linear(100, 8)
        with torch.no_grad():
            self.fc.weight[0, :2] = float("nan")

    def forward(self, x):
        x = self.act(self.pool(self.up(self.norm(self.conv(x)))))
        x = self.fc(x.flatten(1))
        x = x / x.sum()
        return torch.where(x > 0, x, x.cumsum(1)), x.t()


def test_all_findings_at_once():
    assert findings_of(program_of(Many(), (1, 8, 8))) == [
        "fc.weight: 2 of 800 values are not finite; train again from a checkpoint before they "
        "became so",
        "norm (aten.group_norm): not supported; use nn.BatchNorm1d or nn.BatchNorm2d, then "
        "fine-tune",
        "up (aten.upsample_bilinear2d): not supported; use mode='nearest' with whole factors",
        "pool (aten.adaptive_avg_pool2d): pools (12, 12) to (5, 5), in windows of several sizes; "
        "use sizes that divide those of the input, such as 1",
        "act (aten.mish): not supported; use nn.ReLU, nn.SiLU, nn.GELU or nn.Hardswish, then "
        "fine-tune",
        f"sum_1 (aten.sum): {MIXES}",
        "cumsum (aten.cumsum): not supported; fold it into constants, or use exp, sigmoid, tanh or "
        "a product",
        "where (aten.where): chooses value by value; use clamp, ReLU or LeakyReLU",
        f"t (aten.t): {MIXES}",
    ]


@pytest.mark.parametrize(
    ("function", "shape", "layers", "finding"),
    [
        (lambda s, x: x.reshape(-1), (3,), (), f"forward: its result output {MIXES}"),
        (lambda s, x: x.reshape(3, 2), (3,), (), f"reshape (aten.reshape): {MIXES}"),
        (lambda s, x: x.transpose(0, 1), (2,), (), f"transpose (aten.transpose): {MIXES}"),
        (lambda s, x: x - x.mean(0, keepdim=True), (3,), (), f"mean (aten.mean): {MIXES}"),
        (lambda s, x: x[:1], (3,), (), f"slice_1 (aten.slice): {MIXES}"),
        (lambda s, x: x[None], (3,), (), f"unsqueeze (aten.unsqueeze): {MIXES}"),
        (lambda s, x: torch.cat([x, x]), (3,), (), f"cat (aten.cat): {MIXES}"),
        (lambda s, x: x.softmax(0), (3,), (), f"softmax (aten.softmax): {MIXES}"),
        (lambda s, x: x + torch.tensor([[1.0], [2.0]]), (3,), (), f"add (aten.add): {MIXES}"),
        (lambda s, x: s.a(x.reshape(-1, 1, 4, 4)).reshape(-1, 3, 4, 4), (3, 4, 4),
         (nn.Conv2d(1, 1, 1),),
         "a (aten.conv2d): is applied to (batch * 3, 1, 4, 4); give it (batch, channels, height, "
         "width)"),
        (lambda s, x: s.a(x), (1, 2, 2, 2), (nn.Conv3d(1, 1, 1),),
         "a (aten.conv3d): has other than one or two spatial axes; use nn.Conv1d or nn.Conv2d, "
         "slice by slice"),
        (lambda s, x: s.a(x), (3,), (nn.BatchNorm1d(3, track_running_stats=False),),
         "a (aten.batch_norm): has no running statistics; use track_running_stats=True"),
        (lambda s, x: x @ x.mT, (3, 3), (),
         "matmul (aten.matmul): multiplies two computed matrices, as attention does, and a "
         "crossbar holds constant ones; make one of them constant"),
        (lambda s, x: F.scaled_dot_product_attention(x, x, x), (3, 3), (),
         "scaled_dot_product_attention (aten.scaled_dot_product_attention): not supported; "
         "attention multiplies two computed matrices, and a crossbar holds constant ones: use "
         "convolutions and Linear layers"),
        (lambda s, x: s.a(x)[0], (3, 4), (nn.LSTM(4, 2, batch_first=True),),
         "a (aten.lstm): not supported; unroll it into Linear layers with a fixed number of steps"),
        (lambda s, x: F.max_pool2d(x, 2, return_indices=True)[1], (1, 4, 4), (),
         "getitem_1 (getitem): gives indices of the largest values; use return_indices=False"),
        (lambda s, x: F.interpolate(x, scale_factor=1.5), (1, 4, 4), (),
         "upsample_nearest2d (aten.upsample_nearest2d): scales (4, 4) to (6, 6); use whole "
         "factors, with nearest neighbours"),
        (lambda s, x: s.a(x), (3, 4), (nn.PReLU(3),), None),
        (lambda s, x: F.softplus(x, threshold=5), (3,), (),
         "softplus (aten.softplus): has beta 1 and threshold 5; use a beta above zero and the "
         "threshold 20"),
        (lambda s, x: torch.maximum(x, x * 2), (3,), (),
         "maximum (aten.maximum): takes the larger of two computed tensors; write torch.relu(x - "
         "y) + y"),
        (lambda s, x: torch.minimum(x, x * 2), (3,), (),
         "minimum (aten.minimum): takes the smaller of two computed tensors; write y - "
         "torch.relu(y - x)"),
        (lambda s, x: x / x.abs(), (3,), (),
         "div (aten.div): divides by a computed tensor; divide by constants"),
        (lambda s, x: x / 0, (3,), (), "div (aten.div): divides by zero; use another divisor"),
        (lambda s, x: torch.div(x, 2, rounding_mode="floor"), (3,), (),
         "div (aten.div): rounds its quotient (floor); divide without rounding"),
        (lambda s, x: x * float("inf"), (3,), (),
         "mul (aten.mul): takes a constant that is not finite; use a finite one"),
        (lambda s, x: x + torch.tensor([1.0, float("nan"), 2.0]), (3,), (),
         "add (aten.add): takes a constant of which 1 of 3 values are not finite; use finite ones"),
        (lambda s, x: x**3, (3,), (),
         "pow_1 (aten.pow): takes the power 3; use x * x, or a function of the list"),
        (lambda s, x: (x > 0) * x, (3,), (), None),
        (lambda s, x: x.int(), (3,), (),
         "to (aten.to): turns values into torch.int32; keep them floating-point numbers"),
        (lambda s, x: x + torch.rand(3), (3,), (),
         "rand (aten.rand): not supported; call model.eval() before torch.export, and draw nothing "
         "in forward()"),
        (lambda s, x: (x, torch.ones(2, 3)), (3,), (),
         "forward: its result output_1 does not depend on the input; leave it out"),
        (lambda s, x: F.pad(x, (1, 1), value=float("-inf")), (3,), (),
         "pad (aten.pad): pads with -inf; pad with a finite number"),
        (lambda s, x: x[:, torch.tensor([[0, 1]])], (3,), (),
         "index (aten.index): picks places with a tensor of other than one axis of integers; use "
         "slices"),
        (lambda s, x: x[:, torch.tensor([0, 1]), torch.tensor([1, 0])], (3, 3), (),
         "index (aten.index): picks single values by their places; use slices"),
        (lambda s, x: x[:, torch.tensor([0, 1]), :, torch.tensor([1, 0])], (3, 3, 3), (),
         "index (aten.index): picks places along axes that are apart; pick along one after the "
         "other"),
    ],
)  # fmt: skip
def test_refuses(function, shape, layers, finding):
    if layers and isinstance(layers[0], nn.PReLU):
        with torch.no_grad():
            layers[0].weight.copy_(torch.tensor([0.1, 0.2, 0.3]))
        finding = (
            "a (aten.prelu): has a slope for each channel, and one for all is supported; use "
            "nn.PReLU() or nn.LeakyReLU, then fine-tune"
        )
    if finding is None:
        finding = (
            "mul (aten.mul): takes a comparison where numbers must be; use clamp, ReLU or a "
            "constant mask"
        )
    assert findings_of(program_of(Made(function, *layers), shape)) == [finding]


def test_refuses_what_depends_on_a_free_batch():
    def forward(self, x):
        return x / x.shape[0] + torch.arange(x.shape[0])[:, None]

    assert findings_of(program_of(Made(forward), (3,), free=True)) == [
        "div (aten.div): depends on the size of the batch; use a number",
        "arange (aten.arange): makes a constant of the size of the batch; use one without that "
        "axis",
    ]


@pytest.mark.parametrize("free", [False, True], ids=["fixed", "free"])
def test_constants_with_a_row_for_each_input(free):
    def forward(self, x):
        return torch.cat([x.new_ones(x.shape[0], 1), x + 2, torch.full((x.shape[0], 1), 5.0)], 1)

    made = read(forward, (1,), free=free)
    assert kinds(made) == ["Affine", "Pad", "Affine"]
    np.testing.assert_array_equal(run_model(made, {"x": [[7.0]]})["output"], [[1.0, 9.0, 5.0]])


@pytest.mark.parametrize(
    ("model", "given", "findings"),
    [
        (Pair(lambda x, y: (x + 1, y + 1)), (torch.zeros(2, 3), torch.zeros(4, 3)),
         ["forward: its inputs x, y have the first axes 2, 4; give all of them one batch"]),
        (Made(lambda s, x: x + 1), (torch.zeros(4),),
         ["forward: its input x has no axes but the batch; give (batch, n)"]),
        (Made(lambda s, x: x + 1), (torch.zeros(2, 3, dtype=torch.int64),),
         ["forward: its input x takes torch.int64; give it as floating-point numbers"]),
    ],
    ids=["batches", "flat", "integers"],
)  # fmt: skip
def test_refuses_inputs(model, given, findings):
    with quiet():
        program = torch.export.export(model, given)
    assert findings_of(program) == findings


def test_refuses_free_axes_behind_the_batch():
    with quiet():
        program = torch.export.export(
            Made(lambda s, x: x + 1), (torch.zeros(2, 3),),
            dynamic_shapes=({0: torch.export.Dim("b"), 1: torch.export.Dim("n")},),
        )  # fmt: skip
    assert findings_of(program) == [
        "forward: its input x has axes of free size behind the batch; export it with fixed ones"
    ]


def test_refuses_a_program_exported_for_training():
    model = nn.Sequential(nn.Linear(6, 6), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 2))
    with quiet():
        program = torch.export.export(model.train(), (torch.zeros(2, 6),))
    assert findings_of(program) == [
        "1 (aten.batch_norm): exported in training mode; call model.eval() before torch.export",
        "2 (aten.dropout): exported in training mode; call model.eval() before torch.export",
    ]


def test_refuses_state_that_changes():
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(3))

        def forward(self, x):
            self.seen += 1
            return x + self.seen

    assert findings_of(program_of(Counts(), (3,))) == [
        "seen: changes while the model runs; keep forward() free of that"
    ]


def test_refuses_control_flow_on_data():
    class Either(nn.Module):
        def forward(self, x):
            return torch.cond(x.sum() > 0, lambda x: x + 1, lambda x: x - 1, (x,))

    assert findings_of(program_of(Either(), (3,))) == [
        f"sum_1 (aten.sum): {MIXES}",
        "cond (cond): not supported; decide before the export: forward() must compute the same for "
        "every input",
    ]


@pytest.mark.parametrize("seed", range(2))
def test_damaged_programs_give_findings_or_models(seed):
    """Arguments as no exporter writes them, and a file might."""
    random = np.random.default_rng(seed)
    layers = [nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4), nn.Linear(36, 3)]

    def forward(self, x):
        x = F.avg_pool2d(F.relu(self.b(self.a(x))), 2, 1, ceil_mode=True)
        first, second = F.pad(x, (1, 0, 0, 1)).chunk(2, 1)
        x = torch.cat([second, first.flip(2)], 1).amax(1, keepdim=True)
        return torch.softmax(self.c(F.interpolate(x, (6, 6)).view(x.shape[0], -1)), 1).topk(2)

    model = Made(forward, *layers)
    program = program_of(model, (2, 2, 2), core=bool(seed % 2))
    nodes = [node for node in program.graph.nodes if node.op == "call_function"]
    findings = []
    for node in nodes:
        whole = node.args
        for place in range(len(whole)):
            for wrong in (0, -3, 1 << 40, 2.5, None, [], [7], "x"):
                if isinstance(whole[place], torch.fx.Node) and random.random() < 0.5:
                    continue
                node.args = (*whole[:place], wrong, *whole[place + 1 :])
                try:
                    made = parse(program)
                except ConversionError as error:
                    findings += error.findings
                else:
                    run_model(made, {"x": np.zeros((1, 2, 2, 2))})
                node.args = whole
    assert len(findings) > 100
    assert all("; " in finding for finding in findings)
