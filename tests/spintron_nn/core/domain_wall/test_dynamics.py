"""Tests of spintron_nn.core.domain_wall.dynamics."""

import json
import math
import re
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.constants import BOLTZMANN, GYRO
from spintron_nn.core.domain_wall import NotchTrack, WallDynamics
from spintron_nn.core.domain_wall.dynamics import (
    dmi_field,
    spin_drift_velocity,
    spin_orbit_field,
    walker_field,
)

WALL = WallDynamics(damping=0.3, width=10e-9, anisotropy_field=0.2)
WALKER = 0.03


def mean_velocity(wall, duration=20e-9, time_step=5e-12, angle=0.3, **drives):
    path = wall.run(0.0, angle, duration=duration, time_step=time_step, records=400, **drives)
    return wall.velocity(path, skip=0.25)


def test_fields_and_drift_by_hand():
    assert float(walker_field(0.3, 0.2)) == pytest.approx(WALKER)
    # mu_B / e = 5.788e-5 m2/s; times 0.4 * 1e12 / 1e6.
    assert float(spin_drift_velocity(1e12, 0.4, 1e6)) == pytest.approx(23.15, rel=1e-3)
    # hbar / (2 e) = 3.291e-16 V s; times 0.3 * 1e12 / (1e6 * 1e-9).
    assert float(spin_orbit_field(1e12, 0.3, 1e6, 1e-9)) == pytest.approx(98.7e-3, rel=1e-3)
    assert float(dmi_field(1e-3, 1e6, 10e-9)) == pytest.approx(0.1)


# Right-hand sides of another program, which has no 1 / (1 + a^2), in-plane anisotropy and DMI of
# the opposite sign, and fields in A/m; run by itself, since its licence is not ours.
CMTJ = """
import json, math, sys
from cmtj.models import domain_dynamics as other
a = json.load(sys.stdin)
mu0 = 4e-7 * math.pi
rates = [
    other.compute_dynamics.py_func(
        X=0.0, phi=phi, delta=a["width"], alpha=a["damping"], Q=1, hx=0, hy=0, hz=hz / mu0,
        hk=-a["anisotropy"] / mu0, hdmi=-a["dmi"] / mu0, hr=0, hshe=hsl / mu0,
        beta=a["nonadiabaticity"], bj=u, Ms=1e6, Lx=1, Ly=1, Lz=1, V0_pin=0, V0_edge=0,
        pinning=1, IECterm=0, thickness=1e-9, A=1e-11, Ku=1e5, Kp=0)[:2]
    for phi, hz, hsl, u in a["states"]
]
print(json.dumps([other.gyro / mu0, rates]))
"""


