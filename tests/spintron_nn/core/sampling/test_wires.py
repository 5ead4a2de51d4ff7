"""Tests of spintron_nn.core.sampling.wires."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.nodal import effective_conductance
from spintron_nn.core.sampling.wires import Wires, delivered

LINES = {"word": 20.0, "bit": 30.0, "driver": 500.0, "sense": 200.0}


def currents(conductance, voltages, wires):
    """Kirchhoff's laws of one array, as dense equations: a node on each line at each cell."""
    rows, cols = conductance.shape
    word = np.arange(rows * cols).reshape(rows, cols)
    bit = word + rows * cols
    matrix, source = np.zeros((2 * rows * cols,) * 2), np.zeros(2 * rows * cols)

    def join(a, b, g):
        matrix[a, a] += g
        matrix[b, b] += g
        matrix[a, b] -= g
        matrix[b, a] -= g

    for r in range(rows):
        for c in range(cols):
            join(word[r, c], bit[r, c], 1 / (1 / conductance[r, c] + wires.access))
            if c:
                join(word[r, c - 1], word[r, c], 1 / wires.word)
            if r:
                join(bit[r - 1, c], bit[r, c], 1 / wires.bit)
        first = 1 / (wires.word + wires.driver)
        matrix[word[r, 0], word[r, 0]] += first
        source[word[r, 0]] += first * voltages[r]
    last = 1 / (wires.bit + wires.sense)
    matrix[bit[-1], bit[-1]] += last
    return np.linalg.solve(matrix, source)[bit[-1]] * last


def test_currents_are_those_of_kirchhoffs_laws():
    random = np.random.default_rng(1)
    conductance = random.uniform(1e-5, 1e-4, (4, 3))
    voltages = random.uniform(0, 0.1, 4)
    wires = Wires(**LINES, access=1000.0)
    np.testing.assert_allclose(
        voltages @ wires.effective(conductance), currents(conductance, voltages, wires), rtol=1e-9
    )


@pytest.mark.parametrize(("rows", "cols"), [(10, 7), (8, 8), (3, 9), (9, 3)])
def test_every_tile_is_an_array_of_its_own(rows, cols):
    random = np.random.default_rng(2)
    cells = random.uniform(1e-5, 1e-4, (2, rows, cols))
    reference = random.uniform(1e-5, 1e-4, (2, rows, -(-cols // 4)))
    wires = Wires(**LINES)
    found, side = delivered(wires, cells, reference, 4)
    names = {f"wire_{name}" if name in ("word", "bit") else name: v for name, v in LINES.items()}
    for top in range(0, rows, 4):
        for block, left in enumerate(range(0, cols, 4)):
            down, across = slice(top, top + 4), slice(left, left + 4)
            tile = np.concatenate([cells[:, down, across], reference[:, down, block, None]], axis=2)
            expected = effective_conductance(tile, **names)
            np.testing.assert_allclose(found[:, down, across], expected[..., :-1], rtol=1e-12)
            np.testing.assert_allclose(side[:, down, block], expected[..., -1], rtol=1e-12)


def test_access_devices_alone():
    # 1.5 MOhm behind 0.5 MOhm conducts three quarters.
    config = MTJConfig(resistance_variation=0, wires=Wires(access=5e5))
    array = Chip(config).sample("a", np.ones((4, 4), dtype=int))
    assert array.wire_share == pytest.approx(0.75)
    assert array.codes.max() == array.codes.min() == round(0.75 * 62.333)


def test_steps_of_columns_take_the_loss_back():
    config = MTJConfig(wires=Wires(word=1000.0, bit=1000.0), cell_bits=8)
    levels = np.random.default_rng(3).integers(0, 2, (1, 2, 60, 40))
    chip = Chip(config)
    plain = chip.sample("a", levels, tile=32)
    scaled = chip.sample("a", levels, tile=32, per_column=True)
    without = Chip(config.only("resistance")).sample("a", levels, tile=32)
    assert plain.wire_share == scaled.wire_share < 0.99
    assert (plain.steps == config.conductance_step).all()
    # Far from the drivers less arrives; the next array has its own.
    assert scaled.steps[31] < 0.9 * scaled.steps[0] and scaled.steps[32] > 1.1 * scaled.steps[31]
    # The sum of a column over all its devices is that of the same devices without wires again,
    # but for 240 roundings of 0.29 codes each.
    assert scaled.saturated == 0 and without.wire_share == 1
    total, other = (a.codes.sum(axis=(0, 1, 2)).astype(float) for a in (scaled, without))
    assert total == pytest.approx(other, abs=5 * 0.29 * 240**0.5)


def test_wires_of_a_nominal_chip_do_nothing():
    config = MTJConfig(wires=Wires(word=1e4))
    array = Chip(config, ideal=True).sample("a", np.array([[0, 1]]))
    assert array.codes.tolist() == [list(config.nominal_codes)]


def test_refuses():
    message = "Wires: word must be a number of ohm at least 0, not -1"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        Wires(word=-1)
