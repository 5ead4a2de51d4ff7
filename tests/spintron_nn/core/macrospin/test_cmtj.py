"""The same macrospins in CMTJ, which runs as a program of its own."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from spintron_nn.core.constants import GYRO
from spintron_nn.core.macrospin import Drive, Macrospin

SCRIPT = Path(__file__).resolve().parents[4] / "benchmarks/physics/cmtj_macrospin.py"
LAYER = {
    "saturation_magnetisation": 1e6,
    "thickness": 1e-9,
    "area": 1.26e-15,
    "anisotropy_field": 0.3,
    "damping": 0.02,
    "temperature": 0.0,
    "spin_torque_efficiency": 0.6,
    "torque_asymmetry": 0.0,
}


@pytest.fixture
def cmtj(require_tool):
    reason = None if find_spec("cmtj") else "pip install cmtj"
    require_tool("cmtj", reason)

    def run(**task):
        task = {"gyromagnetic_ratio": GYRO, "current_density": 0.0, "seed": 1} | task
        done = subprocess.run(
            [sys.executable, str(SCRIPT)],
            input=json.dumps({"field": [0.0, 0.0, 0.0]} | task),
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr[-2000:]
        return np.array(json.loads(done.stdout)["samples"])  # device, (time, x, y, z), sample

    return run


@pytest.mark.parametrize(
    ("asymmetry", "current", "field"),
    [
        (0.0, 0.0, [0.02, -0.01, 0.05]),
        (0.0, 6e10, [0.0, 0.0, 0.0]),
        (0.36, 9e10, [0.01, 0.02, 0.03]),
    ],
)
def test_trajectories_agree(cmtj, asymmetry, current, field):
    start = np.array([[0.1], [0.05], [-1.0]])
    start /= np.linalg.norm(start)
    numbers = LAYER | {"torque_asymmetry": asymmetry}
    step = 1e-13
    ((time, *theirs),) = cmtj(
        **numbers,
        starts=start.T.tolist(),
        current_density=current,
        field=field,
        duration=1e-9,
        time_step=step,
        sample_time=1e-11,
    )
    run = Macrospin(**numbers).run(
        start,
        Drive(current_density=current, field=field),
        duration=1.1e-9,
        time_step=step,
        sample_every=1,
        dtype=torch.float64,
    )
    # A state that is logged at step k is the one after it.
    ours = run.samples[np.rint(time / step).astype(int), :, 0].numpy()
    assert np.abs(ours - np.transpose(theirs)).max() < 5e-4
    assert np.ptp(ours[:, 2]) > 0.01  # and something happens


def test_thermal_distributions_agree(cmtj):
    # Delta 4.56, 0.4 us of one device there, 2048 devices for 1 ns here.
    numbers = LAYER | {"area": 1.26e-16, "temperature": 300.0, "damping": 0.2}
    ((_, *_, theirs),) = cmtj(
        **numbers, starts=[[0.0, 0.0, 1.0]], duration=4e-7, time_step=1e-12, sample_time=2e-11
    )
    spins = Macrospin(**numbers)
    start = np.repeat([[0.0], [0.0], [1.0]], 2048, axis=1)
    run = spins.run(start, duration=1e-9, seed=2)
    ours = run.magnetisation[2].numpy()
    x = np.linspace(0, 1, 2001)
    weight = np.exp(spins.thermal_stability * (x**2 - 1))
    for power in (2, 4):
        exact = (weight * x**power).sum() / weight.sum()
        assert (ours**power).mean() == pytest.approx(exact, abs=0.02)
        assert (theirs**power).mean() == pytest.approx(exact, abs=0.02)
