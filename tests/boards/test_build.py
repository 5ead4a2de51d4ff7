"""Builds of a small design with the real programs."""

import json
import re

import pytest

from boards import get_board
from spintron_hw.build.sample import Sample
from spintron_hw.build.vivado import NOTE

DIGEST = "00112233445566778899"

pytestmark = pytest.mark.toolchain


def build(name, folder):
    report = get_board(name).build(Sample(), folder, digest=DIGEST)
    assert json.loads((folder / "report.json").read_text()) == report.as_dict()
    return report


def test_icebreaker(tmp_path):
    report = build("icebreaker", tmp_path / "out")
    bits = (tmp_path / "out" / "top.bin").read_bytes()
    assert bits[:4] == b"\xff\x00\x00\xff"  # start of an iCE40 image, before its sync word
    assert b"\x7e\xaa\x99\x7e" in bits[:64]
    assert report.met and 500 < report.resources["luts"].used < 2000
    assert report.resources["ffs"].used > 300


def test_ulx3s(tmp_path):
    report = build("ulx3s-85f", tmp_path / "out")
    bits = (tmp_path / "out" / "top.bit").read_bytes()
    assert b"Part: LFE5U-85F-6CABGA381" in bits[:200]
    assert b"\xff\xff\xbd\xb3" in bits[:300]  # preamble of an ECP5 image
    assert report.met and 300 < report.resources["luts"].used < 2000
    assert report.clocks[0].target_mhz == 25.0


def test_zcu104(tmp_path):
    report = build("zcu104", tmp_path / "out")
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "build.tcl",
        "netlist.v",
        "program.tcl",
        "report.json",
        "synthesis.log",
        "synthesis.ys",
        "top.v",
        "top.xdc",
    ]
    assert (report.bitstream, report.met, report.note) == (None, None, NOTE)
    assert report.resources["luts"].used > 300 and report.resources["dsps"].used == 3
    pins = dict(
        re.findall(r'set_property LOC (\w+) \[get_ports "(\w+)"\]', _text(tmp_path, "top.xdc"))
    )
    assert pins == {
        "F23": "clk125_0__p",
        "E23": "clk125_0__n",
        "A20": "uart_0__rx__io",
        "C19": "uart_0__tx__io",
    }
    assert "create_clock -name clk125_0__p -period 8.0 " in _text(tmp_path, "top.xdc")
    ports = re.search(r"module top\(([^)]*)\)", _text(tmp_path, "top.v"))[1]
    assert set(re.findall(r"\w+", ports)) == set(pins.values())
    assert "create_project -force -part xczu7ev-ffvc1156-2-e top project" in _text(
        tmp_path, "build.tcl"
    )


def _text(folder, name):
    return (folder / "out" / name).read_text()
