"""Tests of spintron_nn.core.sampling.telegraph."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling.telegraph import Telegraph, column_variance, shares_of_read

MANY = np.ones((500, 400), dtype=int)


@pytest.mark.parametrize("ratio", [0.2, 1.0, 5.0])
def test_reads_of_a_simulated_record(ratio):
    # Correlation time 100 steps: the state flips with (1 - exp(-1 / 100)) / 2 in each. There are
    # 200 * 400 independent times, so that variances are known to a percent.
    random = np.random.default_rng(1)
    steps = round(100 * ratio)
    flips = random.random((200, 40_000)) < (1 - np.exp(-1 / 100)) / 2
    state = flips.cumsum(axis=1, dtype=np.int32) + random.integers(0, 2, (200, 1), dtype=np.int32)
    record = (1 - 2 * (state % 2)).astype(np.float32)
    reads = record.reshape(200, -1, steps).mean(axis=2)
    frozen, fresh = shares_of_read(np.array(ratio))
    assert reads.var() == pytest.approx(frozen**2 + fresh, rel=0.04)
    # What two reads in a row share, and what a read shows of the state in which it starts.
    assert (reads[:, 1:] * reads[:, :-1]).mean() == pytest.approx(frozen**2, abs=0.015)
    shown = (reads * record[:, ::steps]).mean()
    assert shown == pytest.approx(float(frozen), abs=0.015)


def test_limits():
    frozen, fresh = shares_of_read(np.array([1e-9, 9.99e-4, 1.001e-3, 1e4]))
    assert frozen == pytest.approx([1, 1, 1, 1e-4], abs=6e-4)
    assert fresh == pytest.approx([0, 6.655e-4, 6.668e-4, 2e-4], rel=1e-3, abs=1e-8)


def test_slow_devices_stand_in_one_state():
    slow = Telegraph(share=0.3, amplitude=0.1, switching_time=1.0, read_time=1e-8)
    config = MTJConfig(resistance_variation=0, telegraph=slow, cell_bits=12)
    found, _ = Chip(config, seed=1).conductances("a", MANY)
    states, counts = np.unique((found / config.conductance_p).round(4), return_counts=True)
    assert states.tolist() == [0.95, 1.0, 1.05]
    assert counts / MANY.size == pytest.approx([0.15, 0.7, 0.15], abs=0.005)
    # x is 2e-8, and two thirds of it noise: next to nothing even in codes of twelve bits.
    codes = config.conductance_p / config.conductance_step
    noise = Chip(config, seed=1).sample("a", MANY).telegraph
    assert noise.mean() == pytest.approx(150 * (0.05 * codes) ** 2 * 2e-8 * 2 / 3, rel=0.03)


def test_fast_devices_are_noise():
    # Correlation time half of 1 ns, read 10 ns: x = 20, of the variance 2 * 19 / 400 is left,
    # of which 1 / 400 is frozen.
    fast = Telegraph(share=1.0, amplitude=0.1, switching_time=1e-9, read_time=1e-8)
    config = MTJConfig(resistance_variation=0, telegraph=fast)
    array = Chip(config, seed=1).sample("a", MANY, tile=128)
    codes = config.conductance_p / config.conductance_step
    one = (0.05 * codes) ** 2 * (0.095 - 0.0025)
    assert array.telegraph.shape == (4, 400)
    # The frozen part, 0.05 / 20 up or down, changes the variance of a device by half a percent.
    assert array.telegraph[:3] == pytest.approx(np.full((3, 400), 128 * one), rel=0.006)
    assert array.telegraph[3] == pytest.approx(np.full(400, 116 * one), rel=0.006)


def test_spread_of_amplitudes_and_times():
    wide = Telegraph(share=1.0, amplitude=0.05, amplitude_spread=0.4, switching_time=10.0)
    found, _ = Chip(MTJConfig(resistance_variation=0, telegraph=wide), seed=1).conductances(
        "a", MANY
    )
    log = np.log(2 * np.abs(found / MTJConfig().conductance_p - 1))
    assert log.mean() == pytest.approx(np.log(0.05), abs=0.01)
    assert log.std() == pytest.approx(0.4, rel=0.02)


def test_a_reference_adds_its_noise():
    fast = Telegraph(share=1.0, amplitude=0.1, switching_time=1e-9)
    config = MTJConfig(resistance_variation=0, telegraph=fast)
    levels = np.zeros((1, 1, 64, 6), dtype=int)
    alone = Chip(config, seed=1).sample("a", levels, tile=4).telegraph
    with_reference = Chip(config, seed=1).sample("a", levels, tile=4, reference=True).telegraph
    step, share = config.conductance_step, 0.05**2 * 0.0925
    # Half of each device of the reference: a quarter of the variance of both.
    more = 4 * share * (config.conductance_p**2 + config.conductance_ap**2) / 4 / step**2
    assert with_reference - alone == pytest.approx(np.full((1, 1, 16, 6), more), rel=0.006)


def test_column_variance_sums_rows_of_an_array():
    assert column_variance(np.ones((5, 2)), 2).tolist() == [[2, 2], [2, 2], [1, 1]]
    assert column_variance(np.ones((5, 2)), None).tolist() == [[5, 5]]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"share": -1}, "share must be a number in 0..1, not -1"),
        ({"read_time": 0}, "read_time must be a number of s above 0, not 0"),
        ({"amplitude": None}, "amplitude must be a number at least 0, not None"),
    ],
    ids=str,
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^Telegraph: {re.escape(message)}$"):
        Telegraph(**changed)