def test_rates_of_another_program(require_tool):
    require_tool("cmtj", None if find_spec("cmtj") else "pip install cmtj")
    rng = np.random.default_rng(7)
    states = rng.uniform(-1, 1, (50, 4)) * [math.pi, 0.1, 0.1, 100]
    given = {
        "width": 7e-9,
        "damping": 0.1,
        "anisotropy": 0.05,
        "dmi": 0.08,
        "nonadiabaticity": 0.3,
        "states": states.tolist(),
    }
    done = subprocess.run(
        [sys.executable, "-c", CMTJ],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    gyro, rates = json.loads(done.stdout)
    wall = WallDynamics(
        damping=0.1, width=7e-9, anisotropy_field=0.05, dmi_field=0.08, nonadiabaticity=0.3
    )
    angle, field, torque, drift = states.T
    # Its gyromagnetic ratio has fewer digits.
    assert gyro == pytest.approx(GYRO, rel=1e-2)
    scale = gyro / GYRO
    velocity, turning = wall.rates(
        np.zeros(50), angle, field=field, spin_orbit_field=torque, drift_velocity=drift / scale
    )
    factor = scale * (1 + wall.damping**2)
    np.testing.assert_allclose(velocity * factor, np.array(rates)[:, 0], rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(turning * factor, np.array(rates)[:, 1], rtol=1e-4, atol=1e4)


def test_below_walker_the_wall_glides():
    field = np.array([0.1, 0.5, 0.9]) * WALKER
    expected = GYRO * WALL.width * field / WALL.damping
    np.testing.assert_allclose(mean_velocity(WALL, field=field), expected, rtol=1e-3)


def test_the_walker_field_divides_gliding_from_turning():
    path = WALL.run(0, 0.3, duration=30e-9, time_step=7e-12, field=np.array([0.98, 1.02]) * WALKER)
    turned = path.angle[-1] - path.angle[0]
    assert turned[0] < math.pi
    assert turned[1] > 2 * math.pi


def test_above_walker_the_mean_velocity():
    # Average of the exact solution of phi' over a turn: v = g delta (B - sqrt(B^2 - B_W^2) /
    # (1 + a^2)) / a.
    field = np.array([1.5, 2.0, 4.0]) * WALKER
    root = np.sqrt(field**2 - WALKER**2) / (1 + WALL.damping**2)
    expected = GYRO * WALL.width * (field - root) / WALL.damping
    found = mean_velocity(WALL, duration=60e-9, field=field)
    np.testing.assert_allclose(found, expected, rtol=0.01)


def test_far_above_walker():
    wall = WallDynamics(damping=0.3, width=10e-9, anisotropy_field=0.01)
    field = 0.5
    expected = GYRO * wall.width * wall.damping * field / (1 + wall.damping**2)
    found = mean_velocity(wall, duration=10e-9, time_step=2e-12, field=field)
    assert float(found) == pytest.approx(expected, rel=1e-2)


def test_equal_damping_and_nonadiabaticity_carry_the_wall_along():
    wall = WallDynamics(damping=0.3, width=10e-9, anisotropy_field=0.2, nonadiabaticity=0.3)
    drift = np.array([1.0, 100.0, 1000.0])
    found = mean_velocity(wall, angle=0.0, drift_velocity=drift, time_step=1e-12, duration=5e-9)
    np.testing.assert_allclose(found, drift, rtol=1e-6)


def test_nonadiabatic_drift_below_breakdown():
    wall = WallDynamics(damping=0.3, width=10e-9, anisotropy_field=0.2, nonadiabaticity=0.6)
    assert float(mean_velocity(wall, drift_velocity=20.0)) == pytest.approx(40.0, rel=1e-3)


def test_intrinsic_pinning_of_the_adiabatic_torque():
    # b = 0: no motion below u_c = g delta B_K / 2, sqrt(u^2 - u_c^2) / (1 + a^2) above.
    critical = GYRO * WALL.width * WALL.anisotropy_field / 2
    drift = np.array([0.9, 1.5, 3.0]) * critical
    found = mean_velocity(WALL, drift_velocity=drift, duration=20e-9, time_step=2e-12)
    expected = np.sqrt(drift[1:] ** 2 - critical**2) / (1 + WALL.damping**2)
    assert abs(found[0]) < 1e-2
    np.testing.assert_allclose(found[1:], expected, rtol=0.01)


@pytest.mark.parametrize("handed", [1, -1])
def test_spin_orbit_torque_and_dmi(handed):
    # No in-plane anisotropy: speed (pi / 2) g delta B_D / sqrt(1 + (a B_D / B_SL)^2), Thiaville
    # 2012, and both signs of the DMI move the wall in opposite ways.
    wall = WallDynamics(damping=0.3, width=5e-9, anisotropy_field=0.0, dmi_field=-0.1 * handed)
    torque = np.array([0.01, 0.03, 0.1])
    speed = math.pi / 2 * GYRO * wall.width * 0.1 / np.sqrt(1 + (0.3 * 0.1 / torque) ** 2)
    start = 0.1 if handed == 1 else math.pi - 0.1
    found = mean_velocity(
        wall, angle=start, spin_orbit_field=torque, duration=5e-9, time_step=1e-12
    )
    np.testing.assert_allclose(found, handed * speed, rtol=1e-3)


def test_a_bloch_wall_is_not_driven_by_spin_orbit_torque():
    wall = WallDynamics(damping=0.1, width=5e-9, anisotropy_field=-0.2)
    found = mean_velocity(wall, angle=math.pi / 2, spin_orbit_field=0.01, duration=5e-9)
    assert abs(float(found)) < 1e-6


def test_heat_gives_boltzmann_energies():
    # A parabolic well and a stiff angle: <q^2> = k T / stiffness and
    # <phi^2> = k T / (2 Ms S delta B_K).
    stiffness, moment, section = 2e-3, 1e6, 50e-18
    wall = WallDynamics(
        damping=0.5,
        width=10e-9,
        anisotropy_field=0.4,
        magnetisation=moment,
        cross_section=section,
        pinning_field=lambda place: -stiffness * place / (2 * moment * section),
    )
    path = wall.run(
        np.zeros(1500),
        0.0,
        duration=3e-9,
        time_step=1e-12,
        temperature=300,
        rng=np.random.default_rng(1),
        records=30,
    )
    heat = BOLTZMANN * 300
    # Records after 1 ns, many relaxation times; 1,500 walls and some 10 free looks at each.
    place, angle = path.position[10:], path.angle[10:]
    assert place.var() == pytest.approx(heat / stiffness, rel=0.06)
    expected = heat / (2 * moment * section * wall.width * wall.anisotropy_field)
    assert angle.var() == pytest.approx(expected, rel=0.06)


def test_a_notch_holds_up_to_its_depinning_field():
    track = NotchTrack(400e-9, 4, 2e-19, 10e-9)
    wall = WallDynamics(
        damping=0.5, width=10e-9, anisotropy_field=0.2, pinning_field=track.pinning_field
    )
    field = np.array([0.9, 1.1]) * track.depinning_field
    # Ramped slowly, since a sudden field lets the wall swing.
    place, angle = np.full(2, track.positions[0]), np.zeros(2)
    for share in np.linspace(0.1, 1, 10):
        path = wall.run(place, angle, duration=1e-9, time_step=3e-12, field=share * field)
        place, angle = path.position[-1], path.angle[-1]
    assert place[0] < track.positions[0] + 10e-9
    assert place[1] > track.positions[0] + 30e-9


def test_shapes_and_times():
    path = WALL.run(np.zeros((3, 1)), 0.0, duration=1e-9, time_step=1e-11, field=[0, 1e-3],
                    records=10)  # fmt: skip
    assert path.position.shape == path.angle.shape == (11, 3, 2)
    assert path.time[-1] == 1e-9
    assert WALL.velocity(path).shape == (3, 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: WallDynamics(damping=0, width=1e-8, anisotropy_field=0),
            "WallDynamics: damping must be a number above 0, not 0",
        ),
        (
            lambda: WallDynamics(damping=0.1, width=1e-8, anisotropy_field=0, pinning_field=3),
            "WallDynamics: pinning_field must be None or take positions and return tesla, not 3",
        ),
        (
            lambda: WALL.run(0, 0, duration=1e-6, time_step=1e-9),
            "WallDynamics.run: time_step must be at most 1.1e-11 s for these fields, not 1e-09 s; "
            "the angle would turn too far in one step",
        ),
        (
            lambda: WALL.run(0, 0, duration=1e-9, time_step=1e-12, temperature=300),
            "WallDynamics.run: rng must be a numpy.random.Generator above 0 K, not None; give "
            "numpy.random.default_rng(seed)",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
