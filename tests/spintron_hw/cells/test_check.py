"""Tests of spintron_hw.cells.check: every fault planted in a good cell is found, in one line."""

import re

import numpy as np
import pytest
from amaranth.back import rtlil

from spintron_hw.cells import check
from spintron_hw.cells.check import CheckResult, check_file, frames_for
from spintron_hw.cells.face import Face
from spintron_hw.cells.template import new_cell
from spintron_ir import plugins
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType


@pytest.fixture(autouse=True)
def _forget(monkeypatch):
    monkeypatch.setattr(plugins, "_CELLS", {})


@pytest.fixture(autouse=True)
def _no_yosys(monkeypatch):
    """Elaborate to RTLIL only: that Yosys reads it is tested with the template."""
    monkeypatch.setattr(check, "emit", lambda component, name: rtlil.convert(component))


@pytest.fixture
def checked(tmp_path):
    """``checked((old, new), ...)``: results of the template cell with texts replaced."""

    def run(*changes, frames=8):
        path = new_cell("amp", tmp_path)
        text = path.read_text()
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        path.write_text(text)
        results = check_file(path, frames=frames)
        path.unlink()
        return results

    return run


CHECKS = ["documentation", "arguments", "refusals", "length", "streams", "verilog", "reference"]
CHECKS += ["hardware", "latency", "interval", "network"]
TAKEN = "        with m.If(~self.o.valid | self.o.ready):\n"
UNTIL_READY = "            m.d.comb += self.i.ready.eq(1)\n"


def test_a_good_cell_passes(checked):
    results = checked()
    assert [result.check for result in results] == CHECKS
    assert all(result.passed and result.cell == "Amp" for result in results)
    says = {result.check: result.says for result in results}
    assert says["streams"] == "int8 x 4 -> int2 x 4; int1 x 1 -> int2 x 1"
    assert says["hardware"].startswith("equal to compute() on 268 frames, without stalls and")
    assert (says["latency"], says["interval"]) == ("1 cycle", "1 cycle")


