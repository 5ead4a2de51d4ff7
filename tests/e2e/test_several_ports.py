# amaranth: UnusedElaboratable=no
"""Several inputs and outputs: testbench, golden model, host link, client."""

import shutil
import subprocess

import numpy as np
import pytest

from boards.client import BoardClient
from sim.engines import get_engine
from sim.verify import verify
from sim.virtual_board import VirtualBoard
from spintron_hw.accelerator import Accelerator
from spintron_hw.build.verilog import design_of
from spintron_hw.control.board_top import BoardTop
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_ir import Argmax, IntType, Join, Network, Node, Output, Port
from spintron_ir.errors import NetworkError, ParameterError
from spintron_nn.hardware.design import write_design
from spintron_nn.hardware.export import _frames
from tests.e2e.branches import frames_of
from tests.e2e.test_positions import matrix

U3, S5 = IntType(3), IntType(5, signed=True)


def network():
    """A matrix on one input, added to the other; all sums, and the place of the largest."""
    both = Join(inputs=(U3, S5), in_shape=(6,), mode="sum")
    return Network(
        name="ports",
        inputs=(Port(name="a", shape=(8,), type=U3), Port(name="b", shape=(6,), type=S5)),
        nodes=(
            Node(name="fc", layer=matrix(np.random.default_rng(0), 8, 6, None), inputs=("a",)),
            Node(name="both", layer=both, inputs=("fc", "b")),
            Node(name="best", layer=Argmax(input=both.type, length=6), inputs=("both",)),
        ),
        outputs=(Output(name="best", node="best"), Output(name="sums", node="both")),
    )


NET = network()
PLAN = map_network(NET, GENERIC, interval=24, body="folded")


def test_engines_take_inputs_by_name():
    x = frames_of(NET, 8)
    report = verify(design_of(PLAN, "ports"), NET, x, get_engine("amaranth"))
    assert report.ok and report.outputs.keys() == {"best", "sums"}
    assert (report.latency, report.interval) == (PLAN.latency, PLAN.interval)


def test_one_array_is_refused_for_two_inputs():
    message = "Plan: inputs must be those of the network, not one array"
    with pytest.raises(NetworkError, match=f"^{message}$"):
        PLAN.run(np.zeros((2, 8), int))
    message = r"Plan: inputs must be those of the network, not \['a'\]"
    with pytest.raises(NetworkError, match=f"^{message}$"):
        PLAN.run({"a": np.zeros((2, 8), int)})
    message = "ports: inputs must be given by name for a, b, not as one array"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        verify(design_of(PLAN, "ports"), NET, np.zeros((2, 8), int))


def test_a_testbench_of_several_inputs_passes(tmp_path, require_tool):
    require_tool("iverilog", None if shutil.which("iverilog") else "apt install iverilog")
    frames = _frames(NET)
    assert frames.keys() == {"a", "b"}
    files = write_design(PLAN, tmp_path, name="ports", frames=frames, command=["test"])
    assert {"ports_i_a.hex", "ports_i_b.hex"} <= {file.name for file in files}
    compiler = ["iverilog", "-g2005", "-s", "ports_tb", "-o", "tb.vvp", "ports_tb.v", "ports.v"]
    subprocess.run(compiler, cwd=tmp_path, check=True)
    done = subprocess.run(
        ["vvp", "-n", "tb.vvp"], cwd=tmp_path, capture_output=True, check=True, timeout=60
    )
    (line,) = done.stdout.decode().splitlines()
    assert line.startswith("PASS: ")


def test_a_board_takes_several_inputs_and_gives_several_outputs():
    top = BoardTop(
        Accelerator(PLAN), digest=bytes(8), clock_hz=1_000_000, baud=250_000, timeout=400
    )
    client = BoardClient(VirtualBoard(top))
    assert [field.name for field in client.info().inputs] == ["a", "b"]
    x = frames_of(NET, 3)
    golden = NET.run(x)
    found = client.run(x)
    assert found.keys() == golden.keys() == {"best", "sums"}
    for name, values in golden.items():
        np.testing.assert_array_equal(found[name], values)
    answer = client.infer({name: values[1] for name, values in x.items()})
    assert answer.cycles == PLAN.latency
    with pytest.raises(ParameterError, match="^infer: inputs must be a, b, not a$"):
        client.run(x["a"])
    message = "run: every input must have the same number of frames, not 2, 3"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        client.run(x | {"b": x["b"][:2]})
