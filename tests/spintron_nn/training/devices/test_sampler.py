"""Tests of spintron_nn.training.devices.sampler."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import binomtest, ks_2samp, kstest

from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training.devices import Conditions, DeviceSampler

FINE = {"resistance_variation": 0.0, "cell_bits": 12}


class Numbered:
    """Populations of which each pair has its own number."""

    pick_bits, codes, variances = 16, None, None
    differences = np.tile(np.arange(1 << 16, dtype=np.int32), (1, 2, 1))

    def need(self, chosen):
        """Everything is there."""


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def drawn(config, levels, samples=1, *, seed=1, tile=128, conditions=None, **more):
    """Differences of chips, and the chips."""
    sampler = DeviceSampler(config, tile=tile, conditions=conditions, **more)
    random = generator(seed)
    dies = sampler.dies(samples, random)
    return sampler.differences(torch.as_tensor(levels), dies, random).numpy(), dies


def everywhere(level, rows=200, cols=200, slices=1):
    return torch.full((slices, rows, cols), level, dtype=torch.int32)


def on_chips(config, level, tile=128):
    """Differences of pairs on a chip of the core."""
    positive = np.full((200, 200), level)
    devices = np.stack([positive, config.levels - 1 - positive])[None]
    codes = Chip(config, seed=3).sample("a", devices, tile=tile).codes.astype(int)
    return codes[:, 0] - codes[:, 1]


def in_codes(found, config):
    """Differences of chips without factors: integers."""
    return np.rint(found * config.level_codes).astype(int)


@pytest.mark.parametrize("levels", [2, 4, 8])
def test_nominal_pairs_of_even_levels(levels):
    config = MTJConfig(levels=levels, cell_bits=8, resistance_variation=0.0)
    found, _ = drawn(config, torch.arange(levels)[None, None])
    expected = 2 * np.arange(levels) - (levels - 1)
    assert found[0, 0, 0] == pytest.approx(expected, abs=1e-6)


def test_nominal_pairs_of_uneven_levels_are_their_codes():
    config = MTJConfig(levels=4, cell_bits=8, level_fractions=(0.0, 0.2, 0.7, 1.0))
    config = config.only()
    found, _ = drawn(config, torch.arange(4)[None, None])
    offsets = np.array(config.level_offsets)
    assert (in_codes(found[0, 0, 0], config) == offsets - offsets[::-1]).all()
    # 0.7 - 0.2 is half of the range, in units of a third of it.
    assert found[0, 0, 0, 2] == pytest.approx(1.5, abs=0.02)


@pytest.mark.parametrize(
    "technology",
    [
        {},
        {"resistance_variation": 0.2, "cell_bits": 9},
        {"stuck_p": 0.03, "stuck_ap": 0.02},
        {"spread": {"tmr": 0.1, "switching": 0.3}},
        {"levels": 4, "cell_bits": 7, "programming": {"error": 0.2, "write_error": 0.01}},
        {"levels": 8, "cell_bits": 8, "programming": {"error": 0.3, "tolerance": 0.4, "pulses": 3}},
        {"ageing": {"time": 1e8, "temperature": 85.0, "thermal_stability": 45.0, "drift": -0.01}},
        {"faults": {"open": 0.02, "short": 0.01}},
        {"telegraph": {"share": 0.3, "amplitude": 0.4, "amplitude_spread": 0.5}},
        {"resistance_low": 5e3, "resistance_high": 11e3, "wires": {"access": 1e3}},
        {"levels": 4, "cell_bits": 8, "level_fractions": (0.0, 0.2, 0.7, 1.0)},
    ],
)
def test_pairs_are_distributed_as_on_a_chip(technology):
    config = MTJConfig(**technology)
    for level in (0, config.levels - 1, config.levels // 2):
        found, _ = drawn(config, everywhere(level))
        codes = in_codes(found, config).ravel()
        test = ks_2samp(codes, on_chips(config, level).ravel(), method="asymp")
        assert test.pvalue > 0.01, level


def test_moments_of_a_log_normal_pair_by_hand():
    # G = G_P exp(-0.1 n): mean exp(0.005), variance exp(0.01) (exp(0.01) - 1) = 0.1007532**2.
    # In units of G_P - G_AP both devices are 2.2 / 1.2 and 1 / 1.2:
    # mean 1.0050125, deviation 0.1007532 sqrt(2.2**2 + 1) / 1.2 = 0.2029.
    found, _ = drawn(MTJConfig(cell_bits=12), everywhere(1, 1000, 1000))
    # The population has 65,536 pairs: deviations 0.0008 and 0.0006.
    assert found.mean() == pytest.approx(1.0050, abs=0.003)
    assert found.std() == pytest.approx(0.2029, abs=0.002)


def test_stuck_devices_are_binomial():
    config = MTJConfig(stuck_ap=0.02, **FINE)
    sampler = DeviceSampler(config, tile=128)
    sampler.dies(1, generator())
    sampler.populations.need(np.array([0]))
    pairs = sampler.populations.differences[0, 1]
    # The positive device should be parallel; the negative one is antiparallel anyway.
    assert binomtest(int((pairs == 0).sum()), pairs.size, 0.02).pvalue > 0.01
    assert set(np.unique(pairs)) == {0, config.range_codes}


def test_offsets_of_die_and_wafer_are_common_to_a_chip():
    config = MTJConfig(spread={"die": 0.03, "wafer": 0.04}, **FINE)
    found, dies = drawn(config, torch.tensor([[[0, 1], [1, 0]]]), 2000)
    assert found[:, 0] == pytest.approx(dies.factor[:, None, None] * [[-1, 1], [1, -1]], abs=1e-6)
    # sqrt(0.03**2 + 0.04**2)
    assert kstest(np.log(dies.factor), "norm", (0, 0.05)).pvalue > 0.01


def test_contrast_of_a_hot_chip_by_hand():
    # 358.15**1.5 = 6777.9 and 298.15**1.5 = 5148.1, times 2e-5: (0.86444 / 0.89704)**2.
    config = MTJConfig(ageing={"temperature": 85.0}, **FINE)
    found, dies = drawn(config, everywhere(1, 2, 2))
    assert found == pytest.approx(0.9286, abs=1 / config.level_codes)
    assert dies.temperature.tolist() == [85.0] and dies.time.tolist() == [0.0]


def test_lost_states():
    # A barrier of 40.3 after ten years: 9 % of the devices are in the other state.
    config = MTJConfig(ageing={"time": 3.156e7, "thermal_stability": 40.3}, **FINE)
    lost = float(config.ageing.loss_probability())
    assert lost == pytest.approx(0.09, abs=0.001)
    found, _ = drawn(config, everywhere(1))
    shares = [(np.abs(found - value) < 0.01).mean() for value in (1, 0, -1)]
    expected = [(1 - lost) ** 2, 2 * lost * (1 - lost), lost**2]
    assert shares == pytest.approx(expected, abs=0.005)


def test_spread_of_the_magnetoresistance_by_hand():
    # A deviation up of 0.2: G_AP = G_P / (1 + 1.2 exp(0.2)) = 0.40556 G_P, and so
    # (1 - 0.40556) / (1 - 1 / 2.2) = 1.0898; one down 0.9086.
    found, _ = drawn(MTJConfig(spread={"tmr": 0.2}, **FINE), everywhere(1, 300, 300))
    quantiles = np.quantile(found, [0.15866, 0.5, 0.84134])
    assert quantiles == pytest.approx([0.9086, 1.0, 1.0898], abs=0.002)


def test_conditions_reach_the_devices():
    # Each chip is as a chip of its own temperature.
    config = MTJConfig(**FINE)
    found, dies = drawn(
        config, everywhere(1, 1, 1), 200, conditions=Conditions(temperature=(25, 100))
    )
    assert len(set(dies.temperature)) > 50
    for value, celsius in zip(found.ravel(), dies.temperature):
        contrast = MTJConfig(ageing={"temperature": celsius}).ageing.contrast
        assert value == pytest.approx(contrast, abs=1 / config.level_codes)


def test_broken_word_lines_cut_off_what_lies_beyond():
    # Breaks before column 0, 1, 2 or 3 of each array of 4: 4, 3, 2 or 1 devices are open, 0.625.
    config = MTJConfig(faults={"broken_word": 1.0}, resistance_variation=0.0)
    positive, negative = config.nominal_codes[1], config.nominal_codes[0]
    found, _ = drawn(config, everywhere(1, 400, 8), 50, tile=4)
    codes = in_codes(found, config)
    assert set(np.unique(codes)) <= {positive - negative, positive, -negative, 0}
    for cut in (codes < positive - negative, np.isin(codes, (positive, 0))):
        arrays = cut.reshape(-1, 4)
        assert arrays.mean() == pytest.approx(0.625, abs=0.005)
        assert (np.diff(arrays.astype(int), axis=1) >= 0).all() and arrays[:, -1].all()
    # Both devices of a pair are on lines of their own.
    assert (codes == 0).mean() == pytest.approx(
        np.mean([(k / 4) ** 2 for k in (1, 2, 3, 4)]), abs=0.01
    )


def test_broken_bit_lines():
    # Open from the break up: rows 0 .. b; the last row only where b is 3.
    config = MTJConfig(faults={"broken_bit": 1.0}, resistance_variation=0.0)
    found, _ = drawn(config, everywhere(1, 8, 400), 20, tile=4)
    open_ = in_codes(found, config) < config.level_codes
    share = open_.reshape(20, 2, 4, 400).mean(axis=(0, 1, 3))
    assert share == pytest.approx([1, 0.75, 0.5, 0.25], abs=0.02)


def test_correlated_fields_are_those_of_a_cell_and_a_chip():
    config = MTJConfig(cell_bits=12, spread={"correlated": 1.0, "correlation_length": 4.0})
    found, _ = drawn(config, everywhere(1, 120, 100, slices=2), 10)
    assert (found[:, 0] == found[:, 1]).all()
    deviation = np.log(found[:, 0] / found.dtype.type(1)).reshape(10, 120, 100)
    assert deviation.std() == pytest.approx(0.1, abs=0.01)
    scaled = deviation / 0.1
    assert (scaled[:, 4:] * scaled[:, :-4]).mean() == pytest.approx(math.exp(-1), abs=0.08)
    assert abs((scaled[0] * scaled[1]).mean()) < 0.2
    # What is not correlated is in the population.
    half = MTJConfig(cell_bits=12, spread={"correlated": 0.5, "correlation_length": 4.0})
    found, _ = drawn(half, everywhere(1, 120, 100), 10)
    assert found.std() == pytest.approx(0.1 * math.sqrt(0.5 + 0.5 * 5.84 / 1.44), abs=0.01)


def test_weights_and_chips_are_independent():
    found, _ = drawn(MTJConfig(), everywhere(1, 250, 200, slices=2), 2)
    flat = (found - found.mean()).reshape(4, -1) / found.std()
    products = flat @ flat.T / flat.shape[1]
    assert np.abs(products - np.diag(np.diag(products))).max() < 4 / math.sqrt(flat.shape[1])
    for apart in (1, 2, 200):
        assert abs((flat[:, apart:] * flat[:, :-apart]).mean()) < 4 / math.sqrt(flat.size)


def test_picks_are_even_over_the_population():
    sampler = DeviceSampler(MTJConfig(), tile=128)
    # A population of which each pair is recognised.
    sampler.populations = Numbered()
    random = generator()
    found = sampler.differences(everywhere(0, 1000, 2000), sampler.dies(1, random), random)
    counts = np.bincount((found.numpy().ravel() * 22).round().astype(int), minlength=65536)
    # Chi-square with 65,535 degrees of freedom: mean 65,535, deviation 362.
    mean = 2e6 / 65536
    assert abs(((counts - mean) ** 2 / mean).sum() - 65535) < 4 * 362


@pytest.mark.parametrize("levels", [2, 4, 8, 16, 32])
@pytest.mark.parametrize("count", [1, 2, 3, 5, 64])
def test_weights_pick_entries_of_their_levels(levels, count):
    config = MTJConfig(levels=levels, resistance_variation=0.0, cell_bits=12)
    held = torch.randint(0, levels, (2, 3, count), generator=generator(count))
    found, _ = drawn(config, held, 2, conditions=Conditions(temperature=(25, 25.001)))
    assert found == pytest.approx(np.tile(2.0 * held - (levels - 1), (2, 1, 1, 1)), abs=0.1)


def test_an_odd_number_of_weights():
    config = MTJConfig(levels=4, spread={"die": 0.1}, **FINE)
    levels = torch.tensor([[[0, 3, 1], [2, 1, 3], [3, 0, 2]]])
    found, dies = drawn(config, levels, 3, conditions=Conditions(temperature=(20, 30)))
    wanted = dies.factor[:, None, None, None] * (2.0 * levels.numpy() - 3)
    assert found == pytest.approx(wanted, rel=0.02)


def test_the_generator_and_the_seed_determine_everything():
    config = MTJConfig(stuck_p=0.01, spread={"die": 0.1})
    ranges = Conditions(temperature=(0, 85))
    levels = everywhere(1, 30, 20)
    first, _ = drawn(config, levels, 3, conditions=ranges)
    again, _ = drawn(config, levels, 3, conditions=ranges)
    assert (first == again).all()
    for other in ({"seed": 2}, {"conditions": None}):
        found, _ = drawn(config, levels, 3, **({"conditions": ranges} | other))
        assert (first != found).any()
    # What was drawn before does not count, but the generator.
    sampler = DeviceSampler(config, tile=128, conditions=ranges)
    sampler.differences(levels, sampler.dies(100, generator(9)), generator(9))
    random = generator()
    assert (sampler.differences(levels, sampler.dies(3, random), random).numpy() == first).all()
    other = DeviceSampler(config, tile=128, conditions=ranges, seed=1)
    random = generator()
    assert (other.differences(levels, other.dies(3, random), random).numpy() != first).any()


def test_levels_of_any_integer_type():
    found = [
        drawn(MTJConfig(levels=4), torch.arange(4, dtype=dtype).view(1, 2, 2))[0]
        for dtype in (torch.uint8, torch.int16, torch.int32, torch.int64)
    ]
    assert all((one == found[0]).all() for one in found)


def test_many_levels_have_fewer_pairs_each():
    config = MTJConfig(levels=64, cell_bits=12, resistance_variation=0.02)
    found, _ = drawn(config, torch.arange(64).view(1, 1, 64).expand(1, 500, 64), 2)
    # Codes leave the deviation of a pair as it is; that of the mean is a twentieth of a level.
    assert found.mean(axis=(0, 1, 2)) == pytest.approx(2 * np.arange(64) - 63, abs=0.5)
    assert DeviceSampler(config, tile=8).populations.pick_bits == 14


def test_wires_deliver_their_share():
    wires = {"word": 20.0, "bit": 20.0, "driver": 200.0, "access": 1e4}
    config = MTJConfig(cell_bits=10, resistance_variation=0.0, wires=wires)
    positive = np.random.default_rng(0).integers(0, 2, (1, 100, 150))
    codes = Chip(config).sample("a", np.stack([positive, 1 - positive], 1), tile=64).codes
    exact = (codes[:, 0].astype(int) - codes[:, 1]) / config.level_codes
    found, _ = drawn(config, positive, tile=64)
    error = np.sqrt(np.mean((found[0] - exact) ** 2))
    without = np.sqrt(np.mean((2.0 * positive - 1 - exact) ** 2))
    assert error < 0.1 * without and without > 0.03
    assert found[0, 0, :64, 0].mean() != found[0, 0, :64, 63].mean()
