"""Tests of spintron_nn.core.chip."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

MANY = np.tile([0, 1], 100_000)
PAIR = np.zeros((2, 3, 4), dtype=int)


def test_nominal_devices_are_exact():
    for levels in (2, 4, 8):
        mtj = MTJConfig(levels=levels, cell_bits=8)
        codes = Chip(mtj, ideal=True).sample("a", np.arange(levels)).codes.astype(int)
        assert np.diff(codes).tolist() == [mtj.level_codes] * (levels - 1)
        array = Chip(mtj, ideal=True).sample("a", np.zeros((3, 2), dtype=int), reference=True)
        assert (2 * array.reference.astype(int)).tolist() == [[codes[0] + codes[-1]]] * 3


def test_conductance_is_log_normal():
    mtj = MTJConfig(resistance_variation=0.1)
    found, stuck = Chip(mtj, seed=3).conductances("a", MANY)
    log = np.log(found) - np.log(np.where(MANY, mtj.conductance_p, mtj.conductance_ap))
    # 200,000 devices: the mean is known to 0.1 / 447, the deviation to 0.1 / 632; five sigmas.
    assert abs(log.mean()) < 5 * 0.1 / 447
    assert log.std() == pytest.approx(0.1, abs=5 * 0.1 / 632)
    skew = np.mean((log / log.std()) ** 3)
    assert abs(skew) < 5 * np.sqrt(6 / len(MANY))
    assert not stuck.any()


@pytest.mark.parametrize("changed", [{}, {"resistance_low": 5e3, "resistance_high": 10e3}], ids=str)
def test_weight_noise_of_a_pair(changed):
    # Both conductances have a deviation of sigma: in quadrature over G_P - G_AP that is
    # sigma * sqrt(1 + (1 + TMR)**2) / TMR. A million devices are half a million pairs.
    mtj = MTJConfig(resistance_variation=0.05, **changed)
    levels = np.random.default_rng(1).integers(0, 2, (1, 1000, 500))
    found, _ = Chip(mtj, seed=4).conductances("a", np.concatenate([levels, 1 - levels]))
    weight = (found[0] - found[1]) / (mtj.conductance_p - mtj.conductance_ap)
    noise = (weight - (2 * levels[0] - 1)).std()
    assert noise == pytest.approx(0.05 * np.hypot(1, 1 + mtj.tmr) / mtj.tmr, rel=0.02)


def test_uneven_levels():
    shares = (0, 0.2, 0.7, 1)
    mtj = MTJConfig(levels=4, cell_bits=8, level_fractions=shares)
    chip = Chip(mtj, ideal=True)
    array = chip.sample("a", np.arange(4))
    # 255 * (1.2 / 2.2) / 1.4918 / 3 = 31.08, made even: 30 a level and 90 in all, on 75.
    assert array.codes.tolist() == [75, 93, 138, 165] == list(mtj.nominal_codes)
    assert mtj.level_offsets == (0, 18, 63, 90)
    coarse = MTJConfig(levels=4, level_fractions=shares)
    # 18 codes in all, on 15: 18.6 and 27.6 are rounded.
    found = Chip(coarse, ideal=True).sample("a", np.arange(4))
    assert found.codes.tolist() == [15, 19, 28, 33]
    assert found.code_error == pytest.approx(np.sqrt((0.4**2 + 0.4**2) / 4))
    sampled = Chip(mtj, seed=1).conductances("a", np.full(100_000, 1))[0]
    expected = mtj.conductance_ap + 0.2 * (mtj.conductance_p - mtj.conductance_ap)
    assert np.log(sampled / expected).mean() == pytest.approx(0, abs=0.002)


def test_codes_carry_the_spread():
    mtj = MTJConfig()
    array = Chip(mtj, seed=1).sample("a", MANY)
    parallel = array.codes[MANY == 1].astype(float)
    nominal = mtj.conductance_p / mtj.conductance_step
    expected = nominal * np.exp(0.1**2 / 2) * np.sqrt(np.exp(0.1**2) - 1)
    # Rounding to codes adds 1/12 to the variance.
    assert parallel.std() == pytest.approx(np.hypot(expected, 12**-0.5), rel=0.01)
    # One normal value in 31,574 lies beyond four deviations.
    assert array.saturated < 20


def test_stuck_devices():
    mtj = MTJConfig(resistance_variation=0.0, stuck_p=0.02, stuck_ap=0.05)
    array = Chip(mtj, seed=1).sample("a", MANY)
    low, high = np.unique(array.codes)
    assert array.stuck == pytest.approx(0.07 * len(MANY), abs=5 * np.sqrt(0.07 * len(MANY)))
    half = len(MANY) / 2
    # Of devices written antiparallel those stuck parallel show, and the other way round.
    assert np.sum(array.codes[MANY == 0] == high) == pytest.approx(0.02 * half, abs=250)
    assert np.sum(array.codes[MANY == 1] == low) == pytest.approx(0.05 * half, abs=350)


def test_saturation_is_counted():
    mtj = MTJConfig(resistance_variation=1.0, cell_bits=12)
    array = Chip(mtj, seed=1).sample("a", MANY)
    assert array.codes.max() == 4095
    assert 0 < array.saturated <= np.sum(array.codes == 4095)


def test_arrays_do_not_depend_on_each_other():
    one, other = Chip(MTJConfig(), seed=5), Chip(MTJConfig(), seed=5)
    first = one.sample("fc1", MANY[:50]).codes
    one.sample("fc2", MANY[:50])
    other.sample("fc2", MANY[:99])
    np.testing.assert_array_equal(other.sample("fc1", MANY[:50]).codes, first)
    assert (one.sample("fc2", MANY[:50]).codes != first).any()
    assert (Chip(MTJConfig(), seed=6).sample("fc1", MANY[:50]).codes != first).any()
    assert one.noise_seed("fc1") == other.noise_seed("fc1") != one.noise_seed("fc2")


def test_a_seed_is_a_die_for_ever():
    # Written down once: a change of these numbers changes every published chip.
    codes = Chip(MTJConfig(), seed=2026).sample("fc1", np.array([0, 1, 0, 1, 1])).codes
    assert codes.tolist() == [17, 45, 17, 44, 41]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: Chip("mtj"), "Chip: config must be an MTJConfig, not 'mtj'"),
        (
            lambda: Chip(MTJConfig(), seed=-1),
            "Chip: seed must be an integer in 0..18446744073709551615, not -1",
        ),
        (
            lambda: Chip(MTJConfig(), wafer=1.5),
            "Chip: wafer must be an integer in 0..18446744073709551615, not 1.5",
        ),
        (
            lambda: Chip(MTJConfig()).sample("a", PAIR, tile=0),
            "Chip: tile must be an integer in 1..65536, not 0",
        ),
        (
            lambda: Chip(MTJConfig()).sample("a", PAIR, reference=True),
            "Chip: reference takes levels of shape (..., 1, rows, cols), one device a weight, not "
            "(2, 3, 4)",
        ),
        (
            lambda: Chip(MTJConfig()).sample("a", PAIR[:1], reference=True, per_column=True),
            "Chip: per_column must be False with a reference, which columns of different steps "
            "would share; use pairs or columns of devices",
        ),
        (lambda: Chip(MTJConfig(), ideal=1), "Chip: ideal must be True or False, not 1"),
        (
            lambda: Chip(MTJConfig()).sample("a", np.array([0, 2])),
            "Chip: levels must be in 0..1, not 0..2",
        ),
        (
            lambda: Chip(MTJConfig()).sample("a", np.array([0.5])),
            "Chip: levels must be integers, not float64",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
