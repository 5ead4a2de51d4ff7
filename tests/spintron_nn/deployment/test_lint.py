"""Tests of spintron_nn.deployment.lint."""

import numpy as np
import pytest
import torch
from torch import nn

from spintron_ir import IntType
from spintron_nn.deployment.lint import lint_model, lint_network
from tests.spintron_nn.converter.onnx_front.graphs import Graph


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 4, 3, padding=1)
        self.two = nn.Conv2d(4, 4, 3, padding=1)
        self.last = nn.Linear(4, 3)

    def forward(self, x):
        x = torch.relu(self.one(x))
        return self.last(torch.relu(x + self.two(x)).mean((2, 3)))


def saved(model, path, shape):
    program = torch.export.export(model.eval(), (torch.zeros(2, *shape),))
    torch.export.save(program, path)
    return path


def test_a_branch_is_noted_with_its_buffer(tmp_path):
    found = lint_model(saved(Residual(), tmp_path / "m.pt2", (3, 6, 6)))
    assert found.findings == ()
    assert any(": goes 2 ways; before " in note and " a buffer of " in note for note in found.notes)


def test_what_does_not_fit_a_board_is_a_finding(tmp_path):
    path = saved(nn.Sequential(nn.Linear(400, 300), nn.ReLU(), nn.Linear(300, 10)),
                 tmp_path / "m.pt2", (400,))  # fmt: skip
    assert lint_model(path).findings == ()
    (finding,) = lint_model(path, board="icebreaker").findings
    assert finding.startswith("the network needs about ") and "larger board" in finding


def test_all_findings_of_a_model_come_at_once(tmp_path):
    class Waves(nn.Module):
        def forward(self, x):
            return torch.cumsum(torch.sin(x), 1) * torch.cos(x)

    found = lint_model(saved(Waves(), tmp_path / "m.pt2", (4,)))
    assert len(found.findings) == 3


@pytest.mark.parametrize("name", ["m.onnx", "m.tflite", "m.pt2"])
@pytest.mark.parametrize("content", [b"", b"nonsense", bytes(1000)])
def test_a_damaged_file_is_a_finding(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    found = lint_model(tmp_path / name)
    assert len(found.findings) >= 1 and all(found.findings)


def test_a_quantised_model_is_judged_for_its_input_type(tmp_path):
    graph = Graph((4,)).quant(0.5, 3.0)
    graph.add("MatMul", graph.weight([[1.0, -0.5], [0.5, 2], [-1, 1], [0, 1]], 0.5, 4.0))
    path = graph.save(tmp_path / "m.onnx")
    assert lint_model(path, input_type=IntType(4), input_scale=0.25).findings == ()
    assert lint_model(path).findings == ()


def test_values_that_saturate_are_noted():
    from spintron_ir import Dense, MulShift, Network, Node, Output, Port

    layer = Dense(
        codes=np.full((1, 2, 8, 1), [[[3]], [[0]]]), cell_bits=2, scheme="pair", input=IntType(4),
        dac_bits=4, slice_shift=(0,), tile_rows=8, bias=[0],
        requantise=MulShift(multiplier=[1], shift=[1], zero_point=0, type=IntType(4)),
    )  # fmt: skip
    network = Network(
        name="net",
        inputs=(Port(name="x", shape=(8,), type=IntType(4)),),
        nodes=(Node(name="fc", layer=layer, inputs=("x",)),),
        outputs=(Output(name="y", node="fc"),),
    )
    assert lint_network(network).notes == (
        "fc: sums of 0..360 scale to 0..180 and saturate to 0..15, as the model says",
    )
