"""Tests of spintron_nn.converter.wires, and of wires in a conversion."""

import numpy as np
import pytest
import torch
from torch import nn

from spintron_ir import IntType, ParameterError
from spintron_nn import Chip, MTJConfig, SpintronConverter
from spintron_nn.converter.mapping import map_layer
from spintron_nn.converter.wires import bias_error, tile_rule
from spintron_nn.core.nodal import effective_conductance
from spintron_nn.core.sampling import Spread, Telegraph, Wires

RANDOM = np.random.default_rng(0)
STATES = RANDOM.integers(0, 2, (12, 40))
X = RANDOM.integers(0, 16, (64, 40))
KILOHM = {"resistance_high": 1e4, "resistance_low": 5e3}


def mapped(config, *, dac_bits=1, seed=1, **changed):
    settings = {"bits": 1, "kind": IntType(4), "scheme": "pair", "crossbar_size": 16} | changed
    return map_layer("a", STATES, chip=Chip(config, seed=seed), dac_bits=dac_bits, **settings)


def test_codes_are_those_of_the_effective_conductances():
    config = MTJConfig(**KILOHM, wires=Wires(word=2.0, bit=1.0))
    chip = Chip(config, seed=1)
    made = mapped(config)
    held, _ = chip.conductances("a", made.levels, tile=16)
    tile = held[0, 1, 16:32, :12]
    expected = effective_conductance(tile, wire_word=2.0, wire_bit=1.0) / config.conductance_step
    np.testing.assert_array_equal(
        made.layer.codes[0, 1, 16:32, :12], np.floor(expected + 0.5 + 1e-9)
    )
    assert 0.8 < made.array.wire_share < 1


def test_column_steps_make_up_for_wires():
    config = MTJConfig(
        **KILOHM, resistance_variation=0.0, cell_bits=8, wires=Wires(word=4.0, bit=4.0)
    )
    plain = mapped(config).layer.codes.sum(axis=(0, 1, 2))
    scaled = mapped(config, code_steps="column").layer.codes.sum(axis=(0, 1, 2))
    nominal = mapped(MTJConfig(**KILOHM, resistance_variation=0.0, cell_bits=8)).layer.codes
    nominal = nominal.sum(axis=(0, 1, 2))
    assert (plain / nominal).max() < 0.97
    np.testing.assert_array_less(np.abs(scaled / nominal - 1), 0.005)


def test_an_array_without_wires_has_no_rule():
    layer = mapped(MTJConfig()).layer
    assert tile_rule(Chip(MTJConfig()), [layer], 16) is None
    wired = Chip(MTJConfig(wires=Wires(word=1.0, bit=1.0)), ideal=True)
    assert tile_rule(wired, [layer], 16) is None


def test_the_rule_is_that_of_the_largest_tile():
    config = MTJConfig(**KILOHM, wires=Wires(word=1.0, bit=1.0, access=500.0))
    layer = mapped(config).layer
    rule = tile_rule(Chip(config), [layer], 64)
    assert rule.message.startswith("5.5 kOhm/10.5 kOhm devices, 40 x 12, 1 Ohm a segment deliver ")


def test_bias_error_by_formula():
    # No wires, chunks of two bits: chunks 1 and 2 see a third and two thirds of 0.3 V, where the
    # antiparallel conductance differs from that at 0.3 V; 3 and 0 do not err.
    config = MTJConfig(resistance_variation=0.0, read_voltage=0.3, bias_half=0.5)
    made = mapped(config, dac_bits=2)
    found = bias_error("a", made, Chip(config, seed=1), X)
    frames = X[::16]
    volts = ((frames >> (2 * (np.arange(4)[:, None] % 2))) & 3)[:, :16] * 0.1
    level = made.levels[0, 0, :16]
    low = 1 / config.resistance_low
    linear = volts @ np.where(level == 1, low, low / (1 + 1.2 / 1.36))
    antiparallel = low / (1 + 1.2 / (1 + (volts / 0.5) ** 2))
    exact = (volts[:, :, None] * np.where(level == 1, low, antiparallel[:, :, None])).sum(axis=1)
    expected = np.sqrt(np.mean((exact - linear) ** 2) / np.mean(linear**2))
    assert abs(found / expected - 1) < 1e-6
    assert 0.001 < found < 0.2


def test_bits_at_full_voltage_have_no_bias_error():
    config = MTJConfig(read_voltage=0.3, bias_half=0.5)
    assert bias_error("a", mapped(config), Chip(config, seed=1), X) < 1e-9
    wired = MTJConfig(**KILOHM, read_voltage=0.3, bias_half=0.5, wires=Wires(word=9.0, bit=9.0))
    assert bias_error("a", mapped(wired), Chip(wired, seed=1), X) > 1e-4


def test_fast_telegraph_noise_is_read_noise_of_its_column():
    telegraph = Telegraph(share=0.3, amplitude=0.2, switching_time=1e-9, read_time=1e-8)
    made = mapped(MTJConfig(telegraph=telegraph))
    noise = made.layer.noise
    assert noise.amplitude.shape == (3, 1, 1, 12)
    variance = np.moveaxis(made.array.telegraph, -2, 0).sum(axis=2)[:, :, None]
    found = (noise.amplitude * np.sqrt(853) / 4096) ** 2
    np.testing.assert_array_less(np.abs(found / variance - 1), 0.02)
    assert variance.min() > 0


def model():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(40, 20), nn.ReLU(), nn.Linear(20, 5)).eval()


@pytest.mark.parametrize("code_steps", ["network", "column"])
def test_a_conversion_reports_its_wires(code_steps):
    config = MTJConfig(
        **KILOHM, levels=4, cell_bits=8, wires=Wires(word=1.0, bit=1.0), bias_half=0.5
    )
    data = RANDOM.random((100, 40))
    made = SpintronConverter(config).convert(
        model(), calibration=data, crossbar_size=32, code_steps=code_steps
    )
    for layer in made.report.layers:
        assert 0.5 < layer.wire_share < 1
        assert 0 < layer.bias_error < 0.05
        assert 0.2 < layer.code_error < 0.35
    assert [layer.lossless_bits for layer in made.report.layers] == [8, 7]
    facts = made.report.as_dict()
    assert facts["rule"]["holds"] is (facts["rule"]["worst_share"] >= 0.9)
    assert facts["rule"]["message"] == made.report.rule.message
    scores = np.asarray(made.run(data))
    expected = model()(torch.from_numpy(data).float()).detach().numpy()
    assert np.corrcoef(scores.ravel(), expected.ravel())[0, 1] > 0.9


def test_refuses_a_way_to_step_that_there_is_not():
    with pytest.raises(
        ParameterError,
        match=r"^convert: code_steps must be one of 'network', 'column', not 'row'$",
    ):
        SpintronConverter(MTJConfig()).convert(
            model(), calibration=RANDOM.random((4, 40)), code_steps="row"
        )


def test_dies_of_a_wafer_share_its_offset():
    config = MTJConfig(spread=Spread(wafer=0.1), resistance_variation=0.0)
    data = RANDOM.random((20, 40))

    def codes(seed, wafer):
        made = SpintronConverter(config).convert(
            model(), calibration=data, chip_seed=seed, wafer=wafer
        )
        return made.network.nodes[0].layer.codes

    np.testing.assert_array_equal(codes(1, 5), codes(2, 5))
    assert np.any(codes(1, 5) != codes(1, 6))