PLANTED = {
    "wrong latency": (
        [("latency = 1", "latency = 2")],
        {"latency": "example 1: latency is declared as 2, but measured as 1"},
    ),
    "wrong interval": (
        [("interval = 1", "interval = 3")],
        {"interval": "example 1: interval is declared as 3, but measured as 1"},
    ),
    "no latency": (
        [("    latency = 1\n", "")],
        {
            "hardware": "example 1: the class must declare latency, in cycles",
            "latency": "example 1: the class must declare latency, in cycles",
            "interval": "example 1: the class must declare latency, in cycles",
        },
    ),
    "latency of 0": (
        [("latency = 1", "latency = 0")],
        dict.fromkeys(
            ("hardware", "latency", "interval"),
            r"example 1: Amp: latency must be an integer in 1\.\.1048576, not 0",
        ),
    ),
    "off by one in compute": (
        [("np.abs(levels) > self.zone", "np.abs(levels) >= self.zone")],
        {
            "hardware": r"example 1: Amp \(stall 0\.0, seed 0\): o\[\d+\] is \[.*\], "
            r"expected \[.*\], of \[.*\]"
        },
    ),
    "off by one in hardware": (
        [("level < -self.zone", "level <= -self.zone")],
        {"hardware": r"example 1: Amp \(stall 0\.0, .*, of \[.*-3.*\]"},
    ),
    "only the last lane wrong": (
        [("eq(decision)", "eq(Mux(level == 77, 0, decision) if lane == 3 else decision)")],
        {"hardware": r"example 1: Amp \(stall 0\.0, .*, of \[.*, 77\]"},
    ),
    "payload changes under a stall": (
        [
            ("        return m\n",
             "        with m.If(self.i.valid):\n"
             "            m.d.sync += self.o.payload[0].eq(self.i.payload[0])\n        return m\n"),
            ("eq(decision)", "eq(self.i.payload[lane])"),
            ("return np.sign(levels) * (np.abs(levels) > self.zone)",
             "return (levels + 2) % 4 - 2"),
        ],
        {
            "hardware": r"example 1: stream o: payload changed before the transfer, "
            r"from \[.*\] to \[.*\]"
        },
    ),
    "valid falls under a stall": (
        [("        return m\n",
          "        with m.Else():\n            m.d.sync += self.o.valid.eq(0)\n"
          "        return m\n")],
        {"hardware": "example 1: stream o: valid fell before the transfer"},
    ),
    "ready while full": (
        [("m = Module()\n", "m = Module()\n        m.d.comb += self.i.ready.eq(1)\n"),
         (UNTIL_READY, "")],
        {"hardware": r"example 1: Amp: still waiting after \d+ cycles; i had 268 transfers, .*"},
    ),
    "valid waits for ready": (
        [(TAKEN, "        with m.If(self.o.ready):\n")],
        {
            "latency": "example 1: no answer is offered while ready of o stays low, after 1001 "
            "cycles: valid must not wait for ready"
        },
    ),
    "too many answers": (
        [("self.o.valid.eq(self.i.valid)", "self.o.valid.eq(self.i.valid | self.o.valid)")],
        {"hardware": r"example 1: Amp \(stall 0\.0, seed 0\): o carried \d+ payloads, .*"},
    ),
    "shape of compute": (
        [("* (np.abs(levels) > self.zone)", "[:, :1]")],
        {"reference": r"example 1: compute\(\) must return integers of shape \(268, 4\), "
         r"not int64 of shape \(268, 1\)"},
    ),
    "floats of compute": (
        [("* (np.abs(levels) > self.zone)", "/ 1")],
        {"reference": r"example 1: compute\(\) must return integers of shape \(268, 4\), "
         r"not float64 of shape \(268, 4\)"},
    ),
    "range of compute": (
        [("* (np.abs(levels) > self.zone)", "* 3")],
        {"reference": r"example 1: compute\(\) must return values in -2\.\.1 "
         r"\(int2 as stream o\), not in -3\.\.3"},
    ),
    "compute with a memory": (
        [("return np.sign(levels) *", "return np.sign(levels - levels[:1]) *")],
        {"reference": r"example 1: compute\(\) must answer each frame by itself: "
         r"\[.*\] has another answer alone than among others"},
    ),
    "compute that writes": (
        [("dtype=np.int64)\n", "dtype=np.int64)\n        levels[0] += 1\n")],
        {"reference": r"example 1: compute\(\) must leave the array that it is given as it was"},
    ),
    "compute that fails": (
        [("levels = np.asarray(levels, dtype=np.int64)", "levels = undefined")],
        {"reference": r"example 1: NameError: name 'undefined' is not defined, line \d+"},
    ),
    "elaborate that fails": (
        [("m = Module()", "m = Module(); 1 / 0")],
        {"verilog": r"example 1: ZeroDivisionError: division by zero, line \d+"},
    ),
    "a loop without registers": (
        [(UNTIL_READY, "            m.d.comb += self.i.ready.eq(~self.i.ready)\n")],
        {"verilog": r"example 1: CombinationalCycle: .*"},
    ),
    "arguments by place": (
        [("self, *, lanes", "self, lanes")],
        {"arguments": r"the argument lanes must be keyword-only: write \* before it"},
    ),
    "no examples": (
        [("examples = (", "tried = (")],
        {
            "arguments": "the class must have examples, a tuple of dicts of arguments to be "
            "tried with",
            "refusals": "without examples no wrong argument can be tried",
        },
    ),
    "an example that is refused": (
        [('"lanes": 1, "bits": 1', '"lanes": 0, "bits": 1')],
        {"arguments": r"Amp: lanes must be an integer in 1\.\.1024, not 0"},
    ),
    "unknown arguments are taken": (
        [("zone: int) -> None:", "zone: int, **more) -> None:")],
        {
            "arguments": r"the argument more must be keyword-only: write \* before it",
            "refusals": "an argument that it does not know must be refused, not ignored",
        },
    ),
    "an argument unchecked": (
        [('check_int("Amp", "lanes", lanes, 1, 1024)', "int(lanes + 0.5)")],
        {"refusals": r"lanes = 0\.5 is taken; it must raise a ParameterError, as "
         r"spintron_ir\.errors\.check_int does"},
    ),
    "an argument refused by Python": (
        [('check_int("Amp", "lanes", lanes, 1, 1024)', "list(range(5))[lanes]")],
        {"refusals": r"lanes = 0\.5 raises TypeError: list indices must be .*, line \d+; it must "
         r"raise a ParameterError, .*"},
    ),
    "title missing": (
        [("    Timing\n    ------\n", "    Time\n    ----\n")],
        {"documentation": "the docstring must have the title Timing, underlined"},
    ),
    "title unknown": (
        [("    Raises\n    ------\n", "    Errors\n    ------\n")],
        {"documentation": "the titles of the docstring must be some of .*, in this order, not "
         "Timing, Parameters, Members, Errors"},
    ),
    "titles out of order": (
        [("    Timing\n    ------\n", "    Source\n    ------\n    x\n\n    Timing\n    ------\n")],
        {"documentation": "the titles of the docstring .*, not Source, Timing, .*"},
    ),
    "elaborate too long": (
        [("        return m\n", "        m.d.comb += []\n" * 80 + "        return m\n")],
        {"length": r"elaborate\(\) must be at most 80 lines, not 91"},
    ),
    "no stream": (
        [('"i": In(', '"x": In(')],
        {"streams": "example 1: Amp: the signature must have a stream i, in"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_finds(checked, name):
    changes, faults = PLANTED[name]
    found = {result.check: result.says for result in checked(*changes) if not result.passed}
    assert found.keys() == faults.keys()
    for title, pattern in faults.items():
        assert re.fullmatch(pattern, found[title]), found[title]


def test_checks_every_class_of_a_file(checked, tmp_path):
    path = new_cell("amp", tmp_path)
    text = path.read_text()
    other = text[text.index("class Amp") :].replace("Amp", "Other")
    path.write_text(f"{text}\n\n{other.replace('latency = 1', 'latency = 4')}")
    results = check_file(path, frames=1)
    assert [result for result in results if not result.passed] == [
        CheckResult(
            "Other", "latency", False, "example 1: latency is declared as 4, but measured as 1"
        )
    ]
    assert [result.cell for result in results] == ["Amp"] * 11 + ["Other"] * 11


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"frames": 0}, r"check_file: frames must be an integer in 1\.\.100000, not 0"),
        ({"seed": -1}, r"check_file: seed must be an integer in 0\.\..*, not -1"),
    ],
)
def test_refuses(tmp_path, changed, message):
    with pytest.raises(ParameterError, match=f"^{message}$"):
        check_file(new_cell("amp", tmp_path), **changed)


