"""Tests of spintron_nn.converter.adc_range."""

from dataclasses import replace

import numpy as np
import pytest

from spintron_ir import IntType, arith
from spintron_nn.converter.adc_range import _Codes, _levels, choose_adc
from spintron_nn.converter.mapping import map_layer
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

RANDOM = np.random.default_rng(0)
X = RANDOM.integers(0, 16, (200, 40))
STATES = RANDOM.integers(0, 4, (9, 40))


def layer(scheme="pair", **changed):
    settings = {"bits": 2, "kind": IntType(4), "crossbar_size": 16, "dac_bits": 1} | changed
    return map_layer("a", STATES, chip=Chip(MTJConfig(), seed=1), scheme=scheme, **settings).layer


def unexplained(made, x=X):
    """Share of variance that a straight line of the exact accumulators leaves."""
    exact = replace(made, adc=None).accumulate(x)
    found = made.accumulate(x)
    return 1 - np.mean(
        [np.corrcoef(a, b)[0, 1] ** 2 for a, b in zip(exact.T, found.T, strict=True)]
    )


@pytest.mark.parametrize("scheme", ["pair", "columns", "reference"])
@pytest.mark.parametrize("bits", [1, 2, 4, 6, 8])
def test_the_reported_error_is_that_of_the_layer(scheme, bits):
    plain = layer(scheme)
    choice = choose_adc(plain, X, bits)
    found = unexplained(replace(plain, adc=choice.adc))
    assert abs(found - choice.error) < 1e-12
    assert choice.step == 2**choice.adc.shift


@pytest.mark.parametrize("bits", [5, 6, 8])
def test_no_shift_does_better(bits):
    plain = layer()
    choice = choose_adc(plain, X, bits)
    others = [
        unexplained(replace(plain, adc=replace(choice.adc, shift=shift))) for shift in range(8)
    ]
    assert choice.error <= min(others) + 1e-12


@pytest.mark.parametrize("scheme", ["pair", "columns", "reference"])
@pytest.mark.parametrize(("bits", "gain"), [(1, 1), (3, 5), (6, 1), (16, 15)])
@pytest.mark.parametrize("signed", [False, True])
def test_sums_of_codes_are_those_of_the_layer(scheme, bits, gain, signed):
    x = X - 8 * signed
    plain = layer(scheme, kind=IntType(4, signed=signed), bits=4, dac_bits=3)
    choice = choose_adc(plain, x, bits, gains=(gain,), shift=None if bits > 1 else 0)
    adc = choice.adc
    half = int(bits == 3)
    codes = _Codes(plain, _levels(plain, x), bits, gain, adc.offset.astype(np.int64), adc.shift)
    moved = replace(adc, offset=adc.offset - half)
    expected = replace(plain, adc=moved).accumulate(x)
    np.testing.assert_array_equal(codes.sums(adc.shift, half), expected)


@pytest.mark.parametrize("blocks", [None, 3])
def test_currents_are_those_of_the_contract(blocks):
    plain = layer("columns", dac_bits=3, blocks=blocks)
    x = RANDOM.integers(0, 16, (7, plain.inputs))
    chunks = arith.chunks(x, bits=4, signed=False, dac_bits=3).reshape(2, 7, blocks or 1, -1)
    weights = plain.weights.reshape(2, 2, 40, blocks or 1, -1)
    found = _levels(plain, x)
    for k, (start, stop) in enumerate(plain.row_groups):
        current = np.einsum(
            "pnbr,sdrbc->sdpnbc", chunks[..., start:stop], weights[:, :, start:stop]
        )
        np.testing.assert_array_equal(found[k], current.reshape(2, 2, 2, 7, 9))


def test_errors_fall_with_bits():
    errors = [choose_adc(layer(), X, bits).error for bits in (1, 2, 3, 4, 5, 6, 8, 10, 12)]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 0.1 and errors[-1] < 1e-12


def test_finer_gains_never_hurt():
    plain = layer()
    assert choose_adc(plain, X, 4, gains=(1, 3, 5, 7)).error <= choose_adc(plain, X, 4).error


def test_a_column_that_never_moves_is_no_error():
    still = np.full((5, 40), 7)
    assert choose_adc(layer(), still, 4).error == 0.0


def test_clipped_share():
    plain = layer()
    assert choose_adc(plain, X, 12).clipped == 0.0
    assert 0.0 < choose_adc(plain, X, 3).clipped < 0.2
    assert choose_adc(plain, X, 1).clipped == 0.0
