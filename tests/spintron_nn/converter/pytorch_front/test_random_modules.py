"""Models that the torch front end reads compute what the modules compute."""

import numpy as np
import pytest
import torch

from spintron_ir import ConversionError
from spintron_nn.converter.loading import quiet
from spintron_nn.converter.pytorch_front import parse
from tests.spintron_nn.converter.pytorch_front.random_modules import random_net
from tests.spintron_nn.converter.real_graph import run_model

FRACTION = 1 << 24
"""Of a function of torch, roundings differ with the place in memory; sums here are exact."""


def same(ours, theirs):
    np.testing.assert_array_equal(np.round(ours * FRACTION), np.round(theirs * FRACTION))


def check(net, given, *, core=False):
    with quiet(), torch.no_grad():
        expected = net(*(value.clone() for value in given))
        program = torch.export.export(net, tuple(value.clone() for value in given))
        if core:
            program = program.run_decompositions()
    model = parse(program)
    inputs = dict(zip(model.inputs, (value.numpy() for value in given), strict=True))
    found = run_model(model, inputs)
    assert list(found) == list(expected)
    for name, value in expected.items():
        same(found[name], value.numpy())


@pytest.mark.parametrize("seed", range(100))
def test_random_modules(seed):
    random = np.random.default_rng(seed)
    net, given = random_net(random, steps=12, inputs=1 + seed % 2)
    check(net, given)


@pytest.mark.parametrize("seed", range(1000, 1030))
def test_random_modules_in_core_operations(seed):
    random = np.random.default_rng(seed)
    net, given = random_net(random, steps=6)
    try:
        check(net, given, core=True)
    except ConversionError as error:
        # What core ATen spreads over operations that nothing else is made of is refused.
        spread = ("empty", "expm1", "rrelu_with_noise_functional", "where")
        named = [finding.partition(" (aten.")[2].partition(")")[0] for finding in error.findings]
        assert set(named) <= set(spread)
