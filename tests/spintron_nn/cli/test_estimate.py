"""Tests of spintron estimate, lint and boards."""

from spintron_hw.mapping.map import map_network
from spintron_nn.deployment.flow import target_named


def test_cycles_are_those_of_the_plan(spintron, net, network):
    result = spintron("estimate", net, "--board", "ulx3s-85f", "--json")
    assert (result.code, result.err) == (0, "")
    plan = map_network(network, target_named("ulx3s-85f"))
    assert result.json["cycles"] == {"latency": plan.latency, "interval": plan.interval}
    assert result.json["fits"] is True
    assert set(result.json["origin"]) <= set(result.json)
    scores = next(node for node in network.nodes if node.name == "fc").layer
    (queue,) = result.json["queues"]  # a host may read the class first
    assert (queue["from"], queue["to"]) == ("fc", "output:scores")
    assert queue["bits"] >= scores.cols * scores.type.bits


def test_text(spintron, net):
    result = spintron("estimate", net, "--board", "ulx3s-85f")
    assert result.code == 0
    assert result.out.endswith("fits\n")


def test_an_unknown_board_is_named_with_those_there_are(spintron, net):
    result = spintron("estimate", net, "--board", "nothing")
    assert result.code == 1
    assert "ulx3s-85f" in result.err
    assert "'nothing'" in result.err


def test_an_interval_that_cannot_be_reached(spintron, net):
    result = spintron("estimate", net, "--board", "ulx3s-85f", "--interval", "1")
    assert result.code == 1
    assert result.err.startswith("error: fc: ")


def test_boards(spintron):
    result = spintron("boards", "--json")
    assert result.code == 0
    assert {"ulx3s-85f", "icebreaker", "zcu104"} <= set(result.json["boards"])


def test_lint_of_a_network_that_fits(spintron, net):
    result = spintron("lint", net, "--board", "ulx3s-85f", "--json")
    assert (result.code, result.json["findings"]) == (0, [])


def test_lint_of_a_damaged_network(spintron, tmp_path):
    (tmp_path / "bad.safetensors").write_bytes(b"nonsense")
    result = spintron("lint", "bad.safetensors", "--json")
    assert result.code == 1
    assert len(result.json["findings"]) == 1


def test_lint_of_a_model_names_everything(spintron, tmp_path):
    import torch
    from torch import nn

    class Waves(nn.Module):
        def forward(self, x):
            return torch.cumsum(torch.sin(x), 1)

    model = nn.Sequential(nn.Linear(4, 4), Waves()).eval()
    program = torch.export.export(model, (torch.zeros(2, 4),))
    torch.export.save(program, tmp_path / "model.pt2")
    result = spintron("lint", "model.pt2", "--json")
    assert result.code == 1
    text = " ".join(result.json["findings"])
    assert "aten.sin" in text
    assert "aten.cumsum" in text
