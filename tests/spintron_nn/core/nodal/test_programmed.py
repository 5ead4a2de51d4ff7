"""Tests of spintron_nn.core.nodal.programmed."""

import re

import numpy as np
import pytest
from hypothesis import given, settings

from spintron_ir import ParameterError
from spintron_nn.core.nodal import ProgrammedArray, effective_conductance, solve
from tests.spintron_nn.core.nodal.loops import exact
from tests.spintron_nn.core.nodal.test_solution import crossbars

WIRES = {"wire_word": 1.0, "wire_bit": 2.0, "driver": 20.0, "sense": 5.0}


@settings(max_examples=40, deadline=None)
@given(crossbars(most=4))
def test_exact_fractions_agree(case):
    resistance, applied, wires = case
    effective = effective_conductance(1 / resistance, **wires)
    currents = exact(resistance, applied, **wires).sum(axis=0)
    scale = np.abs(applied).max() * effective.max()
    assert np.abs(applied @ effective - currents).max() <= 1e-9 * max(scale, 1e-300)


@pytest.mark.parametrize("rows, cols", [(40, 30), (30, 40), (64, 3), (3, 64), (25, 25)])
@pytest.mark.parametrize(
    "wires",
    [
        WIRES,
        {"wire_word": 0.0, "wire_bit": 2.0},
        {"wire_word": 1.0, "wire_bit": 0.0},
        {"wire_word": 0.0, "wire_bit": 1.0, "driver": 5.0},
        {"wire_word": 1.0, "wire_bit": 0.0, "sense": 5.0},
        {"wire_word": 0.0, "wire_bit": 0.0, "driver": 5.0},
        {"wire_word": 0.0, "wire_bit": 0.0, "driver": 5.0, "sense": 9.0},
        {"wire_word": 1e-3, "wire_bit": 1e-3, "driver": 1e3},
    ],
)
def test_single_solutions_agree(rows, cols, wires):
    """Elimination of columns and conjugate gradients are two ways to one answer."""
    random = np.random.default_rng(rows)
    resistance = random.uniform(1e3, 1e4, (rows, cols))
    resistance[random.random((rows, cols)) < 0.05] = np.inf
    applied = random.uniform(-1, 1, (rows, 3))
    effective = effective_conductance(1 / resistance, **wires)
    expected = solve(resistance, applied, **wires).output_current
    assert applied.T @ effective == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_leading_axes_are_arrays():
    conductance = np.random.default_rng(0).uniform(0, 1e-3, (2, 3, 26, 7))
    conductance[0, 0] = 0.0
    together = effective_conductance(conductance, **WIRES)
    assert together.shape == conductance.shape
    for index in np.ndindex(2, 3):
        apart = effective_conductance(conductance[index], **WIRES)
        assert together[index] == pytest.approx(apart, rel=1e-12, abs=0)
    assert not together[0, 0].any()
    assert effective_conductance(np.zeros((0, 4, 4)), **WIRES).shape == (0, 4, 4)


def test_reciprocity():
    """Driven from the senses, a linear array sends the same current back to the drivers."""
    conductance = np.random.default_rng(1).uniform(0, 1e-2, (9, 5))
    there = effective_conductance(conductance, **WIRES)
    back = effective_conductance(
        conductance[::-1, ::-1].T, wire_word=2.0, wire_bit=1.0, driver=5.0, sense=20.0
    )
    assert back.T[::-1, ::-1] == pytest.approx(there, rel=1e-12)


def test_wires_only_take_away():
    conductance = np.random.default_rng(2).uniform(0, 1e-3, (30, 30))
    effective = effective_conductance(conductance, **WIRES)
    assert (effective >= 0).all()
    assert (effective.sum(axis=0) < conductance.sum(axis=0)).all()


def test_without_wires_a_copy():
    conductance = np.ones((2, 2))
    found = effective_conductance(conductance, wire_word=0, wire_bit=0)
    assert found.tolist() == conductance.tolist() and not np.shares_memory(found, conductance)


def test_a_programmed_array_reads_products():
    random = np.random.default_rng(3)
    resistance, applied = random.uniform(5e3, 1e4, (32, 20)), random.uniform(-1, 1, (50, 32))
    array = ProgrammedArray(1 / resistance, **WIRES)
    expected = solve(resistance, applied.T, **WIRES).output_current
    assert array.read(applied) == pytest.approx(expected, rel=1e-10, abs=1e-14)
    assert array.read(applied[0]).shape == (20,)
    assert not array.effective_conductance.flags.writeable


def test_refusals():
    def refused(message):
        return pytest.raises(ParameterError, match=rf"^{re.escape(message)}$")

    with refused(
        "effective_conductance: conductance must have the shape (..., rows, cols) with at least "
        "one row and one column, not (3,)"
    ):
        effective_conductance([1, 2, 3], **WIRES)
    with refused("effective_conductance: conductance must be numbers of S at least 0, not -1.0"):
        effective_conductance([[-1.0]], **WIRES)
    with refused("effective_conductance: wire_bit must be a number of ohm at least 0, not -2"):
        effective_conductance([[1.0]], wire_word=1, wire_bit=-2)
    with refused(
        "ProgrammedArray: conductance must have the shape (rows, cols), not (1, 1, 1); make one "
        "ProgrammedArray for each array"
    ):
        ProgrammedArray([[[1.0]]], **WIRES)
    with refused(
        "ProgrammedArray.read: voltages must have the shape (..., 2), one for each word line, "
        "not (3,)"
    ):
        ProgrammedArray(np.ones((2, 2)), **WIRES).read([1, 2, 3])
