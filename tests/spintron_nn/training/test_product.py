"""Tests of spintron_nn.training.product."""

import itertools

import numpy as np
import pytest
import torch

from spintron_nn.training.product import held_product
from spintron_nn.training.quantisers import LevelSet, held_weights

LEVELS = LevelSet(np.array([-3.0, -1, 1, 3]))


@pytest.mark.parametrize(
    ("chips", "shared", "apart", "biased"),
    list(itertools.product((1, 3), (False, True), (False, True), (False, True))),
)
@pytest.mark.parametrize("between", [(), (4,)])
def test_values_and_gradients_are_those_of_weights_and_a_product(
    chips, shared, apart, biased, between
):
    random = torch.Generator().manual_seed(0)
    x = torch.randn((1 if shared else chips, 5, *between, 7), generator=random)
    weight = 3 * torch.randn((6, 7), generator=random)  # many beyond the levels
    step = torch.rand((6 if apart else 1,), generator=random) + 0.5
    bias = torch.randn((6,), generator=random)
    held = torch.randn((chips, 6, 7), generator=random)
    given = [part.double().requires_grad_() for part in (x, weight, step, bias)]
    x, weight, step, bias = given
    held, ratio = held.double(), (weight / step[:, None]).detach()

    found = held_product(x, weight, step, LEVELS, ratio, held, bias if biased else None)
    on_chips = held_weights(weight, step[:, None], LEVELS, ratio, held)
    wide = x.expand(chips, *x.shape[1:])
    wanted = torch.einsum("mn...r,mor->mn...o", wide, on_chips) + (bias if biased else 0)
    torch.testing.assert_close(found, wanted)

    weighed = torch.randn(found.shape, generator=random).double()
    used = given if biased else given[:3]
    one, other = (torch.autograd.grad((part * weighed).sum(), used) for part in (found, wanted))
    torch.testing.assert_close(one, other)
