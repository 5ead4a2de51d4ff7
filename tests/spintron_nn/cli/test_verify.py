"""Tests of spintron verify and verilog."""

import numpy as np
import pytest

from spintron_nn.cli.inputs import corner_frames, made_frames


def test_made_frames_start_with_the_corners_and_are_seeded(network):
    frames = made_frames(network, count=10, seed=3)["x"]
    corners = corner_frames(network.inputs[0])
    np.testing.assert_array_equal(frames[: len(corners)], corners)
    np.testing.assert_array_equal(frames, made_frames(network, count=10, seed=3)["x"])
    assert (frames != made_frames(network, count=10, seed=4)["x"]).any()
    assert (frames.min(), frames.max()) == (0, 3)


@pytest.mark.toolchain
@pytest.mark.parametrize("body", ["unrolled", "folded"])
def test_verify(spintron, net, body):
    words = ("--engine", "amaranth", "--vectors", 4, "--body", body, "--json")
    result = spintron("verify", net, *words)
    assert result.code == 0, result.err
    assert (result.json["vectors"], result.json["mismatches"]) == (10, 0)
    assert result.json["first"] is None
    assert "verify with amaranth" in result.err


@pytest.mark.toolchain
def test_cycles_are_those_of_the_estimate(spintron, net):
    verified = spintron("verify", net, "--engine", "amaranth", "--vectors", 4, "--json").json
    text = spintron("verify", net, "--engine", "amaranth", "--vectors", 4).out
    cycles = verified["cycles"]
    assert f"latency {cycles['latency']} cycles, interval {cycles['interval']} cycles" in text


@pytest.mark.toolchain
def test_a_difference_has_its_own_exit_code(spintron, net, monkeypatch):
    from spintron_ir import Network

    trace = Network.trace

    def wrong(self, x, first_frame=0):
        values = trace(self, x, first_frame)
        return values | {"fc": values["fc"] + (values["fc"] == values["fc"].max())}

    monkeypatch.setattr(Network, "trace", wrong)
    result = spintron("verify", net, "--engine", "amaranth", "--vectors", 4, "--json")
    assert result.code == 3
    assert result.json["mismatches"] > 0
    assert result.json["first"]["layer"] == "fc"
    assert "layer fc" in result.err.splitlines()[-1]


@pytest.mark.toolchain
def test_verilog(spintron, net, tmp_path):
    made = []
    for _ in range(2):
        result = spintron("verilog", net, "-o", "out", "--vectors", 4, "--json")
        assert result.code == 0, result.err
        made.append({path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()})
    assert {"manifest.json", "network.safetensors", "tiny.v", "tiny_tb.v"} <= set(made[0])
    assert made[0] == made[1]
