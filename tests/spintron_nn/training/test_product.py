"""Tests of spintron_nn.training.product."""

import itertools

import numpy as np
import pytest
import torch

from spintron_ir import IntType
from spintron_nn.training.held import Held
from spintron_nn.training.product import Result, exact_bytes, held_product, product, through
from spintron_nn.training.quantisers import Coding, LevelSet, coded_activations, held_weights

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
    ratio = (weight / step[:, None]).detach()
    unit = torch.rand((chips, 1, 1), generator=random).double()
    matrix = Held(
        LEVELS.states(ratio),
        held.double().flatten(1)[:, None],
        held.double().flatten(1),
        unit,
    )
    vectors, size = x.flatten(1, -2), step.detach() * unit

    exact = product(vectors, matrix.matrix, size).detach()
    slope = torch.full((chips, 1, 6), 2.0).double()
    result = Result(exact, 2 * exact + 1, slope, size)
    found = held_product(vectors, weight, step, bias if biased else None, LEVELS, matrix, result)
    found = found.reshape(chips, 5, *between, 6)
    on_chips = held_weights(weight, step[:, None], LEVELS, matrix.whole)
    wide = x.expand(chips, *x.shape[1:])
    wanted = 2 * torch.einsum("mn...r,mor->mn...o", wide, on_chips) + 1 + (bias if biased else 0)
    torch.testing.assert_close(found, wanted)

    weighed = torch.randn(found.shape, generator=random).double()
    used = given if biased else given[:3]
    one, other = (torch.autograd.grad((part * weighed).sum(), used) for part in (found, wanted))
    torch.testing.assert_close(one, other)


@pytest.mark.parametrize("chips", [1, 3])
@pytest.mark.parametrize("kind", [IntType(2), IntType(3, signed=True)])
def test_codes_made_on_the_way_are_those_made_before(chips, kind):
    random = torch.Generator().manual_seed(1)
    values = 3 * torch.randn((chips, 5, 7), generator=random)  # many beyond the codes
    weight, whole = (torch.randn(shape, generator=random) for shape in ((6, 7), (chips, 6, 7)))
    step, scale = torch.rand((6,), generator=random) + 0.5, torch.tensor(0.7)
    given = [part.double().requires_grad_() for part in (values, weight, step, scale)]
    values, weight, step, scale = given
    ratio, whole = (weight / step[:, None]).detach(), whole.double().flatten(1)
    unit = torch.ones((chips, 1, 1)).double()
    held = Held(LEVELS.states(ratio), whole[:, None], whole, unit)
    seen = []

    def result(x, codes):
        seen.append(codes)
        exact = product(x, held.matrix, step.detach() * unit)
        return Result(exact, exact, None, step.detach() * unit)

    one = held_product(values, weight, step, None, LEVELS, held, result,
                       (scale, Coding.of(kind, 7)))  # fmt: skip
    x, codes = coded_activations(values, scale, kind, features=7)
    other = held_product(x, weight, step, None, LEVELS, held, result)
    assert torch.equal(one, other)
    assert torch.equal(seen[0], codes) and seen[1] is None
    weighed = torch.randn(one.shape, generator=random).double()
    found, wanted = (torch.autograd.grad((y * weighed).sum(), given) for y in (one, other))
    assert all(map(torch.equal, found, wanted))


def test_what_chips_give_has_the_gradients_of_the_product():
    exact = torch.rand(2, 3, requires_grad=True)
    slope = torch.tensor([2.0, 3.0, 4.0])
    given = torch.zeros(2, 3)
    found = through(exact, Result(exact, given, slope))
    assert torch.equal(found, given)
    assert torch.equal(torch.autograd.grad(found.sum(), exact)[0], slope.expand(2, 3))
    (plain,) = torch.autograd.grad(through(exact, Result(exact, given)).sum(), exact)
    assert torch.equal(plain, torch.ones(2, 3))


@pytest.mark.parametrize("chips", [1, 3])
@pytest.mark.parametrize("rows", [1, 7, 784])
def test_products_of_bytes_are_those_of_floats(chips, rows, monkeypatch):
    """To the last bit: sums of both are whole and below 2**24."""
    random = torch.Generator().manual_seed(rows)
    codes, whole = (
        torch.randint(-128, 128, shape, dtype=torch.int8, generator=random)
        for shape in ((1, 5, rows), (chips, 9, rows))
    )
    size = torch.rand((chips, 1, 9), generator=random)
    found = product(codes, whole, size)
    assert found.shape == (chips, 5, 9)
    wanted = torch.einsum("xnr,mor->mno", codes.double(), whole.double()).float() * size
    assert torch.equal(found, wanted)
    with monkeypatch.context() as patch:
        patch.setattr("torch.cpu._is_vnni_supported", lambda: False, raising=False)
        exact_bytes.cache_clear()
        assert not exact_bytes()
        assert torch.equal(product(codes, whole, size), wanted)
    exact_bytes.cache_clear()
    many = codes.expand(chips, 5, rows)
    assert torch.equal(product(many, whole, size), wanted)
