"""Tests of spintron_nn.core.sampling.programming."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling.programming import Programming, program

COUNT = 200_000


def written(programming, target=0.5, distance=0.1, seed=1):
    return program(programming, np.random.default_rng(seed), np.full(COUNT, target), distance)


def test_one_write_leaves_a_normal_error():
    held, pulses = written(Programming(error=0.2))
    assert held.mean() == pytest.approx(0.5, abs=5 * 0.02 / COUNT**0.5)
    assert held.std() == pytest.approx(0.02, rel=0.01)
    assert (pulses == 1).all()


def test_write_verify_truncates_the_error():
    # Within half a deviation lie 38.29 %: so many are done with each pulse. A normal number
    # within +-0.5 has the variance 1 - 2 * 0.5 * 0.35207 / 0.38292 = 0.08058.
    held, pulses = written(Programming(error=0.2, tolerance=0.1, pulses=100))
    error = (held - 0.5) / 0.02
    assert np.abs(error).max() <= 0.5 + 1e-6
    assert error.var() == pytest.approx(0.08058, rel=0.02)
    assert pulses.mean() == pytest.approx(1 / 0.38292, rel=0.01)
    counts = np.bincount(pulses)[1:4] / COUNT
    assert counts == pytest.approx([0.3829, 0.2363, 0.1458], abs=0.005)


def test_pulses_run_out():
    held, pulses = written(Programming(error=0.2, tolerance=0.1, pulses=3))
    # (1 - 0.38292)**3 are outside after three pulses.
    outside = np.abs(held - 0.5) > 0.1 * 0.1 * 1.000001
    assert outside.mean() == pytest.approx(0.2350, abs=0.005)
    assert pulses.max() == 3


def test_failed_pulses_leave_the_erased_state():
    once, _ = written(Programming(write_error=0.1), target=1.0)
    assert np.unique(once).tolist() == [0.0, 1.0]
    assert (once == 0).mean() == pytest.approx(0.1, abs=0.004)
    again, pulses = written(Programming(write_error=0.1, tolerance=0.5, pulses=2), target=1.0)
    assert (again == 0).mean() == pytest.approx(0.01, abs=0.0012)
    assert pulses.mean() == pytest.approx(1.1, abs=0.004)
    # Nothing has to switch where the erased state is wanted.
    assert (written(Programming(write_error=0.1), target=0.0)[0] == 0).all()


def test_nothing_lies_beyond_both_states():
    held, _ = written(Programming(error=1.0), target=1.0, distance=1.0)
    assert held.max() == 1.0 and held.min() >= 0.0
    assert (held == 1.0).mean() == pytest.approx(0.5, abs=0.006)


def test_on_a_chip():
    config = MTJConfig(
        levels=4,
        cell_bits=12,
        resistance_variation=0,
        programming=Programming(error=0.1, tolerance=0.05, pulses=50),
    )
    array = Chip(config, seed=1).sample("a", np.full((100, 100), 2))
    codes = array.codes.astype(float) - config.nominal_codes[2]
    assert np.abs(codes).max() <= 0.05 * config.level_codes + 1
    assert codes.std() > 0.02 * config.level_codes
    assert array.pulses / 10_000 == pytest.approx(1 / 0.38292, rel=0.05)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"error": -1}, "error must be a number at least 0, not -1"),
        ({"write_error": 2}, "write_error must be a number in 0..1, not 2"),
        ({"tolerance": 0}, "tolerance must be a number above 0, not 0"),
        ({"pulses": 0}, "pulses must be an integer in 1..1000, not 0"),
    ],
    ids=str,
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^Programming: {re.escape(message)}$"):
        Programming(**changed)
