"""Tests of spintron_nn.converter.pytorch_front: what is refused, and in what words."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from spintron_ir import ConversionError
from spintron_nn.converter.loading import quiet
from spintron_nn.converter.pytorch_front import parse
from tests.spintron_nn.converter.pytorch_front.modules import (
    MIXES,
    Made,
    Pair,
    findings_of,
    program_of,
)
from tests.spintron_nn.converter.real_graph import run_model


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


def test_refuses_values_that_nothing_gives():
    program = program_of(Made(lambda s, x: (s.a(x.relu()), x + 1), nn.Linear(3, 3)), (3,))
    nodes = {node.name: node for node in program.graph.nodes}
    program.state_dict.pop("a.weight")
    assert findings_of(program) == [
        "a (aten.linear): takes what no operation before it gives; export it again"
    ]
    nodes["linear"].args = (nodes["add"], *nodes["linear"].args[1:])
    assert findings_of(program) == [
        "a (aten.linear): takes what no operation before it gives; export it again"
    ]


def test_refuses_a_statistic_as_a_result():
    program = program_of(Made(lambda s, x: (s.a(x), x), nn.BatchNorm1d(3)), (3,), core=True)
    item = next(node for node in program.graph.nodes if node.name == "getitem")
    item.args = (item.args[0], 1)
    assert findings_of(program) == [
        "forward: its result output_0 is what no operation gives; export it again"
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
