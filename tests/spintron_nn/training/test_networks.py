"""Tests of spintron_nn.training.networks."""

import pytest
import torch

from spintron_nn.training.networks import NETWORKS

WIDTHS = {"mlp": (784, 12, 10), "lenet": (4, 6, 20, 16, 10), "separable": (4, 8, 8, 10)}


@pytest.mark.parametrize("name", NETWORKS)
def test_images_become_scores(name):
    model = NETWORKS[name](WIDTHS[name], dropout=0.1, seed=3).eval()
    assert model(torch.zeros(2, 28, 28)).shape == (2, 10)


@pytest.mark.parametrize("name", NETWORKS)
def test_the_seed_alone_fixes_the_weights(name):
    torch.manual_seed(5)
    before = torch.random.get_rng_state()
    first, second = (NETWORKS[name](WIDTHS[name], seed=7) for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    pairs = zip(first.parameters(), second.parameters(), strict=True)
    assert all(torch.equal(*pair) for pair in pairs)


def test_a_separable_network_has_depthwise_kernels():
    model = NETWORKS["separable"]((4, 8, 8, 10))
    assert [model.deep1.groups, model.deep2.groups] == [4, 8]
    assert [model.deep1.stride, model.deep2.stride] == [(1, 1), (2, 2)]
