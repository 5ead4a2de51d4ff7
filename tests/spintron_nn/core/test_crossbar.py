"""Tests of spintron_nn.core.crossbar."""

import math
import re

import numpy as np
import pytest
import torch

from spintron_ir import ParameterError
from spintron_nn.core.crossbar import MTJCrossbar
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.nodal import solve
from spintron_nn.core.sampling import Wires

WEIGHTS = np.array([[1.0, -0.4], [0.2, 0.0], [-1.0, 0.5]])


class Wall:
    """A device of four uneven levels."""

    def mtj_config(self):
        return MTJConfig(levels=4, cell_bits=8, level_fractions=(0, 0.25, 0.5, 1))


def test_layers_decide_the_tmr():
    # Measured 124 %, 220 % and 180 %; of unlike electrodes 2 P P' / (1 - P P') with
    # P = sqrt(2.2 / 4.2) and P' = sqrt(1.8 / 3.8).
    assert MTJCrossbar(rows=1, cols=1).config.tmr == pytest.approx(1.24)
    mixed = MTJCrossbar(
        rows=1, cols=1, mtj_type="in-plane", reference_layer="CoFe", free_layer="Fe"
    )
    product = math.sqrt(2.2 / 4.2 * 1.8 / 3.8)
    assert mixed.config.tmr == pytest.approx(2 * product / (1 - product))
    assert 1.8 < mixed.config.tmr < 2.2


def test_weights_take_the_nearest_level():
    crossbar = MTJCrossbar(rows=3, cols=2)
    crossbar.set_cell_type(Wall())
    config = crossbar.config
    found = crossbar.map_weights(WEIGHTS)
    share = (found - config.conductance_ap) / (config.conductance_p - config.conductance_ap)
    # Shares asked for: 1, 0.3; 0.6, 0.5; 0, 0.75. The last is half way and takes the lower level.
    assert share[0] == pytest.approx(np.array([[1, 0.25], [0.5, 0.5], [0, 0.5]]))
    assert share[1] == pytest.approx(np.array([[0, 0.5], [0.5, 0.5], [1, 0.25]]))


def test_currents_of_binary_pairs():
    crossbar = MTJCrossbar(rows=3, cols=2)
    step = crossbar.config.conductance_p - crossbar.config.conductance_ap
    found = crossbar.compute_vmm([[0.1, 0.2, 0.0], [0.0, 0.0, -0.1]], crossbar.map_weights(WEIGHTS))
    expected = step * np.array([[0.1 + 0.2, -0.1], [0.1, -0.1]])
    assert found == pytest.approx(expected)
    one = crossbar.compute_vmm([0.1, 0.2, 0.0], crossbar.map_weights(WEIGHTS))
    assert one == pytest.approx(expected[0])


def test_larger_weights_saturate():
    crossbar = MTJCrossbar(rows=1, cols=2)
    crossbar.set_cell_type(MTJConfig(levels=4, cell_bits=8))
    given = crossbar.map_weights([[3.0, 0.3]], largest=1.0)
    np.testing.assert_allclose(given, crossbar.map_weights([[1.0, 0.3]]))
    nothing = crossbar.map_weights([[0.0, 0.0]])
    np.testing.assert_array_equal(nothing[0], nothing[1])


def test_a_sampled_chip():
    crossbar = MTJCrossbar(rows=64, cols=64)
    weights = np.ones((64, 64))
    one, again = (crossbar.map_weights(weights, seed=5) for _ in range(2))
    np.testing.assert_array_equal(one, again)
    assert (crossbar.map_weights(weights, seed=6) != one).any()
    log = np.log(one[0] * crossbar.config.resistance_low)
    assert log.std() == pytest.approx(0.1, rel=5 / math.sqrt(2 * 4096))


def test_wires():
    crossbar = MTJCrossbar(rows=3, cols=2)
    crossbar.set_cell_type(MTJConfig(resistance_low=5e3, resistance_high=1e4, wires=Wires(word=1)))
    crossbar.set_wires(bit=2.0, access=1000.0)
    assert crossbar.config.wires == Wires(word=1, bit=2, access=1000)
    conductances = crossbar.map_weights(WEIGHTS)
    voltages = np.array([0.1, 0.05, 0.2])
    positive, negative = (
        solve(1 / side + 1000.0, voltages, wire_word=1, wire_bit=2).output_current
        for side in conductances
    )
    found = crossbar.compute_vmm(voltages, conductances)
    np.testing.assert_allclose(found, positive - negative, rtol=1e-6)
    crossbar.set_wires(Wires())
    assert not crossbar.config.wires.on


def test_tensors_come_back_as_tensors():
    crossbar = MTJCrossbar(rows=3, cols=2)
    weights = torch.tensor(WEIGHTS, dtype=torch.float32)
    conductances = crossbar.map_weights(weights)
    assert conductances.dtype == torch.float32
    voltages = torch.full((3,), 0.1, requires_grad=True)
    currents = crossbar.compute_vmm(voltages, conductances)
    currents.sum().backward()
    difference = (conductances[0] - conductances[1]).sum(dim=1)
    np.testing.assert_allclose(voltages.grad, difference, rtol=1e-5, atol=1e-12)


def test_design_rule():
    crossbar = MTJCrossbar(rows=128, cols=128)
    assert crossbar.check().holds
    crossbar.set_cell_type(MTJConfig(resistance_low=5e3, resistance_high=1e4))
    crossbar.set_wires(word=1.0, bit=1.0)
    report = crossbar.check()
    # About a third of the ideal current, where half the devices are in each state.
    assert not report.holds and report.worst_share == pytest.approx(1 / 3, abs=0.03)
    assert "128 x 128" in report.message
    # A megohm in series with each cell leaves the wires little to take.
    crossbar.set_wires(access=1e6)
    assert crossbar.check().holds


GOOD = {"rows": 2, "cols": 2}


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: MTJCrossbar(rows=0, cols=2),
            "rows must be an integer in 1..1024, not 0",
        ),
        (
            lambda: MTJCrossbar(**GOOD, mtj_type="round"),
            "mtj_type must be one of 'in-plane', 'perpendicular', not 'round'",
        ),
        (
            lambda: MTJCrossbar(**GOOD, barrier="AlOx"),
            "barrier of a junction that is perpendicular must be one of 'MgO', not 'AlOx'",
        ),
        (
            lambda: MTJCrossbar(**GOOD, mtj_type="in-plane", free_layer="NiFe"),
            "free_layer on MgO, in-plane, must be one of 'CoFe', 'CoFeB', 'Fe', not 'NiFe'",
        ),
        (
            lambda: MTJCrossbar(**GOOD).set_cell_type(3),
            "device must be an MTJConfig or have a method mtj_config(), not 3",
        ),
        (
            lambda: MTJCrossbar(**GOOD).map_weights(WEIGHTS),
            "weights must have the shape (2, 2) of the array, not (3, 2)",
        ),
        (
            lambda: MTJCrossbar(**GOOD).compute_vmm([0.1], np.ones((2, 2, 2))),
            "input_voltages must have the shape (2,) or (batch, 2), not (1,)",
        ),
        (
            lambda: MTJCrossbar(**GOOD).compute_vmm([0.1, 0.1], np.ones((2, 2))),
            "conductances must have the shape (2, 2, 2), not (2, 2); map_weights gives them",
        ),
    ],
)
def test_refuses(call, message):
    with pytest.raises(ParameterError, match=f"^MTJCrossbar: {re.escape(message)}$"):
        call()
