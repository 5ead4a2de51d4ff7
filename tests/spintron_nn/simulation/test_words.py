"""Tests of spintron_nn.simulation.words and formulas: a second way to the same numbers."""

import numpy as np
import pytest
import torch

from spintron_ir import arith, prng
from spintron_ir.layers import softmax
from spintron_nn.simulation import formulas, words


@pytest.mark.parametrize(
    ("key", "counter", "wanted"),
    [  # known answers of the Random123 library, kat_vectors, threefry2x32 with 13 rounds
        ((0, 0), (0, 0), (0x9D1C5EC6, 0x8BD50731)),
        ((0xFFFFFFFF, 0xFFFFFFFF), (0xFFFFFFFF, 0xFFFFFFFF), (0xFD36D048, 0x2D17272C)),
        ((0x13198A2E, 0x03707344), (0x243F6A88, 0x85A308D3), (0xBA3E4725, 0xF27D669E)),
    ],
)
def test_known_answers(key, counter, wanted):
    keys = torch.tensor(key)[:, None]
    pair = (torch.tensor([word]).to(torch.int32) for word in counter)
    found = words.threefry2x32(keys, *pair)
    assert tuple(int(word) & 0xFFFFFFFF for word in found) == wanted


@pytest.mark.parametrize("cols", [1, 4, 7])
def test_noise_words_are_those_of_the_contract(cols):
    seeds = [0, (1 << 64) - 1, 0x0123456789ABCDEF]
    frames = np.array([0, 1, (1 << 31) - 1, 1 << 31, (1 << 32) - 1])
    pairs = torch.tensor([[seed & 0xFFFFFFFF for seed in seeds], [seed >> 32 for seed in seeds]])
    low = torch.from_numpy(frames).to(torch.int32)
    found = words.noise_words(pairs, low, reads=3, converters=range(5, 9), cols=cols)
    for chip, seed in enumerate(seeds):
        wanted = prng.noise_words(
            seed, frame=frames[None, :, None], read=np.arange(3)[:, None, None],
            converters=np.arange(5, 9), cols=cols,
        )  # fmt: skip
        assert np.array_equal(found[chip].numpy(), wanted.transpose(0, 2, 3, 1))


VALUES = np.array([-(1 << 40), -65, -64, -3, -1, 0, 1, 2, 3, 63, 64, 1 << 40])


@pytest.mark.parametrize("shift", [0, 1, 7, 40, 62])
def test_rounding_shifts(shift):
    x = torch.from_numpy(VALUES)
    assert formulas.round_shift(x, shift).tolist() == arith.round_shift(VALUES, shift).tolist()
    away = arith.round_shift_away(VALUES, shift)
    assert formulas.round_shift_away(x, shift).tolist() == away.tolist()


def test_reciprocals():
    totals = np.array([1, 2, 3, 5, 1000, 4095, (1 << 30) + 1, (1 << 31) - 1])
    found = formulas.reciprocal(torch.from_numpy(totals))
    for part, wanted in zip(found, softmax.reciprocal(totals), strict=True):
        assert part.tolist() == wanted.tolist()
