"""Macrospins beside CMTJ, and an error tail beside the Monte Carlo that would be its start."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import integrate, stats
from threadpoolctl import threadpool_limits

from benchmarks.rows import Row, seconds
from spintron_ir.errors import MismatchError
from spintron_nn.core.constants import BOLTZMANN, CHARGE, GYRO, HBAR
from spintron_nn.core.fokker_planck import FokkerPlanck
from spintron_nn.core.macrospin import Drive, Macrospin

__all__ = ["rows"]

FIELD, MAGNETISATION, THICKNESS, EFFICIENCY = 0.3, 1e6, 1e-9, 0.6


def numbers(thermal_stability: float, damping: float) -> dict[str, float]:
    """A perpendicular layer at 300 K with the wanted barrier."""
    area = 2 * BOLTZMANN * 300 * thermal_stability / (FIELD * MAGNETISATION * THICKNESS)
    return {
        "saturation_magnetisation": MAGNETISATION,
        "thickness": THICKNESS,
        "area": area,
        "anisotropy_field": FIELD,
        "damping": damping,
        "temperature": 300.0,
        "spin_torque_efficiency": EFFICIENCY,
        "torque_asymmetry": 0.0,
    }


def boltzmann(m_z: NDArray[np.float64], thermal_stability: float) -> NDArray[np.float64]:
    """Cumulative distribution of the upper well, ``p ~ exp(Delta m_z**2)``."""
    x = np.linspace(0, 1, 4001)
    density = np.exp(thermal_stability * (x**2 - 1))
    cumulative = integrate.cumulative_simpson(density, x=x, initial=0)
    return np.asarray(np.interp(m_z, x, cumulative / cumulative[-1]))


def in_cmtj(layer: dict[str, float], devices: int, steps: int, step: float) -> dict[str, Any]:
    """The same devices one after the other, in a process of its own with one thread."""
    task = layer | {
        "gyromagnetic_ratio": GYRO,
        "current_density": 0.0,
        "field": [0.0, 0.0, 0.0],
        "seed": 1,
        "starts": [[0.0, 0.0, 1.0]] * devices,
        "duration": steps * step,
        "time_step": step,
        "sample_time": steps * step / 2,  # logging costs nearly nothing
    }
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("cmtj_macrospin.py"))],
        input=json.dumps(task),
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    return dict(json.loads(done.stdout))


def macrospins(quick: bool) -> Row:
    """Device-steps per second, from one pole to equilibrium within its well."""
    barrier, step = 20.0, 1e-12
    devices, steps = (256, 600) if quick else (4096, 1000)
    layer = numbers(barrier, 0.1)
    start = np.repeat([[0.0], [0.0], [1.0]], devices, axis=1)
    spins = Macrospin(**layer)
    duration = steps * step
    ours = devices * steps / seconds(lambda: spins.run(start, duration=duration), repeats=3)
    m_z = {"ours": spins.run(start, duration=duration, seed=1).magnetisation[2].double().numpy()}
    name, unit = f"thermal macrospin, {devices} devices", "device-steps/s"
    if find_spec("cmtj") is None:
        note = "cmtj is not installed: pip install cmtj"
        return Row(name=name, value=ours, unit=unit, peer="cmtj", demanded=4, note=note)
    answer = in_cmtj(layer, devices, steps, step)
    theirs = devices * steps / answer["seconds"]
    m_z["theirs"] = np.array([sample[3][-1] for sample in answer["samples"]])
    least = {
        who: stats.kstest(found, lambda x: boltzmann(x, barrier)).pvalue
        for who, found in m_z.items()
    }
    least["both"] = stats.ks_2samp(*m_z.values()).pvalue
    if min(least.values()) < 1e-3:
        raise MismatchError(f"the distributions of m_z differ: {least}")
    return Row(
        name=name,
        value=ours,
        unit=unit,
        peer=f"cmtj {answer['version']}",
        peer_value=theirs,
        ratio=ours / theirs,
        demanded=4,
        note="float32 against float64; m_z as Boltzmann's and as each other's, Kolmogorov-Smirnov "
        f"p {min(least.values()):.2f} or more",
    )


def tail(quick: bool) -> Row:
    """Time to ten write error rates down to 1e-12, and to one of 1e-3 with 100 errors."""
    barrier, damping, ratio, step = 60.0, 0.02, 2.0, 1e-12
    layer = numbers(barrier, damping)
    model = FokkerPlanck(
        thermal_stability=barrier, anisotropy_field=FIELD, damping=damping, current_ratio=ratio
    )
    pulses = np.linspace(2, 15.5, 28) * model.time_unit
    exact = model.remaining(pulses)
    pulse = np.interp(math.log(1e3), -np.log(exact), pulses)
    end = np.interp(math.log(1e12), -np.log(exact), pulses)
    wanted = np.append(np.linspace(pulse, end, 9), pulse)
    ours = seconds(lambda: model.remaining(wanted), repeats=5)

    # b = i a B_k, with b = hbar eta J / (2 e Ms t).
    per_current = HBAR * EFFICIENCY / (2 * CHARGE * MAGNETISATION * THICKNESS)
    drive = Drive(current_density=ratio * damping * FIELD / per_current)
    spins, shots, needed = Macrospin(**layer), 400 if quick else 20_000, 100_000
    start = spins.equilibrium(shots, up=False, seed=1)
    kept = []

    def monte_carlo() -> None:
        run = spins.run(start, drive, duration=pulse, time_step=step, sample_every=50, seed=1)
        kept[:] = [run.time.numpy(), (run.samples[:, 2] < 0).double().mean(1).numpy()]

    theirs = seconds(monte_carlo, repeats=1) * needed / shots
    expected = model.remaining(kept[0])
    apart, relative = [], []
    for rate in (0.3, 0.1, 0.03, 0.01):
        at = int(np.abs(expected - rate).argmin())
        error = 4 * math.sqrt(expected[at] / shots) + 0.02 * expected[at]
        apart.append(abs(kept[1][at] - expected[at]) / error)
        relative.append(abs(kept[1][at] / expected[at] - 1))
    if max(apart) > 1:
        raise MismatchError(f"write error rates differ by up to {max(relative):.1%}")
    least = model.remaining(end)
    return Row(
        name=f"write error tail to {least:.0e} by Fokker-Planck",
        value=ours,
        unit="s",
        peer="our macrospin Monte Carlo to 1e-3 with 100 errors",
        peer_value=theirs,
        ratio=theirs / ours,
        demanded=1000,
        note=f"Monte Carlo extrapolated from {shots} of {needed} shots of {pulse * 1e9:.2f} ns at "
        f"1 ps; at error rates of 0.3 to 0.01 both agree within {max(relative):.1%}",
    )


def rows(quick: bool) -> Iterator[Row]:
    """Rows of the family, on one thread.

    Parameters
    ----------
    quick : bool
        Small sizes: whether it runs, not how fast.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            yield macrospins(quick)
            yield tail(quick)
    finally:
        torch.set_num_threads(threads)
