"""Tests of spintron_nn.training.devices.pick."""

import numpy as np
import pytest
import torch

from spintron_nn.training.devices import pick


def numbered(conditions, levels, bits):
    """A table of which every entry has its own number."""
    count = conditions * levels << bits
    return np.arange(count, dtype=np.int32).reshape(conditions, levels, 1 << bits)


@pytest.mark.parametrize("bits", [0, 3, 16])
@pytest.mark.parametrize("weights", [0, 1, 1023, 1024, 2500])
@pytest.mark.parametrize("kind", [torch.int8, torch.int16])
def test_entries_are_of_condition_and_level(bits, weights, kind):
    table = numbered(3, 4, bits)
    levels = torch.randint(0, 4, (weights,), generator=torch.Generator().manual_seed(0)).to(kind)
    condition = np.array([2, 0, 1, 2])
    found = pick.picked(table, levels, condition, 7).numpy() >> bits
    assert (found == condition[:, None] * 4 + levels.numpy()).all()


def test_the_random_bits_are_those_of_the_published_generator():
    # The first outputs of SplitMix64 from the state 1234567, of its authors' reference program.
    first = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    state = [(1234567 + k * pick.STEP) % (1 << 64) for k in (1, 2, 3)]
    assert [int(pick._mixed(np.uint64(each))) for each in state] == first


def test_the_seed_decides():
    table, condition = numbered(1, 2, 16), np.zeros(3, dtype=np.int64)
    levels = torch.randint(0, 2, (5000,), dtype=torch.int8)
    found, again, other = (pick.picked(table, levels, condition, seed) for seed in (7, 7, 1 << 63))
    assert torch.equal(found, again)
    assert not torch.equal(found[0], found[1])
    assert not torch.equal(found, other)
