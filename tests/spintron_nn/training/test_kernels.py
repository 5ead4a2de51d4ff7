"""Tests of spintron_nn.training.kernels: what they compute is what operations of torch do."""

import numpy as np
import pytest
import torch

from spintron_ir import IntType
from spintron_nn.training import kernels
from spintron_nn.training.quantisers import Coding, LevelSet, passed_

EDGES = [-9.0, -3.0, -2.0, -1.0, -0.5, -0.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 7.0, 7.5, 40.0]


def both(monkeypatch, work):
    """What a computation gives with kernels, and with torch alone."""
    compiled = work()
    monkeypatch.setattr(kernels, "suits", lambda *tensors: False)
    return compiled, work()


def same(found, wanted):
    for one, other in zip(found, wanted, strict=True):
        assert one.dtype == other.dtype
        torch.testing.assert_close(one, other, rtol=0, atol=0)


@pytest.mark.parametrize("bits", [1, 2, 4])
@pytest.mark.parametrize("steps", [3, 1])
@pytest.mark.parametrize("shape", [(3, 7), (3, 2, 5, 5), (3, 0)])
def test_states(monkeypatch, bits, steps, shape):
    count = 1 << bits
    levels = LevelSet(np.arange(1.0 - count, count, 2))
    weight = torch.randn(shape, generator=torch.Generator().manual_seed(1)) * count
    if weight.numel():
        weight[0, 0], weight[1, 0] = 0.0, -2.0

    def work():
        states = torch.empty(shape, dtype=levels.kind)
        levels.put_(weight, torch.full((steps,), 0.5), states)
        return [states]

    same(*both(monkeypatch, work))


@pytest.mark.parametrize("kind", [IntType(2), IntType(8), IntType(4, signed=True), IntType(1)])
def test_codes(monkeypatch, kind):
    values = torch.cat([torch.tensor(EDGES), torch.randn(1000) * 5])
    same(*both(monkeypatch, lambda: Coding.of(kind, 4).coded(values, torch.tensor(0.5))))


@pytest.mark.parametrize("kind", [IntType(2), IntType(8), IntType(4, signed=True)])
@pytest.mark.parametrize("wanted", [False, True])
def test_gradients_of_codes(monkeypatch, kind, wanted):
    coding = Coding.of(kind, 4)
    values = torch.cat([torch.tensor(EDGES), torch.randn(1000) * 5])
    scale = torch.tensor(0.5)
    values = values * scale
    _, codes = coding.coded(values, scale)
    grad = torch.randn(len(values))
    (found, step), (given, other) = both(
        monkeypatch, lambda: coding.gradients(grad, values, scale, codes, wanted)
    )
    same([found], [given])
    if not wanted:
        assert step is other is None
    else:
        torch.testing.assert_close(step, other, rtol=1e-5, atol=1e-4)


@pytest.mark.parametrize("steps", [4, 1])
def test_gradients_of_weights(monkeypatch, steps):
    ratio = torch.cat([torch.tensor(EDGES), torch.randn(1008) * 3]).reshape(4, 256)
    grad, step = torch.randn(4, 256), torch.tensor([0.5, 0.25, 2.0, 1.0])[:steps]
    weight = ratio * step[:, None]
    (found, sums), (given, wanted) = both(
        monkeypatch, lambda: passed_(grad.clone(), weight, step, -3.0, 3.0)
    )
    same([found], [given])
    torch.testing.assert_close(sums, wanted, rtol=1e-5, atol=1e-4)


def test_kernels_are_for_the_processor():
    whole = torch.zeros(3, 4)
    assert kernels.suits(whole, whole)
    assert not kernels.suits(whole, whole.double())
    assert not kernels.suits(whole.T)
    assert not kernels.suits(whole.to("meta"))
