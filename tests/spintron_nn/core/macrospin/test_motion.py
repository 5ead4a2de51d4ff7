"""Macrospins without noise, against solutions in closed form."""

import math

import numpy as np
import pytest
import torch

from spintron_nn.core.constants import GYRO
from spintron_nn.core.macrospin import Drive, Macrospin, pulses

LAYER = {
    "saturation_magnetisation": 1e6,
    "thickness": 1e-9,
    "area": 1.26e-15,
    "anisotropy_field": 0.3,
    "damping": 0.02,
    "temperature": 0.0,
}
FREE = LAYER | {"anisotropy_field": 0.0, "damping": 0.0}


def tilted(angle):
    return np.array([[math.sin(angle)], [0.0], [math.cos(angle)]])


def along_the_field(time, field, damping, angle):
    """Exact motion about a field along z: m_z is a tanh, and the azimuth runs evenly."""
    rate = GYRO * field / (1 + damping**2)
    m_z = np.tanh(damping * rate * time + np.arctanh(math.cos(angle)))
    across = np.sqrt(1 - m_z**2)
    return np.stack([across * np.cos(rate * time), across * np.sin(rate * time), m_z])


def test_precession_is_28_gigahertz_per_tesla():
    # After ten periods of 1 / 28.02495 GHz the magnetisation is back, turning from x to y.
    layer = Macrospin(**FREE)
    period = 1 / 28.02495e9
    run = layer.run(
        tilted(1.0),
        Drive(field=(0.0, 0.0, 1.0)),
        duration=10 * period,
        time_step=period / 500,
        sample_every=125,
        dtype=torch.float64,
    )
    quarter, whole = run.samples[0, :, 0].numpy(), run.magnetisation[:, 0].numpy()
    assert np.allclose(quarter, [0, math.sin(1), math.cos(1)], atol=1e-4)
    assert np.allclose(whole, tilted(1.0)[:, 0], atol=2e-3)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_damping_envelope(dtype):
    # A small tilt decays as exp(-a g B t / (1 + a**2)): 0.5 T, a = 0.1, 0.2 ns give exp(-1.7434).
    layer = Macrospin(**FREE | {"damping": 0.1})
    run = layer.run(
        tilted(0.01), Drive(field=(0, 0, 0.5)), duration=2e-10, time_step=1e-13, dtype=dtype
    )
    left = float(run.magnetisation[:2, 0].norm()) / math.sin(0.01)
    assert left == pytest.approx(math.exp(-1.7434), rel=2e-3)


def test_heun_is_of_second_order():
    exact = along_the_field(np.array(1e-10), 0.5, 0.1, 1.0)
    layer = Macrospin(**FREE | {"damping": 0.1})
    errors = []
    for step in (2e-12, 1e-12, 5e-13):
        run = layer.run(
            tilted(1.0),
            Drive(field=(0, 0, 0.5)),
            duration=1e-10,
            time_step=step,
            dtype=torch.float64,
        )
        errors.append(np.abs(run.magnetisation[:, 0].numpy() - exact).max())
    assert np.allclose(np.log2(np.divide(errors[:-1], errors[1:])), 2, atol=0.1)


def test_length_is_kept():
    layer = Macrospin(**LAYER | {"temperature": 300.0, "torque_asymmetry": 0.3})
    run = layer.run(
        layer.equilibrium(100),
        Drive(current_density=-1e11, spin_orbit_current_density=5e11, field=(0.01, 0.02, 0.03)),
        duration=5e-10,
        sample_every=50,
        dtype=torch.float64,
    )
    assert (run.samples.norm(dim=1) - 1).abs().max() < 1e-14


def test_spin_orbit_torques_at_the_pole():
    # At m = z: dm/dt = g [(f - a d) x + (d + a f) y] / (1 + a**2) for s along y, with
    # d = 1.054572e-34 * 0.3 * 1e12 / (2 * 1.602177e-19 * 1e6 * 1e-9) = 98.73 mT and f = 0.5 d.
    layer = Macrospin(**LAYER | {"damping": 0.1, "field_like_ratio": 0.5})
    step = 1e-16
    run = layer.run(
        tilted(0.0),
        Drive(spin_orbit_current_density=1e12),
        duration=step,
        time_step=step,
        dtype=torch.float64,
    )
    d = 98.73e-3
    expected = 1.760860e11 / 1.01 * step * np.array([0.5 * d - 0.1 * d, d + 0.05 * d])
    assert np.allclose(run.magnetisation[:2, 0].numpy(), expected, rtol=1e-3)


