"""Tests of spintron_nn.core.nodal.passive."""

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.nodal import read_cell, solve

IDEAL = {"wire_word": 0, "wire_bit": 0}


@pytest.mark.parametrize("rows, cols", [(2, 2), (5, 3), (64, 64), (100, 7)])
def test_floating_lines_by_series_and_parallel(rows, cols):
    """Beside the cell: the rest of its row, all that is left, the rest of its column, in series."""
    ohm = 1e4
    found = read_cell(
        np.full((rows, cols), ohm), rows - 1, 0, voltage=0.2, scheme="floating", **IDEAL
    )
    beside = ohm / (cols - 1) + ohm / ((rows - 1) * (cols - 1)) + ohm / (rows - 1)
    assert found.cell_current == pytest.approx(0.2 / ohm, rel=1e-10)
    assert found.sneak_current == pytest.approx(0.2 / beside, rel=1e-10)
    assert found.output_current == pytest.approx(0.2 / ohm + 0.2 / beside, rel=1e-10)
    assert found.supplied_power == pytest.approx(0.2 * found.output_current, rel=1e-10)
    largest = max(ohm / (cols - 1), ohm / (rows - 1))
    assert found.disturb_voltage == pytest.approx(0.2 * largest / beside, rel=1e-9)


@pytest.mark.parametrize(
    "scheme, sneak, disturb",
    [
        # Currents in 1 V / 1 kohm: the other rows stand at this voltage on the cell's bit line.
        ("grounded", 0.0, 1.0),
        ("half", 4 * 0.5, 0.5),
        ("third", 4 / 3, 1 / 3),
    ],
)
def test_biased_lines(scheme, sneak, disturb):
    resistance = np.full((5, 6), 1e3)
    found = read_cell(resistance, 2, 3, voltage=1.0, scheme=scheme, **IDEAL)
    assert found.cell_current == pytest.approx(1e-3, rel=1e-14)
    assert found.sneak_current == pytest.approx(sneak * 1e-3, rel=1e-12, abs=1e-18)
    assert found.disturb_voltage == pytest.approx(disturb, rel=1e-14)


def test_power_is_what_devices_take():
    resistance = np.random.default_rng(0).uniform(1e3, 1e4, (6, 4))
    for scheme in ("floating", "grounded", "half", "third"):
        found = read_cell(resistance, 0, 0, voltage=0.5, scheme=scheme, **IDEAL)
        heat = np.sum(found.device_voltage**2 / resistance)
        assert found.supplied_power == pytest.approx(heat, rel=1e-10)


def test_grounded_lines_with_wires_are_one_driven_row():
    resistance = np.random.default_rng(1).uniform(1e3, 1e4, (6, 4))
    wires = {"wire_word": 3.0, "wire_bit": 2.0, "driver": 10.0, "sense": 20.0}
    expected = solve(resistance, [0, 0.3, 0, 0, 0, 0], **wires)
    found = read_cell(resistance, 1, 2, voltage=0.3, scheme="grounded", **wires)
    assert found.output_current == pytest.approx(expected.output_current[2], rel=1e-12)
    assert found.cell_current == pytest.approx(expected.device_current[1, 2], rel=1e-12)


def test_floating_lines_with_wires_by_hand():
    """2 x 2, all in ohm: 1 a segment, 10 a device; every path drawn out."""
    found = read_cell(
        np.full((2, 2), 10.0), 1, 0, voltage=1.0, scheme="floating", wire_word=1, wire_bit=1
    )
    # From the cell's word node: 10 down to the bit node, or 1 + 10 + 1 + 10 + 1 + 10 + 1 beside it,
    # to the same node; 1 at the driver and 1 at the sense in series.
    beside = 34.0
    total = 2 + 10 * beside / (10 + beside)
    assert found.output_current == pytest.approx(1 / total, rel=1e-12)
    assert found.sneak_current == pytest.approx(1 / total * 10 / (10 + beside), rel=1e-12)


def test_opens_leave_lines_without_a_voltage():
    resistance = np.full((3, 3), 1e3)
    resistance[0] = np.inf
    resistance[:, 2] = np.inf
    for wire in (0.0, 1.0):
        found = read_cell(
            resistance, 1, 0, voltage=1.0, scheme="floating", wire_word=wire, wire_bit=wire
        )
        assert np.isfinite(found.device_voltage).all()
        assert found.sneak_current == pytest.approx(1 / 3e3, rel=0.01)


def test_refusals():
    with pytest.raises(
        ParameterError,
        match=r"^read_cell: scheme must be one of 'floating', 'grounded', 'half', 'third', not "
        r"'V/2'$",
    ):
        read_cell([[1.0]], 0, 0, voltage=1, scheme="V/2", **IDEAL)
    with pytest.raises(
        ParameterError, match=r"^read_cell: row must be an integer in 0\.\.0, not 1$"
    ):
        read_cell([[1.0]], 1, 0, voltage=1, scheme="half", **IDEAL)
    with pytest.raises(
        ParameterError, match=r"^read_cell: column must be an integer in 0\.\.0, not -1$"
    ):
        read_cell([[1.0]], 0, -1, voltage=1, scheme="half", **IDEAL)
    with pytest.raises(
        ParameterError, match=r"^read_cell: voltage must be a finite number of V, not nan$"
    ):
        read_cell([[1.0]], 0, 0, voltage=float("nan"), scheme="half", **IDEAL)
