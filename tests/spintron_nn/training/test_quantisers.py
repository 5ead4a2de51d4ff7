"""Tests of spintron_nn.training.quantisers."""

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from spintron_ir import IntType
from spintron_nn.converter.levels import weight_values
from spintron_nn.converter.quantise import codes_of
from spintron_nn.converter.quantise import quantise_weights as converted
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training.quantisers import (
    LevelSet,
    held_weights,
    quantise_activations,
    quantise_weights,
)

UNEVEN = (0.0, 0.15, 0.7, 1.0)
SETS = {
    "binary": weight_values(MTJConfig(), 1),
    "four levels": weight_values(MTJConfig(levels=4), 2),
    "eight levels": weight_values(MTJConfig(levels=8), 3),
    "binary slices": weight_values(MTJConfig(), 4),
    "uneven": weight_values(MTJConfig(levels=4, level_fractions=UNEVEN), 2),
    "uneven slices that overlap": weight_values(MTJConfig(levels=4, level_fractions=UNEVEN), 4),
    "uneven slices, many": weight_values(MTJConfig(levels=4, level_fractions=UNEVEN), 6),
}


def real(shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.parametrize("name", SETS)
def test_states_are_those_of_the_converter(name):
    values, step = SETS[name], np.array([0.25, 0.5, 1.0])
    weight = np.round(3 * real((3, 200)).numpy() * 64) / 64  # many lie half-way between two levels
    levels = LevelSet(values)
    states = levels.states(torch.from_numpy(weight / step[:, None]).float())
    wanted, _ = converted(weight, values, per_channel=True, step=step)
    level = values[wanted]
    np.testing.assert_allclose(values[states.numpy()], level, atol=1e-6)
    assert states.dtype == levels.kind
    distance = np.abs(weight[..., None] / step[:, None, None] - values).min(axis=-1)
    np.testing.assert_allclose(np.abs(weight / step[:, None] - level), distance, atol=1e-9)
    torch.testing.assert_close(levels.nearest(torch.from_numpy(weight / step[:, None]).float()),
                               torch.from_numpy(level).float())  # fmt: skip


def test_even_levels_are_told():
    assert [LevelSet(values).even for values in SETS.values()] == [True] * 4 + [False] * 3


@pytest.mark.parametrize("bits", range(1, 9))
@pytest.mark.parametrize("signed", [False, True])
def test_codes_are_those_of_the_converter(bits, signed):
    kind = IntType(bits, signed=signed)
    values = 2.0 ** (bits - 1) * real((500,), bits)
    found = quantise_activations(values, torch.tensor(0.75, dtype=torch.float64), kind)
    wanted = codes_of(values.numpy(), 0.75, kind) * 0.75
    np.testing.assert_array_equal(found.numpy(), wanted)


def test_gradient_of_a_scale_by_hand():
    """Values 0.3, 0.8, 9, -1 over the scale 0.5: 0.6, 1.6, 18, -2 with codes 1, 2, 3, 0.

    The gradients of the scale are 1 - 0.6, 2 - 1.6, 3 and 0, weighed by 1, 2, 3, 4: together
    0.4 + 0.8 + 9, over the root of 4 features times 3.
    """
    values = torch.tensor([0.3, 0.8, 9.0, -1.0], requires_grad=True)
    scale = torch.tensor(0.5, requires_grad=True)
    found = quantise_activations(values, scale, IntType(2), features=4)
    (found * torch.tensor([1.0, 2.0, 3.0, 4.0])).sum().backward()
    assert values.grad.tolist() == [1.0, 2.0, 0.0, 0.0]
    assert float(scale.grad) == pytest.approx(10.2 / 12**0.5)


def test_gradient_of_a_step_by_hand():
    """Weights 0.3, -2 and 0.9 over 0.5: 0.6, -4 and 1.8, on the levels 1, -3 and 1.

    Gradients of the step: 1 - 0.6, -3, 1 - 1.8, weighed by 1, 2, 3: 0.4 - 6 - 2.4, over the root
    of three weights times the largest level.
    """
    weight = torch.tensor([[0.3, -2.0, 0.9]], requires_grad=True)
    step = torch.tensor([[0.5]], requires_grad=True)
    found = quantise_weights(weight, step, LevelSet(SETS["four levels"]))
    assert found.tolist() == [[0.5, -1.5, 0.5]]
    (found * torch.tensor([[1.0, 2.0, 3.0]])).sum().backward()
    assert weight.grad.tolist() == [[1.0, 0.0, 3.0]]
    assert float(step.grad) == pytest.approx(-8.0 / 9**0.5)


def test_gradients_add_over_chips_and_take_what_devices_hold():
    levels = LevelSet(SETS["four levels"])
    weight, step = torch.tensor([[0.3, -2.0]], requires_grad=True), torch.tensor([[0.5]])
    step.requires_grad_()
    held = torch.tensor([[[1.2, -2.5]], [[0.7, -3.5]]])
    found = held_weights(weight, step, levels, held)
    torch.testing.assert_close(found, held * 0.5)
    found.sum().backward()
    assert weight.grad.tolist() == [[2.0, 0.0]]
    # 1.2 + 0.7 - 2 * 0.6 inside, -2.5 - 3.5 beyond, over the root of two weights times 3
    assert float(step.grad) == pytest.approx((0.7 - 6.0) / 6**0.5)


@pytest.mark.parametrize("signed", [False, True])
def test_what_saturates_is_smooth_in_the_scale(signed):
    """Beyond the codes the result is the scale times a constant: finite differences hold."""
    values = 40 + real((2, 3)).abs()
    if signed:
        values = values * torch.tensor([[1.0], [-1.0]])
    kind = IntType(3, signed=signed)
    scale = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    share = (3 * kind.high) ** -0.5

    def scaled(one):
        return quantise_activations(values, one, kind, features=3)

    scaled(scale).sum().backward()
    wanted = (scaled(scale.detach() + 1e-6) - scaled(scale.detach() - 1e-6)).sum() / 2e-6
    assert float(scale.grad) == pytest.approx(float(wanted) * share)


@pytest.mark.parametrize("name", SETS)
def test_weights_beyond_the_levels_are_smooth_in_the_step(name):
    levels = LevelSet(SETS[name])
    weight = 40 * torch.tensor([[1.0, -1.0], [1.0, 1.0]], dtype=torch.float64)
    step = torch.tensor([[0.5], [0.25]], dtype=torch.float64, requires_grad=True)
    share = (2 * levels.high) ** 0.5

    def scaled(one):
        return quantise_weights(weight, one, levels).double() * torch.tensor([[1.0, 3.0]])

    scaled(step).sum().backward()
    wanted = (scaled(step.detach() + 1e-4) - scaled(step.detach() - 1e-4)).sum(1) / 2e-4
    torch.testing.assert_close(step.grad[:, 0] * share, wanted, rtol=1e-4, atol=1e-4)


def test_straight_through_is_the_gradient_of_a_clamp():
    """Between the outermost codes values pass as those of a clamp do, which is smooth there."""
    values, kind = real((20,)) * 4, IntType(3, signed=True)
    given = values.clone().requires_grad_()
    smooth = values.clone().requires_grad_()
    assert gradcheck(lambda x: x.clamp(-4 * 0.7, 3 * 0.7), (smooth,))
    weights = real((20,), 1)
    found, wanted = (
        torch.autograd.grad((part(x) * weights).sum(), x)[0]
        for part, x in (
            (lambda x: quantise_activations(x, torch.tensor(0.7).double(), kind), given),
            (lambda x: x.clamp(-4 * 0.7, 3 * 0.7), smooth),
        )
    )
    torch.testing.assert_close(found, wanted)


def test_binary_weights_beyond_their_values_still_move():
    levels = LevelSet(SETS["binary"])
    weight = torch.tensor([[0.5, 1.5, 2.5]], requires_grad=True)
    quantise_weights(weight, torch.tensor([[1.0]]), levels).sum().backward()
    assert weight.grad.tolist() == [[1.0, 1.0, 0.0]]
