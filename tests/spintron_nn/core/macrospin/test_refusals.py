"""What macrospins refuse, with the whole message."""

import re

import numpy as np
import pytest
import torch

from spintron_ir import ParameterError
from spintron_nn.core.macrospin import Drive, Macrospin, pulses

LAYER = {
    "saturation_magnetisation": 1e6,
    "thickness": 1e-9,
    "area": 1.26e-15,
    "anisotropy_field": 0.3,
    "damping": 0.02,
}


def refused(message):
    return pytest.raises(ParameterError, match=f"^{re.escape(message)}$")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"area": 0.0}, "area must be a number of m2 above 0, not 0.0"),
        ({"damping": [0.1, 2.0]}, "damping must be numbers in 0..1, not 2.0"),
        ({"temperature": -1}, "temperature must be a number of K at least 0, not -1.0"),
        (
            {"anisotropy_field": [[0.3]]},
            "anisotropy_field must be one number or an array (devices,), not one of shape (1, 1)",
        ),
        (
            {"spin_direction": (0, 0, 0)},
            "spin_direction must be three numbers that are not all 0, not (0, 0, 0)",
        ),
        (
            {"reference_direction": (1, 0)},
            "reference_direction must be three numbers that are not all 0, not (1, 0)",
        ),
    ],
    ids=str,
)
def test_layers(changed, message):
    with refused(f"Macrospin: {message}"):
        Macrospin(**LAYER | changed)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"voltage": "1"},
            "voltage must be a finite number or an array of finite numbers of V, not '1'",
        ),
        (
            {"current_density": np.zeros((2, 2))},
            "current_density must be one number or an array (devices,), not one of shape (2, 2)",
        ),
        (
            {"field": 0.1},
            "field must have the shape (3,) or (3, devices), not (); its first axis is x, y, z",
        ),
    ],
    ids=str,
)
def test_drives(changed, message):
    with refused(f"Drive: {message}"):
        Drive(**changed)


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ([], "give at least one pair of a duration and a Drive"),
        ([(1e-9, 3.0)], "each part must end in a Drive, not 3.0"),
        ([(0, Drive())], "duration must be a number of s above 0, not 0"),
    ],
    ids=str,
)
def test_pulses(parts, message):
    with refused(f"pulses: {message}"):
        pulses(parts)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"initial": [0, 0, 1]}, "initial must have the shape (3, devices), not (3,)"),
        ({"initial": np.zeros((3, 2))}, "initial must hold no vector of length 0"),
        ({"duration": -1e-9}, "duration must be a number of s above 0, not -1e-09"),
        ({"time_step": 0}, "time_step must be a number of s above 0, not 0"),
        (
            {"time_step": 1e-11},
            "time_step must be at most 9.37e-12 s for a field of 0.3 T, not 1e-11 s",
        ),
        ({"sample_every": 0}, "sample_every must be an integer in 1..10, not 0"),
        ({"seed": -1}, "seed must be an integer in 0..9223372036854775807, not -1"),
        (
            {"dtype": torch.float16},
            "dtype must be torch.float32 or torch.float64, not torch.float16",
        ),
        ({"drive": lambda time: 1.0}, "drive must be a Drive or return one, not 1.0"),
        (
            {"drive": Drive(voltage=[0.1, 0.2, 0.3])},
            "voltage of the drive has 3 values for 2 devices; give one or 2",
        ),
        (
            {"drive": Drive(field=np.zeros((3, 4)))},
            "field of the drive has 4 values for 2 devices; give one or 2",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else ",".join(value),
)
def test_runs(changed, message):
    arguments = {"initial": np.ones((3, 2)), "duration": 1e-11} | changed
    with refused(f"Macrospin.run: {message}"):
        Macrospin(**LAYER).run(**arguments)


def test_numbers_for_other_devices():
    with refused("Macrospin.run: damping has 3 values for 2 devices; give one or 2"):
        Macrospin(**LAYER | {"damping": [0.1, 0.1, 0.1]}).run(np.ones((3, 2)), duration=1e-11)


def test_equilibria():
    with refused("Macrospin.equilibrium: count must be an integer in 1..100000000, not 0"):
        Macrospin(**LAYER).equilibrium(0)
    with refused(
        "Macrospin.equilibrium: anisotropy_field must be above 0 and in_plane_anisotropy_field 0 "
        "for a known distribution; start from one state and run for some nanoseconds"
    ):
        Macrospin(**LAYER | {"in_plane_anisotropy_field": 0.01}).equilibrium(4)


def test_steps_too_long_for_the_thermal_field():
    # 27.33 mT in 1 ps for 1.26e-24 m3; a thousandth of it 864.3 mT: 1e-12 (0.5 / 0.15219)**2 s.
    tiny = Macrospin(**LAYER | {"area": 1.26e-18, "anisotropy_field": 0.0})
    message = "time_step must be at most 1.07e-11 s for a thermal field of 0.193 T, not 2e-11 s"
    with refused(f"Macrospin.run: {message}"):
        tiny.run(np.ones((3, 2)), duration=1e-10, time_step=2e-11)


def test_time_step_of_the_thermal_field():
    message = "Macrospin.thermal_field: time_step must be a number of s above 0, not 0"
    with refused(message):
        Macrospin(**LAYER).thermal_field(0)
