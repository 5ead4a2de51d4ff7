"""Tests of spintron_nn.core.domain_wall.skyrmion."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.domain_wall import SkyrmionCell

CELL = SkyrmionCell(
    capacity=60, resistance_empty=1e6, resistance_step=1e5, created=0.8, deleted=0.25, lifetime=10.0
)
MANY = np.zeros(100_000, dtype=int)


def test_creation_has_the_mean_and_variance_of_poisson():
    found = CELL.create(MANY, 10, np.random.default_rng(1))
    assert found.mean() == pytest.approx(8, abs=5 * np.sqrt(8 / 1e5))
    assert found.var() == pytest.approx(8, rel=0.03)
    assert (CELL.create(MANY[:100], 1000, np.random.default_rng(1)) == 60).all()


def test_deletion_and_heat_are_binomial():
    rng = np.random.default_rng(2)
    # Three pulses leave 0.75^3 = 0.421875 of them, a time of one life 1/e.
    for found, share in (
        (CELL.delete(MANY + 40, 3, rng), 0.421875),
        (CELL.wait(MANY + 40, 10.0, rng), np.exp(-1)),
    ):
        variance = 40 * share * (1 - share)
        assert found.mean() == pytest.approx(40 * share, abs=5 * np.sqrt(variance / 1e5))
        assert found.var() == pytest.approx(variance, rel=0.03)


def test_resistance_counts_and_conductance_does_not():
    cell = SkyrmionCell(capacity=2, resistance_empty=1e6, resistance_step=1e6)
    assert cell.resistance([0, 1, 2]).tolist() == [1e6, 2e6, 3e6]
    np.testing.assert_allclose(cell.conductances, [1e-6 / 3, 0.5e-6, 1e-6])
    np.testing.assert_allclose(cell.level_fractions, [0, 0.25, 1])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: CELL.resistance([0, 61]),
            "SkyrmionCell: count must be integers in 0..60, not 0..61",
        ),
        (
            lambda: CELL.resistance(0.5),
            "SkyrmionCell: count must be integers in 0..60, not float64",
        ),
        (
            lambda: CELL.create(0, -1, np.random.default_rng(0)),
            "SkyrmionCell: pulses must be integers of at least 0, not -1",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
