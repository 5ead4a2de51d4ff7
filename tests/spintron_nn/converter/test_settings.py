"""Tests of spintron_nn.converter.settings."""

import re

import pytest

from spintron_ir import ParameterError
from spintron_nn.converter.settings import Settings
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"quantization_bits": 9}, "quantization_bits must be an integer in 1..8, not 9"),
        ({"activation_bits": 0}, "activation_bits must be an integer in 1..8, not 0"),
        ({"crossbar_size": 1}, "crossbar_size must be an integer in 2..4096, not 1"),
        ({"dac_bits": 2.0}, "dac_bits must be an integer in 1..8, not 2.0"),
        ({"adc_bits": 17}, "adc_bits must be an integer in 1..16, not 17"),
        ({"scheme": "diff"}, "scheme must be one of 'pair', 'columns', 'reference', not 'diff'"),
        ({"classify": 1}, "classify must be True or False, not 1"),
        ({"recalibrate": None}, "recalibrate must be True or False, not None"),
        ({"percentile": 49.9}, "percentile must be a number in 50..100, or None, not 49.9"),
        ({"percentile": float("nan")}, "percentile must be a number in 50..100, or None, not nan"),
        ({"percentile": True}, "percentile must be a number in 50..100, or None, not True"),
    ],
    ids=str,
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^convert: {re.escape(message)}$"):
        Settings(chip=Chip(MTJConfig()), **changed)


def test_refuses_bits_that_do_not_fill_devices():
    with pytest.raises(
        ParameterError,
        match=r"^convert: quantization_bits must be a multiple of the 2 bits that a device of 4 "
        r"levels holds, not 3$",
    ):
        Settings(chip=Chip(MTJConfig(levels=4)), quantization_bits=3)


def test_refuses_a_reference_between_codes():
    with pytest.raises(
        ParameterError,
        match=r"^convert: the scheme 'reference' needs a conductance code in the middle of the "
        r"range, and 6 cell bits leave 15 codes; give cell_bits=7$",
    ):
        Settings(chip=Chip(MTJConfig(levels=16)), quantization_bits=4, scheme="reference")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"layer_bits": [2]}, "layer_bits must be a dict of bits by name, not list"),
        ({"layer_bits": {"fc": 9}}, "layer_bits['fc'] must be an integer in 1..8, not 9"),
        ({"layer_bits": {"fc": 3}}, "layer_bits['fc'] must be a multiple of the 2 bits that a "
         "device of 4 levels holds, not 3"),
        ({"layer_activation_bits": {"x": 0}},
         "layer_activation_bits['x'] must be an integer in 1..8, not 0"),
        ({"layer_activation_bits": "x=1"},
         "layer_activation_bits must be a dict of bits by name, not str"),
    ],
    ids=str,
)  # fmt: skip
def test_refuses_bits_of_single_layers(changed, message):
    with pytest.raises(ParameterError, match=f"^convert: {re.escape(message)}$"):
        Settings(chip=Chip(MTJConfig(levels=4)), **changed)
