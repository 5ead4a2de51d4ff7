"""Tests of spintron_nn.converter.real_adc."""

from dataclasses import replace

import numpy as np
import pytest

from spintron_ir import Adc, IntType, ParameterError
from spintron_nn.converter.mapping import map_layer
from spintron_nn.converter.real_adc import sampled_adc
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling import ConverterSpread

RANDOM = np.random.default_rng(0)
STATES = RANDOM.integers(0, 4, (5, 40))
X = RANDOM.integers(0, 16, (300, 40))


def layer_and_chip(**spread):
    config = MTJConfig(converters=ConverterSpread(**spread))
    chip = Chip(config, seed=3)
    mapped = map_layer(
        "a", STATES, bits=2, kind=IntType(4), chip=chip, scheme="pair", crossbar_size=16, dac_bits=1
    )
    return mapped.layer, chip


def ideal(bits=6, shift=3, gain=1):
    four = (1, 1, 1, 1)
    return Adc(bits=bits, shift=shift, gain=np.full(four, gain), offset=np.full(four, 5))


def codes_by_hand(layer, adc, chip, x):
    """The converters' formula in floating point, read by read."""
    shape = (layer.groups, layer.slices, layer.converters, layer.cols)
    found = chip.converters("a", shape, adc.bits)
    acc = np.zeros((len(x), layer.cols), dtype=np.int64)
    low, high = adc.type.low, adc.type.high
    wanted = np.arange(low + 1, high + 1)
    for p in range(layer.chunks):
        chunk = (x >> p) & 1
        for k, (start, stop) in enumerate(layer.row_groups):
            for s in range(layer.slices):
                level = chunk[:, start:stop] @ layer.weights[s, 0, start:stop].astype(np.int64)
                gain, offset = found.gain[k, s, 0], found.offset[k, s, 0]
                error = 0 if found.transitions is None else found.transitions[k, s, 0]
                level = level * int(adc.gain.flat[0]) + int(adc.offset.flat[0])
                value = level * gain / 2**adc.shift + offset
                edge = wanted - 0.5 + np.broadcast_to(error, (layer.cols, len(wanted)))
                code = low + (value[:, :, None] >= edge[None]).sum(axis=-1)
                acc += code << (layer.slice_shift[s] + p)
    return acc


@pytest.mark.parametrize(
    "spread",
    [{"gain": 0.05}, {"inl": 0.7}, {"dnl": 0.4}, {"offset": 1.5, "gain": 0.03, "inl": 0.5}],
    ids=str,
)
@pytest.mark.parametrize("adc", [ideal(), ideal(shift=5, gain=3)], ids=["shift", "gain"])
def test_the_network_has_the_chips_converters(spread, adc):
    layer, chip = layer_and_chip(**spread)
    real = sampled_adc("a", layer, adc, chip)
    found = replace(layer, adc=real).accumulate(X)
    np.testing.assert_array_equal(found, codes_by_hand(layer, adc, chip, X))
    assert np.any(found != replace(layer, adc=adc).accumulate(X))


def test_offsets_alone_need_no_transition_levels():
    layer, chip = layer_and_chip(offset=1.5)
    real = sampled_adc("a", layer, ideal(), chip)
    shape = (layer.groups, layer.slices, 1, layer.cols)
    drawn = chip.converters("a", shape, 6).offset
    assert real.transitions is None and real.shift == 3
    np.testing.assert_array_equal(real.offset, 5 + np.round(drawn * 8))


def test_sense_amplifiers_have_an_offset_in_conductance_codes():
    layer, chip = layer_and_chip(sense_offset=4.0)
    real = sampled_adc("a", layer, ideal(bits=1, shift=0), chip)
    shape = (layer.groups, layer.slices, 1, layer.cols)
    drawn = chip.converters("a", shape, 1).sense_offset
    np.testing.assert_array_equal(real.offset, 5 + np.round(drawn))
    assert np.abs(drawn).max() > 1


@pytest.mark.parametrize("ideal_chip", [True, False])
def test_ideal_converters_stay(ideal_chip):
    layer, chip = layer_and_chip(**({"gain": 0.1} if ideal_chip else {}))
    adc = ideal()
    assert sampled_adc("a", layer, adc, replace(chip, ideal=ideal_chip)) is adc


def test_refuses_what_the_network_cannot_carry():
    layer, chip = layer_and_chip(gain=0.05)
    with pytest.raises(
        ParameterError,
        match=r"^convert: converters with errors of gain or linearity must have at most 8 bits, "
        r"not 9; give fewer adc_bits, or set gain, inl and dnl of the converters to 0$",
    ):
        sampled_adc("a", layer, ideal(bits=9, shift=0), chip)
