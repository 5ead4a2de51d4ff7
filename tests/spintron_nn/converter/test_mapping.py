"""Tests of spintron_nn.converter.mapping."""

import numpy as np
import pytest

from spintron_ir import IntType, ParameterError
from spintron_nn.converter.mapping import map_layer, weight_levels
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

GOOD = {"bits": 2, "kind": IntType(4), "scheme": "pair", "crossbar_size": 8, "dac_bits": 1}
TECHNOLOGIES = {
    "binary": MTJConfig(),
    "wall": MTJConfig(levels=4, cell_bits=8),
}


def random_states(bits, shape=(11, 20)):
    return np.random.default_rng(bits).integers(0, 1 << bits, shape)


@pytest.mark.parametrize(("bits", "level_bits"), [(1, 1), (2, 1), (4, 1), (2, 2), (4, 2), (6, 3)])
def test_levels_add_up_to_the_weight(bits, level_bits):
    top = (1 << bits) - 1
    odd = np.arange(-top, top + 1, 2)
    levels = weight_levels(np.arange(top + 1), bits, level_bits)
    n = 1 << level_bits
    assert levels.min() == 0 and levels.max() == n - 1
    total = sum((2 * level - n + 1) << (level_bits * s) for s, level in enumerate(levels))
    np.testing.assert_array_equal(total, odd)


@pytest.mark.parametrize("scheme", ["pair", "columns", "reference"])
@pytest.mark.parametrize("technology", TECHNOLOGIES)
@pytest.mark.parametrize("dac_bits", [1, 2, 4])
def test_a_nominal_chip_is_exact(scheme, technology, dac_bits):
    config = TECHNOLOGIES[technology]
    states = random_states(2)
    chip = Chip(config, ideal=True)
    mapped = map_layer("a", states, chip=chip, **GOOD | {"scheme": scheme, "dac_bits": dac_bits})
    x = np.random.default_rng(1).integers(0, 16, (50, 20))
    acc = mapped.layer.accumulate(x)
    np.testing.assert_array_equal(acc, (x @ (2 * states.T - 3)) * mapped.unit)
    assert mapped.layer.groups == 3
    assert mapped.layer.slices == 2 // config.level_bits
    assert mapped.array.stuck == mapped.array.saturated == 0


def test_a_sampled_chip_holds_the_codes_of_its_arrays():
    config = MTJConfig(stuck_p=0.1, read_noise=0.5)
    states, chip = random_states(2), Chip(config, seed=4)
    mapped = map_layer("fc1", states, chip=chip, **GOOD)
    levels = weight_levels(states.T, 2, 1)
    array = chip.sample("fc1", np.stack([levels, 1 - levels], axis=1), tile=8)
    np.testing.assert_array_equal(mapped.layer.codes, array.codes)
    assert mapped.array.stuck == array.stuck > 0
    assert mapped.layer.noise.seed == chip.noise_seed("fc1")
    # 0.5 of 22 codes, times 4096 / sqrt(853) = 140.24; chunks of two bits reach 3.
    assert mapped.layer.noise.amplitude.ravel().tolist() == [1543]
    wide = map_layer("fc1", states, chip=chip, **GOOD | {"dac_bits": 2})
    assert wide.layer.noise.amplitude.ravel().tolist() == [4628]


def test_a_tile_size_changes_no_device():
    states, chip = random_states(2), Chip(MTJConfig(), seed=4)
    small = map_layer("a", states, chip=chip, **GOOD)
    large = map_layer("a", states, chip=chip, **GOOD | {"crossbar_size": 64})
    np.testing.assert_array_equal(small.layer.codes, large.layer.codes)


def test_refuses_noise_beyond_the_generator():
    chip = Chip(MTJConfig(read_noise=30.0))
    with pytest.raises(
        ParameterError,
        match=r"^convert: noise of a read must stay below 467\.3 codes, not 660, on 6 cell bits "
        r"with chunks of 1 bits; give fewer of either$",
    ):
        map_layer("a", random_states(2), chip=chip, **GOOD)


@pytest.mark.parametrize("scheme", ["pair", "columns", "reference"])
@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_blocks_of_a_nominal_chip_are_exact(scheme, technology):
    random = np.random.default_rng(0)
    states = random_states(2, (12, 9))
    weights = 2 * states - 3
    mapped = map_layer("a", states, chip=Chip(TECHNOLOGIES[technology], ideal=True), blocks=4,
                       **GOOD | {"scheme": scheme, "crossbar_size": 4})  # fmt: skip
    x = random.integers(0, 16, (50, 36))
    for block in range(4):
        cols = slice(3 * block, 3 * block + 3)
        expected = x[:, 9 * block : 9 * block + 9] @ weights[cols].T * mapped.unit
        np.testing.assert_array_equal(mapped.layer.accumulate(x)[:, cols], expected)


def test_blocks_too_large_to_share_a_tile_stand_on_arrays_of_their_own():
    states, chip = random_states(2, (12, 9)), Chip(MTJConfig(read_noise=0.5), seed=4)
    mapped = map_layer("a", states, chip=chip, blocks=4, **GOOD)
    levels = weight_levels(states.T, 2, 1)
    parts = [
        np.stack([levels[..., cols], 1 - levels[..., cols]], axis=1)
        for cols in (slice(3 * block, 3 * block + 3) for block in range(4))
    ]
    array = chip.sample("a", np.stack(parts), tile=8)
    np.testing.assert_array_equal(mapped.layer.codes, np.concatenate(list(array.codes), axis=-1))
    assert (mapped.layer.inputs, mapped.layer.rows, mapped.layer.cols) == (36, 9, 12)
