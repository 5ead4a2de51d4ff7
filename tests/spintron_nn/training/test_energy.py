"""Tests of spintron_nn.training.energy."""

import numpy as np
import pytest
import torch

from spintron_ir import Adc, Dense, IntType
from spintron_nn import MTJConfig, SpintronConverter
from spintron_nn.core.energy import EnergyModel
from spintron_nn.training.energy import conversion_energy, read_energy
from spintron_nn.training.networks import lenet, mlp, separable

EVEN = MTJConfig(levels=4)
EVEN_8 = MTJConfig(levels=4, cell_bits=8)
UNEVEN = MTJConfig(levels=4, cell_bits=8, level_fractions=(0.0, 0.2, 0.7, 1.0))


def states_of(layer, config):
    """States of the weights of an ideal chip, from its conductance codes."""
    levels = np.searchsorted(config.nominal_codes, layer.codes[:, 0])
    places = config.levels ** np.arange(layer.slices)
    return torch.from_numpy(np.tensordot(places, levels, 1).T.copy())


@pytest.mark.parametrize(
    ("model", "size", "config", "choices"),
    [
        (mlp((20, 12, 4)), (20,), MTJConfig(), {}),
        (mlp((20, 12, 4)), (20,), UNEVEN, {"quantization_bits": 4, "dac_bits": 2, "adc_bits": 6}),
        (mlp((20, 12, 4)), (20,), EVEN, {"scheme": "columns", "crossbar_size": 8}),
        (mlp((20, 12, 4)), (20,), EVEN, {"scheme": "reference", "crossbar_size": 8, "dac_bits": 4}),
        (lenet((2, 3, 6, 5, 4)), (28, 28), EVEN, {"adc_bits": None}),
        (separable((3, 4, 4), seed=1), (28, 28), UNEVEN, {"crossbar_size": 16}),
    ],
    ids=["binary", "uneven slices", "columns", "reference", "positions", "blocks"],
)
def test_the_value_is_that_of_the_energy_model(model, size, config, choices):
    x = np.random.default_rng(0).random((6, *size), dtype=np.float32)
    made = SpintronConverter(config).convert(model.eval(), calibration=x, ideal=True, **choices)
    energy, network = EnergyModel(config), made.network
    codes = made.quantise_input(x)
    report = energy.of_network(network, codes)
    known = {network.inputs[0].name: codes} | network.trace(codes)
    matrices = [node for node in network.nodes if isinstance(node.layer, Dense)]
    for node, expected in zip(matrices, report.layers, strict=True):
        given = torch.from_numpy(known[node.inputs[0]].reshape(-1, node.layer.inputs))
        found = read_energy(energy, node.layer, given, states_of(node.layer, config))
        assert float(found) == pytest.approx(expected.cell_read_j + expected.driver_j, rel=1e-6)
        assert conversion_energy(energy, node.layer) == expected.adc_j


def layer_of(kind, dac_bits, rows=3, cols=2, **more):
    return Dense(
        codes=np.zeros((1, 2, rows, cols), dtype=int),
        cell_bits=8,
        scheme="pair",
        input=kind,
        dac_bits=dac_bits,
        slice_shift=(0,),
        tile_rows=64,
        bias=np.zeros(cols, dtype=int),
        adc=Adc(bits=6),
        **more,
    )


def gradients(config, layer, codes, states):
    energy = EnergyModel(config)
    codes = torch.tensor(codes, dtype=torch.float64, requires_grad=True)
    states = torch.tensor(states, dtype=torch.float64, requires_grad=True)
    value = read_energy(energy, layer, codes, states)
    value.backward()
    return value.item(), codes.grad.numpy(), states.grad.numpy()


@pytest.mark.parametrize("kind", [IntType(4, signed=False), IntType(4, signed=True)], ids=str)
def test_an_input_of_one_chunk_has_the_gradient_of_its_square(kind):
    # A quadratic function: central differences over whole codes are its gradient.
    layer = layer_of(kind, 4)
    codes, states = [[3, 5, 1], [2, 6, 4]], [[0, 1, 2], [3, 3, 1]]
    _, found, _ = gradients(UNEVEN, layer, codes, states)
    for place in np.ndindex(2, 3):
        ends = []
        for step in (1, -1):
            moved = np.array(codes)
            moved[place] += step
            ends.append(gradients(UNEVEN, layer, moved, states)[0])
        assert found[place] == pytest.approx((ends[0] - ends[1]) / 2, rel=1e-5)


def test_bits_pull_with_the_slope_of_their_envelope():
    # 0, 1, 3, 7, 15 have 0 to 4 bits set; between them the envelope is straight.
    layer = layer_of(IntType(4, signed=False), 1, rows=6, cols=1)
    _, found, _ = gradients(EVEN_8, layer, [[0, 2, 3, 5, 8, 15]], [[0] * 6])
    slopes = [1, 1 / 2, (1 / 2 + 1 / 4) / 2, 1 / 4, 1 / 8, 1 / 8]
    assert found[0] / found[0, 0] == pytest.approx(slopes)
    signed = layer_of(IntType(4, signed=True), 1, rows=4, cols=1)
    # Below zero -8, -7, -5 and -1 have one to four bits.
    _, found, _ = gradients(EVEN_8, signed, [[0, 2, -4, 7]], [[0] * 4])
    assert found[0, 0] == 0
    assert found[0] / found[0, 1] == pytest.approx([0, 1, 1 / 2, 1 / 2])


def test_even_pairs_conduct_alike_whatever_they_hold():
    _, _, found = gradients(EVEN_8, layer_of(IntType(2), 1), [[1, 1, -2]], [[0, 1, 2], [3, 3, 1]])
    assert not found.any()


def test_states_of_uneven_levels_have_the_gradient_of_their_conductance():
    layer = layer_of(IntType(2), 1)
    states = [[0, 1, 2], [3, 2, 1]]
    _, _, found = gradients(UNEVEN, layer, [[1, 1, 0], [1, -1, 0]], states)
    for place in np.ndindex(2, 3):
        ends, places = [], []
        for step in (1, -1):
            moved = np.array(states)
            moved[place] = np.clip(moved[place] + step, 0, 3)
            places.append(moved[place])
            ends.append(gradients(UNEVEN, layer, [[1, 1, 0], [1, -1, 0]], moved)[0])
        expected = (ends[0] - ends[1]) / (places[0] - places[1])
        assert found[place] == pytest.approx(expected, rel=1e-5, abs=1e-24)
    assert found[:, :2].any()
    assert not found[:, 2].any()  # a row that is not driven
