"""Tests of spintron_hw.build.testbench."""

import re
import shutil
import subprocess

import numpy as np
import pytest

from spintron_hw.build.sample import Sample, sample_design
from spintron_hw.build.testbench import write_testbench
from spintron_ir.errors import ParameterError

FRAMES = 12


@pytest.fixture(scope="module")
def design():
    return sample_design()


def vectors(tap=True):
    x = np.random.default_rng(0).integers(-32, 32, (FRAMES, 8))
    golden = Sample.trace(x)
    outputs = {"o_y": golden["sum"]} | ({"tap_gain": golden["gain"]} if tap else {})
    return {"i_x": x}, outputs


@pytest.fixture
def run(tmp_path, require_tool):
    """Compile and run what was written, with Icarus."""
    missing = None if shutil.which("iverilog") else "apt install iverilog"
    require_tool("iverilog", missing)

    def call():
        compiler = ["iverilog", "-g2005", "-s", "sample_tb", "-o", "tb.vvp"]
        subprocess.run([*compiler, "sample_tb.v", "sample.v"], cwd=tmp_path, check=True)
        done = subprocess.run(
            ["vvp", "-n", "tb.vvp"], cwd=tmp_path, capture_output=True, check=True, timeout=60
        )
        return done.stdout.decode().splitlines()

    return call


@pytest.mark.parametrize("tap, beats", [(True, 4 * FRAMES), (False, FRAMES)])
def test_passes(design, tmp_path, run, tap, beats):
    files = write_testbench(design, *vectors(tap), tmp_path)
    (line,) = run()
    assert re.fullmatch(rf"PASS: {beats} of {beats} beats equal, in \d+ cycles", line)
    names = ["sample.v", "sample_tb.v", "sample_i_x.hex", "sample_tap_gain.hex", "sample_o_y.hex"]
    assert [file.name for file in files] == [
        name for name in names if tap or name != "sample_tap_gain.hex"
    ]


@pytest.mark.parametrize(
    "stream, frame, element, told",
    [("o_y", 7, 1, "frame 7, beat 0"), ("tap_gain", 2, 5, "frame 2, beat 1")],
)
def test_fails_on_one_wrong_number(design, tmp_path, run, stream, frame, element, told):
    inputs, outputs = vectors()
    outputs[stream][frame, element] ^= 1
    write_testbench(design, inputs, outputs, tmp_path)
    first, last = run()
    assert first.startswith(f"stream {stream}, {told}, cycle ")
    assert re.fullmatch(r"FAIL: 1 of 48 beats differ, in \d+ cycles", last)


def test_fails_on_a_changed_hex_file(design, tmp_path, run):
    write_testbench(design, *vectors(), tmp_path)
    path = tmp_path / "sample_i_x.hex"
    lines = path.read_text().splitlines()
    lines[4] = "00000"
    path.write_text("\n".join(lines) + "\n")
    assert run()[-1].startswith("FAIL: 2 of 48 beats differ")


def test_unused_lanes_of_the_last_beat_do_not_count(design, tmp_path, run):
    write_testbench(design, *vectors(), tmp_path)
    path = tmp_path / "sample_tap_gain.hex"
    lines = path.read_text().splitlines()
    lines[2] = f"{int(lines[2], 16) | 0x1FF << 18:07x}"
    path.write_text("\n".join(lines) + "\n")
    assert run()[-1].startswith("PASS")


def test_gives_up(design, tmp_path, run):
    write_testbench(design, *vectors(), tmp_path, max_cycles=20)
    assert re.fullmatch(r"FAIL: 1\d of 48 beats came within 20 cycles, 0 of them differ", run()[-1])


def test_same_vectors_give_same_files(design, tmp_path):
    written = [
        [file.read_bytes() for file in write_testbench(design, *vectors(), tmp_path / folder)]
        for folder in ("a", "b")
    ]
    assert written[0] == written[1]


@pytest.mark.parametrize(
    "changed, message",
    [
        (
            {"o_y": None},
            "sample: vectors must be given for inputs i_x and for outputs o_y, "
            "not for i_x and tap_gain",
        ),
        (
            {"o_z": np.zeros((FRAMES, 1), int)},
            "sample: vectors must be given for inputs i_x and for outputs o_y, "
            "not for i_x and o_y, o_z, tap_gain",
        ),
        (
            {"o_y": np.zeros((FRAMES - 1, 2), int)},
            "sample: all vectors must have the same number of frames, at least 1, not 11, 12",
        ),
        (
            {"o_y": np.full((FRAMES, 2), 8192)},
            "o_y: values must be in -8192..8191 (int14), not 8192..8192",
        ),
    ],
)
def test_refuses(design, tmp_path, changed, message):
    inputs, outputs = vectors()
    outputs = {name: values for name, values in (outputs | changed).items() if values is not None}
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        write_testbench(design, inputs, outputs, tmp_path / "none")
    assert not (tmp_path / "none").exists()
