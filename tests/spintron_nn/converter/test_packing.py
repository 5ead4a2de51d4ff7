"""Tests of spintron_nn.converter.packing."""

from dataclasses import replace

import numpy as np
import pytest

from spintron_ir import IntType
from spintron_nn.converter.mapping import map_layer
from spintron_nn.converter.packing import blocks_a_tile, pack, unpack
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.technology import technology

CARD = technology("sot-dw-high-ra").mtj_config()


def test_a_tile_holds_as_many_blocks_as_rows_and_columns_allow():
    assert blocks_a_tile(9, 1, 96, 128) == 14
    assert blocks_a_tile(9, 1, 5, 128) == 5
    assert blocks_a_tile(1, 32, 8, 128) == 4  # columns are what runs out
    assert blocks_a_tile(288, 32, 2, 128) == 1  # a block alone is higher than a tile


def sampled(config, packed, driven, **more):
    return Chip(config, seed=5).sample("conv", packed, tile=8, driven=driven, **more)


@pytest.mark.parametrize(
    "shape, blocks", [((1, 2, 3, 7), 7), ((2, 2, 2, 12), 4), ((2, 2, 9, 6), 2)]
)
def test_unpacking_gives_back_what_was_packed(shape, blocks):
    levels = np.random.default_rng(0).integers(0, 4, shape)
    packed, driven = pack(levels, blocks, 8)
    assert packed.shape[-2] <= max(8, shape[2]) and packed.sum() == levels.sum()
    assert driven.sum() * len(packed) * packed[0, :, :, 0, 0].size >= levels.size
    nominal = Chip(CARD, ideal=True).sample("conv", packed, tile=8)
    found = unpack(nominal, blocks, shape[2], shape[3] // blocks)
    direct = Chip(CARD, ideal=True).sample("conv", levels, tile=8)
    np.testing.assert_array_equal(found.codes, direct.codes)
    np.testing.assert_array_equal(found.steps, direct.steps)


@pytest.mark.parametrize("scheme", ["pair", "columns", "reference"])
def test_a_column_is_its_own_devices_and_no_others(scheme):
    """Each block on its packed tile conducts what its diagonal does there."""
    config = MTJConfig(levels=2, resistance_variation=0.1)
    rng = np.random.default_rng(1)
    states, blocks, size = rng.integers(0, 2, (6, 3)), 6, 8
    kind = IntType(4)
    mapped = map_layer(
        "conv", states, bits=1, kind=kind, chip=Chip(config, seed=2), scheme=scheme,
        crossbar_size=size, dac_bits=4, blocks=blocks,
    )  # fmt: skip
    packed, _ = pack(mapped.levels, blocks, size)
    whole = Chip(config, seed=2).sample("conv", packed, tile=size, reference=scheme == "reference")
    count = blocks_a_tile(3, 1, blocks, size)
    assert (count, len(packed)) == (2, 3)
    for block in range(blocks):
        tile, place = divmod(block, count)
        rows = slice(3 * place, 3 * place + 3)
        own = whole.codes[tile, :, :, rows, place]
        np.testing.assert_array_equal(mapped.layer.codes[..., block], own)
        if scheme == "reference":
            np.testing.assert_array_equal(
                mapped.layer.reference[..., block], whole.reference[tile, :, rows, 0]
            )
    x = rng.integers(0, 16, (4, 18))
    weights = mapped.layer.weights.astype(np.int64)[0, 0]
    if scheme == "columns":
        weights = np.subtract(*mapped.layer.weights.astype(np.int64)[0])
    wanted = (x.reshape(4, 6, 3) * weights.T).sum(axis=2)
    np.testing.assert_array_equal(mapped.layer.accumulate(x), wanted)


def test_noise_is_that_of_the_devices_that_are_driven():
    levels = np.random.default_rng(0).integers(0, 4, (1, 2, 4, 6))
    only = CARD.only("telegraph")
    config = replace(only, telegraph=replace(only.telegraph, share=1.0, switching_time=1e-9))
    packed, driven = pack(levels, 6, 8)
    array = unpack(sampled(config, packed, driven), 6, 4, 1)
    everything = unpack(sampled(config, packed, None), 6, 4, 1)
    assert array.telegraph.shape == (1, 2, 1, 6)
    assert (array.telegraph < everything.telegraph).all() and (array.telegraph > 0).all()
    np.testing.assert_array_equal(array.codes, everything.codes)
