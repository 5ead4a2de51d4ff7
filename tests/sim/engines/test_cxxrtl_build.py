"""Tests of sim.engines.cxxrtl_build and sim.engines.compiler."""

import os
import re
import subprocess
import sys

import pytest

from sim.engines import get_engine
from sim.engines.compiler import find_compiler
from sim.engines.cxxrtl_build import build_library
from spintron_hw.build.sample import sample_design
from spintron_ir.errors import ToolError

BUILD = """
from sim.engines.cxxrtl_build import build_library
from spintron_hw.build.sample import sample_design
print(build_library(sample_design()))
"""


@pytest.mark.toolchain
def test_two_processes_build_the_same_library(tmp_path, require_tool):
    require_tool("cxxrtl", get_engine("cxxrtl").unavailable())
    environment = {**os.environ, "SPINTRON_CACHE": str(tmp_path)}
    processes = [
        subprocess.Popen([sys.executable, "-c", BUILD], env=environment, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    paths = {process.communicate(timeout=120)[0].decode().strip() for process in processes}
    assert [process.returncode for process in processes] == [0, 0]
    (path,) = paths
    (entry,) = (tmp_path / "cxxrtl").iterdir()
    assert path == str(entry / "bench.so")
    assert sorted(file.name for file in entry.iterdir()) == ["bench.so", "manifest.json"]


def test_a_compiler_of_the_users(tmp_path, monkeypatch):
    program = tmp_path / "compiler"
    program.write_text("#!/bin/sh\necho 'mine 1.0'\n[ \"$1\" = --version ] || exit 3\n")
    program.chmod(0o755)
    monkeypatch.setenv("SPINTRON_CXX", f"{program} -O1")
    compiler = find_compiler()
    assert compiler.command == (str(program), "-O1")

    monkeypatch.setenv("SPINTRON_CXX", str(program))
    monkeypatch.setenv("SPINTRON_CACHE", str(tmp_path / "cache"))
    message = r"mine 1\.0 must compile the simulator, but it ended with status 3: no message"
    with pytest.raises(ToolError, match=f"^{message}$"):
        build_library(sample_design())
    assert list((tmp_path / "cache/cxxrtl").iterdir()) == []

    monkeypatch.setenv("SPINTRON_CXX", "no-such-compiler")
    message = "SPINTRON_CXX must name a C++ compiler, not 'no-such-compiler'; or unset it"
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"):
        find_compiler()