def test_refuses_a_file_without_cells(tmp_path):
    (tmp_path / "none.py").write_text("")
    with pytest.raises(ParameterError, match=r"^.*none\.py: has no cell in it: .*$"):
        check_file(tmp_path / "none.py")


@pytest.mark.parametrize("type_", [IntType(1), IntType(8, signed=True), IntType(5)], ids=str)
def test_small_types_are_tried_whole_in_every_lane(type_):
    frames = frames_for(Face(type_, 3, type_, 3), {}, 0, 0)
    for lane in range(3):
        assert set(frames[:, lane]) == set(range(type_.low, type_.high + 1))


@pytest.mark.parametrize("type_", [IntType(9), IntType(32, signed=True), IntType(63)], ids=str)
def test_wide_types_are_tried_at_their_edges(type_):
    example = {"a": 300, "b": (17, (5000,)), "flag": True, "text": "x"}
    frames = frames_for(Face(type_, 2, type_, 2), example, 5, 1)
    wanted = {type_.low, type_.high, 0, 1, 299, 300, 301, 16, 18}
    if type_.bits > 9:
        wanted |= {4999, 5001, (1 << type_.bits - 2) - 1}
    if type_.signed:
        wanted |= {-1, -299, -300, -301, -(1 << 20) - 1}
    for lane in range(2):
        assert wanted <= set(frames[:, lane].tolist())
    assert frames.dtype == np.int64 and type_.low <= frames.min() <= frames.max() <= type_.high
