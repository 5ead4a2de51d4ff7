"""Tests of spintron_nn.core.mtj_models."""

import re

import numpy as np
import pytest
import torch

from spintron_ir import ParameterError
from spintron_nn.core.mtj_models import MTJConfig


def test_the_published_parameter_set():
    # UT-Austin set: R_P 5 kOhm, TMR 1.2, so R_AP is 11 kOhm.
    mtj = MTJConfig(resistance_low=5e3, resistance_high=11e3)
    assert mtj.tmr == pytest.approx(1.2)
    assert mtj.conductance_p == pytest.approx(200e-6)
    assert mtj.conductance_p / mtj.conductance_ap == pytest.approx(2.2)


def test_the_default_can_be_summed():
    # Column current: 128 rows at 0.1 V and 1.5 MOhm give 8.5 uA.
    assert MTJConfig().conductance_p * 0.1 * 128 == pytest.approx(8.5e-6, rel=0.01)


@pytest.mark.parametrize(
    ("changed", "spacing"),
    [
        # 63 codes hold G_P * exp(4 * 0.1): a difference of 63 * (1.2 / 2.2) / 1.4918 = 23.03,
        # made even; without variation 63 * 1.2 / 2.2 = 34.4.
        ({}, 22),
        ({"resistance_variation": 0.0}, 34),
        ({"cell_bits": 8}, 92),
        # Three distances of 23.03 / 3 = 7.7, made even.
        ({"levels": 4}, 6),
        ({"levels": 16}, 1),
    ],
    ids=str,
)
def test_spacing_of_levels(changed, spacing):
    mtj = MTJConfig(**changed)
    assert mtj.level_codes == spacing
    assert mtj.range_codes == spacing * (mtj.levels - 1)
    difference = mtj.conductance_p - mtj.conductance_ap
    assert mtj.conductance_step * mtj.range_codes == pytest.approx(difference)


def test_headroom_for_offsets_of_dies():
    # hypot(0.1, 0.1, 0.1) is 0.1732: 63 * (1.2 / 2.2) / exp(0.6928) = 17.19.
    assert MTJConfig(spread={"die": 0.1, "wafer": 0.1}).level_codes == 16


def test_switching_energy():
    # 0.3 V on 500 ohm for 1 ns: 0.18 pJ. Half the range of a pair of four levels is three
    # switchings of 2 * 3.
    mtj = MTJConfig(levels=4)
    assert mtj.switching_energy == pytest.approx(0.18e-12)
    changes = np.array([[0.25, -0.25], [0.0, 0.0]])
    assert mtj.estimate_switching_energy(changes) == pytest.approx(3 * 0.18e-12)
    assert mtj.estimate_switching_energy([changes, changes[0]]) == pytest.approx(6 * 0.18e-12)
    weight = torch.tensor([0.5, -0.5], requires_grad=True)
    mtj.estimate_switching_energy(weight).backward()
    assert weight.grad.tolist() == pytest.approx([1.08e-12, -1.08e-12])


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"read_voltage": 0}, "read_voltage must be a number of V above 0, not 0"),
        ({"bias_half": 0}, "bias_half must be a number of V above 0, not 0"),
        ({"write_pulse": None}, "write_pulse must be a number of s above 0, not None"),
        (
            {"level_fractions": (0, 0.5, 1)},
            "level_fractions must be 2 numbers that rise from 0 to 1, not (0, 0.5, 1); give one "
            "for each level, or None for even ones",
        ),
        (
            {"levels": 4, "level_fractions": (0, 0.6, 0.5, 1)},
            "level_fractions must be 4 numbers that rise from 0 to 1, not (0, 0.6, 0.5, 1); give "
            "one for each level, or None for even ones",
        ),
        (
            {"levels": 4, "level_fractions": (0, 0.01, 0.5, 1)},
            "cell_bits must tell 4 levels apart, and 6 bits are too few for a TMR of 1.2 with a "
            "variation of 0.1; give cell_bits=8",
        ),
        ({"resistance_low": 0}, "resistance_low must be a number of ohm above 0, not 0"),
        (
            {"resistance_high": float("nan")},
            "resistance_high must be a number of ohm above 0, not nan",
        ),
        ({"resistance_high": "3k"}, "resistance_high must be a number of ohm above 0, not '3k'"),
        ({"resistance_high": True}, "resistance_high must be a number of ohm above 0, not True"),
        (
            {"switching_voltage": -0.3},
            "switching_voltage must be a number of volt above 0, not -0.3",
        ),
        ({"cell_area": 0}, "cell_area must be a number of mm2 above 0, not 0"),
        ({"resistance_variation": 1.5}, "resistance_variation must be a number in 0..1, not 1.5"),
        ({"stuck_p": -0.1}, "stuck_p must be a number in 0..1, not -0.1"),
        ({"stuck_p": 0.6, "stuck_ap": 0.6}, "stuck_p + stuck_ap must be at most 1, not 1.2"),
        ({"read_noise": -1}, "read_noise must be a number at least 0, not -1"),
        ({"cell_bits": 13}, "cell_bits must be an integer in 2..12, not 13"),
        ({"levels": 3}, "levels must be one of 2, 4, 8, 16, 32, 64, not 3"),
        (
            {"resistance_low": 4e6},
            "resistance_high must be above resistance_low, not 3.3e+06 and "
            "4e+06 ohm; the antiparallel state is the one of high resistance",
        ),
        (
            {"levels": 32},
            "cell_bits must tell 32 levels apart, and 6 bits are too few for a TMR of "
            "1.2 with a variation of 0.1; give cell_bits=7",
        ),
        (
            {"levels": 64, "resistance_variation": 1.0},
            "cell_bits must tell 64 levels apart, and 6 bits are too few for a TMR of 1.2 with a "
            "variation of 1; use fewer levels, a larger TMR or a smaller resistance_variation",
        ),
    ],
    ids=str,
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^MTJConfig: {re.escape(message)}$"):
        MTJConfig(**changed)
