"""Tests of spintron_nn.core.sampling.converters."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling.converters import ConverterSpread


def sampled(bits=6, count=20_000, **spread):
    config = MTJConfig(converters=ConverterSpread(**spread))
    return Chip(config, seed=1).converters("a", (count,), bits)


def test_offset_and_gain():
    found = sampled(offset=0.7, gain=0.02, sense_offset=0.1)
    assert found.offset.std() == pytest.approx(0.7, rel=0.03)
    assert np.log(found.gain).std() == pytest.approx(0.02, rel=0.03)
    # A tenth of the 22 codes of the range.
    assert found.sense_offset.std() == pytest.approx(2.2, rel=0.03)
    assert found.transitions is None


@pytest.mark.parametrize("bits", [1, 4, 8])
def test_integral_error(bits):
    found = sampled(bits, inl=0.5).transitions
    assert found.shape == (20_000, (1 << bits) - 1)
    assert np.sqrt((found**2).mean()) == pytest.approx(0.5, rel=0.03)
    if bits == 8:
        # Smooth: of three half waves over 255 transitions, and nearly nothing at the ends.
        assert np.abs(np.diff(found)).max() < 0.1
        assert np.abs(found[:, [0, -1]]).std() < 0.02


def test_differential_error():
    found = sampled(dnl=0.1).transitions
    assert np.diff(found).std() == pytest.approx(0.1, rel=0.02)
    # Widths of the same code on two converters have nothing to do with each other.
    assert abs((np.diff(found)[1:] * np.diff(found)[:-1]).mean()) < 0.0005


def test_transitions_rise():
    found = sampled(dnl=2.0, inl=1.0).transitions + np.arange(63)
    assert (np.diff(found, axis=-1) >= 0).all()


def test_parts_are_drawn_apart():
    both, one = sampled(offset=0.5, gain=0.1, dnl=0.1), sampled(gain=0.1)
    np.testing.assert_array_equal(both.gain, one.gain)
    np.testing.assert_array_equal(both.transitions, sampled(dnl=0.1).transitions)


def test_an_ideal_chip_has_ideal_converters():
    config = MTJConfig(converters=ConverterSpread(offset=1, gain=1, inl=1, dnl=1, sense_offset=1))
    found = Chip(config, seed=1, ideal=True).converters("a", (2, 3), 4)
    assert not found.offset.any() and not found.sense_offset.any() and (found.gain == 1).all()
    assert found.transitions is None and found.offset.shape == (2, 3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: ConverterSpread(inl=-1),
            "ConverterSpread: inl must be a number at least 0, not -1",
        ),
        (
            lambda: Chip(MTJConfig()).converters("a", (2,), 17),
            "Chip: bits must be an integer in 1..16, not 17",
        ),
        (
            lambda: Chip(MTJConfig()).converters("a", 2, 4),
            "Chip: shape must be a tuple of 1 to 8 sizes, not 2",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        call()
