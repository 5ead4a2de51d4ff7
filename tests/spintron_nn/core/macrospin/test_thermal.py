"""Thermal macrospins, against equilibrium, Brown's rate and Butler's write error rate."""

import math

import numpy as np
import pytest
import torch
from scipy import integrate

from spintron_nn.core.constants import BOLTZMANN
from spintron_nn.core.fokker_planck import FokkerPlanck
from spintron_nn.core.macrospin import Drive, Macrospin, pulses

FIELD = 0.3


def layer(thermal_stability, **changed):
    """B_k Ms V / (2 kB T) is the wanted Delta at 300 K."""
    area = 2 * BOLTZMANN * 300 * np.asarray(thermal_stability) / (FIELD * 1e6 * 1e-9)
    numbers = {
        "saturation_magnetisation": 1e6,
        "thickness": 1e-9,
        "area": area,
        "anisotropy_field": FIELD,
        "damping": 0.1,
    }
    return Macrospin(**numbers | changed)


def distance(samples, thermal_stability, low):
    """Largest difference of the samples' distribution from exp(Delta x**2) on low..1."""
    x = np.linspace(low, 1, 4001)
    cumulative = integrate.cumulative_simpson(
        np.exp(thermal_stability * (x**2 - 1)), x=x, initial=0
    )
    found = np.sort(samples)
    expected = np.interp(found, x, cumulative / cumulative[-1])
    return np.abs(expected - np.arange(1, found.size + 1) / found.size).max()


@pytest.mark.parametrize("thermal_stability", [0.5, 5.0, 60.0])
def test_drawn_equilibrium(thermal_stability):
    up = layer(thermal_stability).equilibrium(20_000, seed=3)
    down = layer(thermal_stability).equilibrium(20_000, up=False, seed=3)
    assert distance(up[2].numpy(), thermal_stability, 0.0) < 1.63 / math.sqrt(20_000)
    assert torch.equal(up[2], -down[2]) and torch.equal(up[:2], down[:2])
    assert up.norm(dim=0).numpy() == pytest.approx(1)
    assert abs(float(up[0].mean())) < 4 * float(up[0].std()) / math.sqrt(20_000)


def test_no_temperature_no_spread():
    cold = layer(40.0, temperature=0.0)
    assert cold.thermal_stability == math.inf and cold.thermal_field(1e-12) == 0
    assert torch.equal(cold.equilibrium(2), torch.tensor([[0.0, 0], [0, 0], [1, 1]]).double())


def test_thermal_field():
    # sqrt(2 * 0.02 * 1.380649e-23 * 300 / (1.760860e11 * 1e6 * 1.26e-24 * 1e-12)) = 27.33 mT.
    found = layer(1.0, area=1.26e-15, damping=0.02).thermal_field(1e-12)
    assert found == pytest.approx(27.33e-3, rel=1e-3)


def test_distribution_after_a_run_is_boltzmanns():
    # From the pole, over both wells: Delta 3, 60 relaxation times.
    start = np.repeat([[0.0], [0.0], [1.0]], 4096, axis=1)
    run = layer(3.0, damping=0.5).run(start, duration=4e-9, time_step=2e-12, seed=5)
    assert distance(run.magnetisation[2].numpy(), 3.0, -1.0) < 1.63 / math.sqrt(4096)


def test_rate_of_leaving_a_well():
    # The share in the other well is (1 - exp(-2 Gamma t)) / 2. Brown's rate for a high barrier,
    # a g B_k / (1 + a**2) sqrt(Delta / pi) exp(-Delta), times its next order 1 - 1 / Delta.
    barriers, each = np.array([4.0, 5.0, 6.0]), 16_000
    layers = layer(np.repeat(barriers, each), damping=0.5)
    run = layers.run(layers.equilibrium(3 * each), duration=1.2e-9, time_step=2e-12, seed=6)
    share = (run.magnetisation[2].reshape(3, each) < 0).double().mean(1).numpy()
    found = -np.log(1 - 2 * share) / 2 / 1.2e-9
    unit = 0.5 * 1.760860e11 * FIELD / 1.25
    brown = unit * np.sqrt(barriers / np.pi) * np.exp(-barriers)
    assert np.allclose(found / (brown * (1 - 1 / barriers)), 1, atol=0.2)
    exact = [
        FokkerPlanck(
            thermal_stability=barrier, anisotropy_field=FIELD, damping=0.5, cells=512
        ).crossed(1.2e-9)
        for barrier in barriers
    ]
    assert np.allclose(share, exact, rtol=0.07)


def test_write_error_rate():
    # Twice the critical current, 2 e a Ms t B_k / (hbar eta) = 1.519e11 A/m2 for eta = 0.6 and
    # a = 0.1, on Delta 40. One T is (1 + a**2) / (a g B_k) = 0.1912 ns.
    spins = layer(40.0)
    unit = 1.912e-10
    drive = Drive(current_density=2 * 1.519e11)
    run = spins.run(
        spins.equilibrium(120_000, up=False, seed=8),
        drive,
        duration=4.6 * unit,
        time_step=2e-12,
        sample_every=10,
        seed=8,
    )
    left = (run.samples[:, 2] < 0).double().mean(1).numpy()
    time = run.time.numpy()
    model = FokkerPlanck(
        thermal_stability=40, anisotropy_field=FIELD, damping=0.1, current_ratio=2.0
    )
    exact = model.remaining(time)
    for rate in (1e-1, 1e-2, 3e-3):
        at = np.abs(exact - rate).argmin()
        assert left[at] == pytest.approx(exact[at], rel=0.03 + 3 / math.sqrt(120_000 * rate))
    # Butler: the logarithm falls by 2 (i - 1) = 2 per T in the tail.
    tail = (exact < 4e-2) & (exact > 2e-3)
    slope = np.polyfit(time[tail] / unit, np.log(left[tail]), 1, w=np.sqrt(left[tail]))[0]
    assert slope == pytest.approx(-2, rel=0.05)


def test_switching_probability():
    spins = layer(20.0)
    strong, none = Drive(current_density=-6e11), Drive()
    both = pulses([(6e-10, strong), (4e-10, none)])
    assert spins.switching_probability(both, duration=1e-9, shots=500, time_step=2e-12) > 0.99
    away = spins.switching_probability(both, duration=1e-9, shots=500, time_step=2e-12, up=False)
    assert away == 0


def test_seeds_repeat():
    spins, start = layer(10.0), layer(10.0).equilibrium(50, seed=1)
    runs = [spins.run(start, duration=1e-10, seed=seed).magnetisation for seed in (4, 4, 5)]
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])
    assert torch.equal(start, spins.equilibrium(50, seed=1))
    assert not torch.equal(start, spins.equilibrium(50, seed=2))
