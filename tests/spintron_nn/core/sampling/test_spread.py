"""Tests of spintron_nn.core.sampling.spread."""

import math
import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling.spread import Spread, correlated_field, unwritable

MANY = np.ones((400, 500), dtype=int)


class Impulse:
    """White noise that is 1 in one cell and 0 elsewhere."""

    def __init__(self, row, col):
        self.place = row, col

    def standard_normal(self, sizes):
        noise = np.zeros(sizes)
        noise[self.place] = 1.0
        return noise


@pytest.mark.parametrize(("rows", "cols", "length"), [(60, 80, 2.0), (81, 67, 3.7), (50, 50, 0.3)])
def test_variance_of_the_field_is_one_exactly(rows, cols, length):
    # The field is a filter over white noise: its variance is the sum of the squared response, of
    # which nothing reaches the edges here.
    response = correlated_field(Impulse(rows // 2, cols // 2), rows, cols, length)
    assert (response**2).sum() == pytest.approx(1, abs=1e-9)


def test_correlation_of_the_field():
    fields = [correlated_field(np.random.default_rng(s), 200, 300, 5.0) for s in range(20)]
    field = np.stack(fields)
    # About 20 * 60000 / (25 pi) = 15,000 independent values: the variance to 1.2 %.
    assert field.var() == pytest.approx(1, abs=0.05)
    for lag in (1, 5, 10):
        expected = math.exp(-((lag / 5) ** 2))
        assert (field[:, lag:] * field[:, :-lag]).mean() == pytest.approx(expected, abs=0.04)
        assert (field[..., lag:] * field[..., :-lag]).mean() == pytest.approx(expected, abs=0.04)
    # At the same distance on the diagonal: 3, 4, 5.
    diagonal = (field[:, 3:, 4:] * field[:, :-3, :-4]).mean()
    assert diagonal == pytest.approx(math.exp(-1), abs=0.04)


def test_correlation_is_that_of_the_filter():
    response = correlated_field(Impulse(60, 60), 120, 120, 5.0)
    for down, across in ((5, 0), (0, 5), (3, 4), (10, 0), (6, 8)):
        moved = np.roll(response, (down, across), axis=(0, 1))
        expected = math.exp(-(down**2 + across**2) / 25)
        assert (response * moved).sum() == pytest.approx(expected, abs=1e-6)
    # Opposite edges of the array do not meet.
    assert np.abs(correlated_field(Impulse(0, 60), 120, 120, 5.0)[-1]).max() < 1e-6


def deviations(config, seed=1, levels=MANY, **chip):
    found, _ = Chip(config, seed=seed, **chip).conductances("a", levels)
    nominal = np.where(levels == 1, config.conductance_p, config.conductance_ap)
    return -np.log(found / nominal)


def test_correlated_share_leaves_the_variance():
    config = MTJConfig(spread=Spread(correlated=0.5, correlation_length=3))
    found = deviations(config)
    assert found.std() == pytest.approx(0.1, rel=0.02)
    near = np.corrcoef(found[:, :-3].ravel(), found[:, 3:].ravel())[0, 1]
    assert near == pytest.approx(0.5 * math.exp(-1), abs=0.02)


def test_both_devices_of_a_cell_share_the_field():
    config = MTJConfig(spread=Spread(correlated=0.5, correlation_length=3))
    pair = deviations(config, levels=np.ones((2, 400, 500), dtype=int))
    assert np.corrcoef(pair[0].ravel(), pair[1].ravel())[0, 1] == pytest.approx(0.5, abs=0.02)


def test_tmr_spread_moves_the_antiparallel_state_only():
    config = MTJConfig(resistance_variation=0, spread=Spread(tmr=0.05))
    parallel, _ = Chip(config, seed=1).conductances("a", MANY)
    np.testing.assert_array_equal(parallel, config.conductance_p)
    other, _ = Chip(config, seed=1).conductances("a", 0 * MANY)
    log = np.log(config.conductance_p / other - 1)
    assert log.mean() == pytest.approx(math.log(1.2), abs=5 * 0.05 / 447)
    assert log.std() == pytest.approx(0.05, rel=0.01)


def test_offsets_of_dies_and_wafers():
    config = MTJConfig(resistance_variation=0, spread=Spread(die=0.03, wafer=0.05))
    small = np.ones((1, 2), dtype=int)
    dies = np.array([deviations(config, seed=s, levels=small)[0] for s in range(2000)])
    np.testing.assert_allclose(dies[:, 0], dies[:, 1])
    # 2,000 dies of one wafer: their deviation to 1.6 %.
    assert dies[:, 0].std() == pytest.approx(0.03, rel=0.08)
    wafers = [deviations(config, seed=1, wafer=w, levels=small)[0, 0] for w in range(2000)]
    assert np.std(wafers) == pytest.approx(0.05, rel=0.08)
    # A die has one offset on all its arrays.
    chip = Chip(config, seed=7)
    assert chip.conductances("a", small)[0][0, 0] == chip.conductances("b", small)[0][0, 0]


def test_switching_spread():
    # Written at 1.5 times 0.3 V: ln 1.5 is 2.027 deviations of 0.2, beyond which 2.13 % lie.
    # Read at 0.2 V: ln 1.5 below as well.
    normal = np.random.default_rng(1).standard_normal(400_000)
    spread = Spread(switching=0.2)
    assert unwritable(spread, 0.3, 0.1, normal).mean() == pytest.approx(0.0213, rel=0.05)
    assert unwritable(spread, 0.3, 0.2, normal).mean() == pytest.approx(0.0426, rel=0.05)
    config = MTJConfig(resistance_variation=0, spread=spread)
    array = Chip(config, seed=1).sample("a", MANY)
    assert array.stuck == (array.codes == config.nominal_codes[0]).sum() > 0


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tmr": -0.1}, "tmr must be a number at least 0, not -0.1"),
        ({"correlated": 1.5}, "correlated must be a number in 0..1, not 1.5"),
        ({"overdrive": 0.9}, "overdrive must be a number at least 1, not 0.9"),
        (
            {"correlation_length": 2000},
            "correlation_length must be at most 1000 cells, not 2000; what is common to a whole "
            "array is a die offset",
        ),
        (
            {"correlated": 0.5},
            "correlation_length must be above 0 where a share of the variance is correlated, not "
            "0 with 0.5; give it in cells",
        ),
    ],
    ids=str,
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^Spread: {re.escape(message)}$"):
        Spread(**changed)
