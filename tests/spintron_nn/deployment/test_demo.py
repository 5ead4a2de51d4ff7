"""Tests of spintron_nn.deployment.demo: the main job, small and without a board."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spintron_hw.build.report import BuildReport, Clock, Usage
from spintron_ir import Network
from spintron_nn.cli.demo import effect_rows, report_rows
from spintron_nn.datasets import digits
from spintron_nn.deployment import demo

FRAMES = 12


@pytest.fixture(scope="module")
def data():
    whole = digits()
    return replace(whole, test_x=whole.test_x[:FRAMES], test_y=whole.test_y[:FRAMES])


@pytest.fixture
def job():
    whole = demo.digits_job(chips=(3, 4), engine="amaranth")
    recipe = replace(whole.recipe, widths=(64, 8, 10), float_epochs=2, tune_epochs=2)
    return replace(whole, recipe=recipe)


@pytest.fixture
def no_board(monkeypatch):
    """Stand in for minutes of place and route."""

    def build(plan, board, folder, *, progress=None):
        use = Usage(1, 100)
        return BuildReport(
            board=board,
            part="part",
            bitstream="top.bit",
            resources={"luts": use, "ffs": use, "brams": use, "dsps": use},
            cells={},
            clocks=(Clock("clk", 40.0, 25.0),),
            tools={},
            seed=1,
            options={},
        )

    monkeypatch.setattr(demo, "build_plan", build)


@pytest.mark.toolchain
@pytest.mark.usefixtures("no_board")
def test_the_report_has_what_was_promised(data, job, tmp_path):
    stages = []

    class Stage:
        def __init__(self, name):
            stages.append(name)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

    report = demo.run_job(job, data, tmp_path, stage=Stage)

    accuracy = report["accuracy"]
    assert set(accuracy) == {
        "float",
        "quantised",
        "chip",
        "chips",
        "chip_mean",
        "chip_worst",
        "chip_spread",
        "rtl",
    }
    assert all(0 <= accuracy[name] <= 1 for name in ("float", "quantised", "chip", "rtl"))
    assert accuracy["rtl"] == accuracy["chip"] == accuracy["chips"][0]
    assert len(accuracy["chips"]) == 2
    assert accuracy["chip_worst"] == min(accuracy["chips"])
    effects = {row["name"]: row for row in report["effects"]}
    assert {"resistance", "wires", "converters", "read_noise", "all together"} < set(effects)
    assert effects["all together"]["mean"] == accuracy["chip_mean"]
    assert len(effect_rows(report)) == len(effects)
    assert report["technology"] == "sot-dw-high-ra"
    assert report["design_rule"]["holds"] is True
    assert report["verify"] == {
        "engine": "amaranth",
        "vectors": FRAMES,
        "values": FRAMES * (8 + 10 + 1 + 10 + 1),  # streams between layers, then outputs
        "mismatches": 0,
    }
    assert report["fpga"]["bitstream"] == str(tmp_path / "ulx3s-85f" / "top.bit")
    assert report["fpga"]["fmax_mhz"] == 40.0
    assert len(stages) == 5
    for title, facts in (("units", report["units"]), ("origin", report["origin"])):
        for key in facts:
            part = report
            for step in key.split("."):
                assert step in part, f"{title} names {key}"
                part = part[step]

    network = Network.load(tmp_path / "network.safetensors")
    assert network.digest() == report["digest"]
    frames = np.load(tmp_path / "test_x.npy", allow_pickle=False)
    answers = network.run(frames)["class"][:, 0]
    assert accuracy["rtl"] == np.mean(answers == data.test_y)
    assert [row[0] for row in report_rows(report)][:3] == [
        "accuracy, float",
        "accuracy, quantised",
        "accuracy, chip",
    ]


@pytest.mark.toolchain
@pytest.mark.usefixtures("no_board")
def test_the_same_job_gives_the_same_bytes(data, job, tmp_path):
    digests = set()
    for name in ("a", "b"):
        report = demo.run_job(job, data, Path(tmp_path / name))
        digests.add((report["digest"], str(report["accuracy"])))
    assert len(digests) == 1


@pytest.mark.toolchain
@pytest.mark.usefixtures("no_board")
def test_a_job_may_verify_a_few_frames_and_leave_the_rest(data, job, tmp_path):
    few = replace(job, frames=5, effects=False, build=False)
    report = demo.run_job(few, data, tmp_path)
    assert report["verify"]["vectors"] == 5 and report["verify"]["mismatches"] == 0
    assert report["effects"] == [] and report["fpga"] is None
    assert len(report["accuracy"]["chips"]) == 2
    titles = [row[0] for row in report_rows(report)]
    assert "interval" in titles and "bitstream" not in titles
