"""Tests of spintron_nn.training.variation_model."""

import math
import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn import MTJConfig
from spintron_nn.core import Chip
from spintron_nn.core.junction.stability import dwell_time
from spintron_nn.training.variation_model import YEAR, technology_of

SEED = {
    "resistance": {"mean": 1.0, "std": 0.1},
    "switching_voltage": {"mean": 0.3, "std": 0.05},
    "retention_time": {"mean": 10, "std": 2},
}


def test_numbers_worked_by_hand():
    """ln(10 * 3.15576e7 s / 1e-9 s) = ln(3.15576e17) = 17 * 2.302585 + 1.149229 = 40.2932."""
    config, conditions = technology_of(SEED, MTJConfig(resistance_variation=0.3, stuck_p=0.01))
    assert config.resistance_variation == 0.1 and config.stuck_p == 0.01
    assert config.switching_voltage == 0.3
    assert config.spread.switching == pytest.approx(1 / 6)
    assert config.ageing.thermal_stability == pytest.approx(40.2932, abs=1e-4)
    assert config.ageing.thermal_stability_spread == pytest.approx(0.2 / 40.2932, rel=1e-5)
    assert config.ageing.time == 0 and conditions.temperature is None
    assert conditions.time == pytest.approx((31557.6, 3155760))


def test_retention_is_that_of_the_junction():
    """Back through the dwell time of core, the mean and its deviation to first order."""
    config, _ = technology_of(SEED, MTJConfig())
    barrier, spread = config.ageing.thermal_stability, config.ageing.thermal_stability_spread
    assert dwell_time(barrier) / YEAR == pytest.approx(10)
    devices = barrier * (1 + spread * np.random.default_rng(0).standard_normal(100_000))
    years = dwell_time(devices) / YEAR
    assert np.log(years).std() == pytest.approx(0.2, rel=0.01)
    # A log-normal of 0.2 has the deviation 10 exp(0.02) sqrt(exp(0.04) - 1) = 2.06.
    assert years.std() == pytest.approx(2.06, rel=0.02)


def test_a_faster_attempt_needs_a_higher_barrier():
    config, _ = technology_of(SEED, MTJConfig(ageing={"attempt_time": 1e-10}))
    assert config.ageing.thermal_stability == pytest.approx(40.2932 + math.log(10), abs=1e-4)


def test_chips_of_it_have_the_variations():
    """Of 65,536 devices: ln R by 0.1; Vc above 1.5 * 0.3 V in 0.75 %, ln 1.5 = 2.433 / 6."""
    config, _ = technology_of(SEED, MTJConfig())
    levels = np.ones((256, 256), dtype=np.int64)
    conductance, stuck = Chip(config, seed=1).conductances("a", levels)
    assert stuck.mean() == pytest.approx(0.0075, abs=0.001)
    assert np.log(conductance[~stuck]).std() == pytest.approx(0.1, rel=0.02)


def test_what_is_left_out_stays():
    config = MTJConfig(resistance_variation=0.2, ageing={"time": 5.0})
    found, conditions = technology_of({"resistance": {"mean": 2e6, "std": 1e5}}, config)
    assert found.resistance_variation == 0.05
    assert found.ageing == config.ageing and found.spread == config.spread
    assert conditions.time is None
    assert technology_of({}, config)[0] == config


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (0.1, "variation_model must be a dict with names among resistance, switching_voltage, "
              "retention_time, not 0.1"),
        ({"tmr": 1, "area": 2}, "variation_model must be a dict with names among resistance, "
                                "switching_voltage, retention_time; 'tmr', 'area' is not among "
                                "them"),
        ({"resistance": 0.1},
         "variation_model['resistance'] must be a dict of 'mean' and 'std', not 0.1"),
        ({"resistance": {"mean": 1}},
         "variation_model['resistance'] must be a dict of 'mean' and 'std', not {'mean': 1}"),
        ({"switching_voltage": {"mean": 0, "std": 1}},
         "variation_model['switching_voltage']['mean'] must be a number of V above 0, not 0"),
        ({"retention_time": {"mean": 1, "std": -1}},
         "variation_model['retention_time']['std'] must be a number of years at least 0, not -1"),
        ({"retention_time": {"mean": 1e-20, "std": 0}},
         "the mean of variation_model['retention_time'] must be above the attempt time of the "
         "technology, 1e-09 s, not 1e-20 years"),
    ],
    ids=str,
)  # fmt: skip
def test_refuses(model, message):
    with pytest.raises(ParameterError, match=f"^training: {re.escape(message)}$"):
        technology_of(model, MTJConfig())