def test_spin_transfer_threshold():
    # b = a B_k: hbar eta J / (2 e Ms t) = 6 mT, so J = 6e-3 / 1.97468e-10 = 3.0385e10 A/m2.
    layer = Macrospin(**LAYER | {"damping": 0.1, "anisotropy_field": 0.06})
    density = 3.0385e10 * np.array([0.9, 1.1, -1.1])
    run = layer.run(
        np.repeat(tilted(math.pi - 0.02), 3, axis=1),
        Drive(current_density=density),
        duration=4e-8,
        time_step=4e-12,
    )
    assert (run.magnetisation[2] > 0).tolist() == [False, True, False]


def test_spin_orbit_threshold_with_a_field_along_the_current():
    # Jc = (2 e / hbar) (Ms t / theta) (B_k / 2 - B_x / sqrt 2) = 1.30e12 A/m2.
    layer = Macrospin(**LAYER | {"damping": 0.1})
    density = -np.linspace(1.1e12, 1.5e12, 41)

    def ramp(time):
        share = min(time / 2e-9, 1.0)
        return Drive(spin_orbit_current_density=share * density, field=(0.03, 0, 0))

    run = layer.run(np.repeat(tilted(0.0), 41, axis=1), ramp, duration=3e-9, time_step=2e-12)
    switched = (run.magnetisation[2] < 0).numpy()
    first = int(switched.argmax())
    assert switched[first:].all() and not switched[:first].any()
    assert -density[first] == pytest.approx(1.30e12, rel=0.03)


def test_astroid():
    # Stoner and Wohlfarth: a field 135 degrees from the magnetisation reverses it from B_k / 2 on.
    layer = Macrospin(**LAYER | {"damping": 0.5})
    size = np.linspace(0.1, 0.2, 51)
    fields = size * np.array([[math.sin(0.75 * math.pi)], [0.0], [math.cos(0.75 * math.pi)]])
    run = layer.run(
        np.repeat(tilted(0.0), 51, axis=1), Drive(field=fields), duration=5e-9, time_step=4e-12
    )
    switched = (run.magnetisation[2] < 0).numpy()
    assert size[switched.argmax()] == pytest.approx(0.15, abs=0.005)
    assert switched.sum() == 51 - switched.argmax()


def test_voltage_lowers_the_anisotropy():
    # 100 fJ/(V m) over 1 nm: 2e-4 J/m2 for 2 V, so 2 * 1e-4 * V / (Ms t) = 0.2 T for 1 V.
    layer = Macrospin(**LAYER | {"damping": 0.0, "vcma_coefficient": 1e-13})
    angle = 0.01
    run = layer.run(
        np.repeat(tilted(angle), 2, axis=1),
        Drive(voltage=np.array([0.0, 1.0])),
        duration=1e-11,
        time_step=1e-13,
        dtype=torch.float64,
    )
    azimuth = np.arctan2(run.magnetisation[1].numpy(), run.magnetisation[0].numpy())
    expected = GYRO * np.array([0.3, 0.1]) * 1e-11
    assert np.allclose(azimuth, expected, rtol=1e-3)


def test_in_plane_layer_precesses_by_kittel():
    # Easy plane of 1 T, easy axis of 40 mT: g sqrt(0.04 (0.04 + 1)) / (2 pi) = 5.716 GHz.
    layer = Macrospin(
        **LAYER | {"anisotropy_field": -1.0, "in_plane_anisotropy_field": 0.04, "damping": 0.0}
    )
    start = np.array([[math.cos(0.02)], [math.sin(0.02)], [0.0]])
    run = layer.run(
        start, duration=1 / 5.716e9, time_step=1e-13, sample_every=1, dtype=torch.float64
    )
    m_y = run.samples[:, 1, 0].numpy()
    assert m_y[-1] == pytest.approx(math.sin(0.02), rel=1e-3)
    assert m_y.argmin() / len(m_y) == pytest.approx(0.5, abs=0.01)


def test_pulses_act_one_after_the_other():
    layer = Macrospin(**FREE)
    quarter = 1 / 28.02495e9 / 4
    turn, wait = Drive(field=(0, 0, 1.0)), Drive()
    run = layer.run(
        tilted(math.pi / 2),
        pulses([(quarter, turn), (2e-11, wait), (quarter, turn)]),
        duration=1e-10,
        time_step=quarter / 100,
        sample_every=100,
        dtype=torch.float64,
    )
    assert np.allclose(run.samples[0, :, 0], [0, 1, 0], atol=1e-3)
    assert np.allclose(run.samples[1, :, 0], [0, 1, 0], atol=1e-3)
    assert np.allclose(run.magnetisation[:, 0], [-1, 0, 0], atol=1e-2)
