"""The pictures of devices: made in a few seconds, and what they show is physics."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PICTURES = (
    "domain-wall-levels",
    "ir-drop",
    "resistance-field",
    "resistance-voltage",
    "retention",
    "switching-probability",
    "write-error-rate",
)


def run(*words, path=()):
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(map(str, (*path, ROOT))),
    }
    command = [sys.executable, "-W", "error", ROOT / "examples/devices.py", *map(str, words)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("devices")
    done = run("--quick", "--json", "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


@pytest.fixture(scope="module")
def figures(made):
    return {name: row["value"] for name, row in made[1]["figures"].items()}


def test_every_picture_is_there_and_small(made):
    folder, report = made
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        [*(f"{name}.png" for name in PICTURES), "report.json"]
    )
    assert sorted(report["pictures"]) == [f"{name}.png" for name in PICTURES]
    for name in report["pictures"]:
        data = (folder / name).read_bytes()
        assert data.startswith(b"\x89PNG") and len(data) < 80_000
    assert json.loads((folder / "report.json").read_text(encoding="utf8")) == report


def test_every_figure_has_a_unit_and_an_origin(made):
    _, report = made
    assert report["quick"] is True
    for row in report["figures"].values():
        assert set(row) == {"value", "unit", "origin"} and row["origin"]


def test_the_crossbar_of_the_readme_has_the_levels_of_its_domain_wall(figures):
    # Walls at 1/8 and 7/8 of the track, between 1 / 3.3 MOhm and 1 / 1.5 MOhm.
    assert round(figures["crossbar_low"] * 1e9, 1) == 348.5
    assert round(figures["crossbar_high"] * 1e9, 1) == 621.2
    # 16,384 changes of on average 0.01 * 0.798 of the range, for each two switchings of 180 fJ.
    assert 0.98 < figures["update_energy"] / (16384 * 0.00798 * 2 * 1.8e-13) < 1.02


def test_coercive_fields_fall_with_temperature(figures):
    cold, room, hot = (figures[f"coercive_field_{kelvin}K"] for kelvin in (0, 300, 425))
    assert hot < room < cold
    # h = (cos**(2/3) + sin**(2/3))**-1.5 of 1 degree is 0.907; a sweep in nanoseconds lags behind.
    assert 0.90 < figures["switching_field_0K"] / figures["anisotropy_field_0K"] < 0.91
    assert 1.0 <= cold / figures["switching_field_0K"] < 1.15


def test_voltages_of_the_loop_lie_above_the_critical_one(figures):
    # The antiparallel state needs more: it takes less current.
    to_parallel, to_antiparallel = (
        figures[f"voltage_to_{state}"] for state in ("parallel", "antiparallel")
    )
    assert to_antiparallel < -figures["critical_voltage_parallel"] < 0
    assert to_parallel > -to_antiparallel


def test_macrospins_follow_the_fokker_planck_equation(figures):
    # 512 shots: a standard deviation of at most 0.022.
    assert figures["fokker_planck_gap"] < 0.09
    assert figures["fokker_planck_gap"] < figures["butler_gap"]


def test_write_error_rates_fall(figures):
    rates = figures["write_error_rate_10_20_30ns"]
    assert 1 > rates[0] > rates[1] > rates[2] > 0
    # exp(-2 (i - 1) a g Bk t), 8.93e8 1/s: 7,500 in 10 ns
    assert 7_000 < rates[0] / rates[1] < 8_500 and 7_000 < rates[1] / rates[2] < 8_500
    pulses = [figures[f"pulse_for_1e-9_{ratio}"] for ratio in ("1.5", "2", "3")]
    butler = [figures[f"pulse_for_1e-9_{ratio}_butler"] for ratio in ("1.5", "2", "3")]
    assert pulses == sorted(pulses, reverse=True)
    assert all(0.9 < exact / formula < 1 for exact, formula in zip(pulses, butler, strict=True))


def test_a_falling_edge_makes_spin_orbit_writes_sure(figures):
    sudden, slow, helped = (
        figures[f"spin_orbit_probability_{case}"] for case in ("0ns_30mT", "4ns_30mT", "1ns_60mT")
    )
    assert sudden < 0.8 < slow and helped > 0.9


def test_retention_falls_with_temperature(figures):
    for card in ("sot-mtj-high-ra", "stt-mtj", "ikeda-2010", "sot-mtj-kilohm"):
        # 1/T alone leaves 75 %; the anisotropy falls as well.
        share = figures[f"stability_125C_{card}"] / figures[f"stability_25C_{card}"]
        assert 0.3 < share < 0.75
    # ln(16384 * 3.156e17 / 0.01005) = 54.6; ten years for one device are 40.3.
    assert round(figures["stability_of_an_array"], 1) == 54.6
    assert "ten_years_sot-mtj-kilohm" not in figures
    assert 25 < figures["ten_years_ikeda-2010"] < figures["ten_years_stt-mtj"] < 125


def test_reads_between_pulses_hold_levels(figures):
    assert 3 < figures["pulses_a_level"] < 3.5
    assert figures["error_of_verified_writes"] < 0.25 < figures["spread_after_12_pulses"]


def test_kilohm_arrays_lose_their_voltage_and_megohm_ones_do_not(figures):
    assert figures["delivered_share_kilohm"] < 0.4 < 0.95 < figures["delivered_share_megohm"]
    assert "tiles of 29 rows x 29 columns would deliver 90 %" in figures["design_rule_kilohm"]
    assert "at least 90 % is asked for" in figures["design_rule_megohm"]


def test_without_matplotlib_one_line_says_what_to_install(tmp_path):
    (tmp_path / "matplotlib.py").write_text("raise ImportError('No module matplotlib')\n")
    done = run("--quick", "--out", tmp_path / "out", path=[tmp_path])
    assert done.returncode == 4
    assert done.stderr == (
        "error: matplotlib must be installed for pictures (No module matplotlib); "
        "pip install spintron-nn-kit[plots]\n"
    )
    assert not (tmp_path / "out").exists()
