"""The trainers as a user calls them: every part runs, and its report says what it is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    script = ROOT / "examples/train_for_the_chip.py"
    command = [sys.executable, "-W", "error", script, "--quick", "--json", "--out", str(folder)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return folder, json.loads(done.stdout)


def test_the_report_is_what_was_printed(made):
    folder, report = made
    assert json.loads((folder / "report.json").read_text(encoding="utf8")) == report
    assert set(report["units"]) and set(report["origin"])


def test_every_part_was_put_on_sampled_chips(made):
    for part in ("vision", "variation", "energy"):
        found = made[1][part]["accuracy"]
        assert len(found["chips"]) == 5
        assert min(found["chips"]) == found["chip_worst"] <= found["chip_mean"] <= 1


def test_hardware_was_written_with_its_energy(made):
    folder, report = made
    assert {"network.safetensors", "manifest.json"} <= set(report["vision"]["files"])
    for name in report["vision"]["files"]:
        assert (folder / "vision" / name).stat().st_size
    assert report["vision"]["power"]["total_j"] > 0


def test_a_front_falls_in_energy_and_accuracy(made):
    points = made[1]["energy"]["front"]["points"]
    energies = [point["energy_j"] for point in points]
    accuracies = [point["accuracy"] for point in points]
    assert energies == sorted(energies) and accuracies == sorted(accuracies)
