"""Tests of spintron_nn.core.nodal.solution: other solvers, and the laws of circuits."""

import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spintron_ir import ParameterError
from spintron_nn.core.nodal import solve
from tests.spintron_nn.core.nodal.loops import exact
from tests.spintron_nn.core.nodal.netlist import netlist, simulate

ROOT = Path(__file__).parents[4]
VECTORS = ROOT / "tests/data/crossbars_qucs"
FIELDS = (
    "output_current",
    "device_current",
    "word_line_current",
    "bit_line_current",
    "word_line_voltage",
    "bit_line_voltage",
)


def no_ngspice():
    return None if shutil.which("ngspice") else "not installed"


def near(found, expected, relative):
    """Whether all differences are small beside the largest value of the array."""
    largest = np.abs(expected).max()
    return np.abs(found - expected).max() <= relative * largest


@st.composite
def crossbars(draw, most=12):
    """Anything from 1 x 1; devices and wires of any magnitude in use, opens and shorts."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows, cols = draw(st.integers(1, most)), draw(st.integers(1, most))
    low, high = draw(st.sampled_from([(3.7, 4.0), (0, 6), (-3, 9), (6, 9)]))
    resistance = 10 ** random.uniform(low, high, (rows, cols))
    resistance[random.random((rows, cols)) < draw(st.sampled_from([0, 0.1]))] = np.inf
    resistance[random.random((rows, cols)) < draw(st.sampled_from([0, 0.1]))] = 1e-3
    size = st.sampled_from([0.0, 1e-3, 1.0, 30.0, 1e3])
    wires = {name: draw(size) for name in ("wire_word", "wire_bit", "driver", "sense")}
    return resistance, random.uniform(-1, 1, rows), wires


@pytest.mark.parametrize("size, count", [("1x1", 15), ("5x4", 6)])
def test_a_circuit_simulator_agrees(size, count):
    files = sorted(VECTORS.glob(f"{size}-*.npz"))
    assert len(files) == count
    for file in files:
        case = np.load(file, allow_pickle=False)
        found = solve(
            case["resistance"],
            case["applied_voltage"],
            wire_word=float(case["wire_resistance_word"]),
            wire_bit=float(case["wire_resistance_bit"]),
        )
        for field in FIELDS:
            assert getattr(found, field).shape == case[field].shape
            assert near(getattr(found, field), case[field], 1e-12), (file.name, field)


@pytest.mark.parametrize(
    "rows, cols, wires",
    [
        (1, 7, {"wire_word": 1.0, "wire_bit": 2.0}),
        (9, 1, {"wire_word": 1.0, "wire_bit": 2.0}),
        (8, 6, {"wire_word": 0.0, "wire_bit": 2.0}),
        (6, 8, {"wire_word": 3.0, "wire_bit": 0.0, "driver": 50.0}),
        (5, 5, {"wire_word": 0.0, "wire_bit": 0.0, "driver": 70.0, "sense": 30.0}),
        (32, 32, {"wire_word": 1.0, "wire_bit": 2.5, "driver": 100.0, "sense": 10.0}),
    ],
)
def test_ngspice_agrees(rows, cols, wires, tmp_path, require_tool):
    require_tool("ngspice", no_ngspice())
    random = np.random.default_rng(rows)
    resistance = 10 ** random.uniform(2, 5, (rows, cols))
    applied = random.uniform(-1, 1, rows)
    lines = netlist(
        applied,
        lambda r, c, word, bit: f"R{r}_{c} {word} {bit} {float(resistance[r, c])!r}",
        (rows, cols),
        **wires,
    )
    output, word, bit = simulate(lines, (rows, cols), tmp_path)
    found = solve(resistance, applied, **wires)
    assert near(found.output_current, output, 1e-11)
    assert near(found.word_line_voltage, word, 1e-11)
    assert np.abs(found.bit_line_voltage - bit).max() <= 1e-11 * np.abs(word).max()


@settings(max_examples=40, deadline=None)
@given(crossbars(most=4))
def test_exact_fractions_agree(case):
    resistance, applied, wires = case
    currents = exact(resistance, applied, **wires)
    found = solve(resistance, applied, **wires)
    assert near(found.device_current, currents, 1e-9)
    assert near(found.output_current, currents.sum(axis=0), 1e-9)


@settings(max_examples=60, deadline=None)
@given(crossbars())
def test_laws_of_circuits(case):
    resistance, applied, wires = case
    found = solve(resistance, applied, **wires)
    rows, cols = resistance.shape
    volt = np.abs(applied).max()
    along, down = found.word_line_current, found.bit_line_current
    # Ohm's law of each segment, from the voltages at its ends.
    left = np.column_stack([applied - wires["driver"] * along[:, 0], found.word_line_voltage])
    assert np.abs(-np.diff(left) - wires["wire_word"] * along).max() <= 1e-9 * volt
    below = np.vstack([found.bit_line_voltage, wires["sense"] * down[-1]])
    assert np.abs(-np.diff(below, axis=0) - wires["wire_bit"] * down).max() <= 1e-9 * volt
    # Kirchhoff's law of each node.
    ampere = np.abs(found.device_current).max()
    after = np.column_stack([along[:, 1:], np.zeros(rows)])
    assert np.abs(along - after - found.device_current).max() <= 1e-12 * cols * ampere
    before = np.vstack([np.zeros(cols), down[:-1]])
    assert np.abs(down - before - found.device_current).max() <= 1e-12 * rows * ampere
    assert found.output_current.tolist() == down[-1].tolist()
    # What the drivers supply is what devices and wires turn to heat.
    finite = np.where(np.isfinite(resistance), resistance, 0.0)
    heat = np.sum(finite * found.device_current**2)
    heat += wires["wire_word"] * np.sum(along**2) + wires["wire_bit"] * np.sum(down**2)
    heat += wires["driver"] * np.sum(along[:, 0] ** 2) + wires["sense"] * np.sum(down[-1] ** 2)
    assert applied @ along[:, 0] == pytest.approx(heat, rel=1e-8, abs=1e-300)


@settings(max_examples=20, deadline=None)
@given(crossbars(), st.integers(2, 5))
def test_vectors_are_solved_apart_and_add(case, vectors):
    resistance, _, wires = case
    applied = np.random.default_rng(vectors).uniform(-1, 1, (len(resistance), vectors))
    together = solve(resistance, applied, **wires)
    apart = [solve(resistance, column, **wires) for column in applied.T]
    total = solve(resistance, applied.sum(axis=1), **wires)
    assert together.output_current.shape == (vectors, resistance.shape[1])
    for field in FIELDS:
        stacked = np.stack([getattr(one, field) for one in apart])
        found = getattr(together, field)
        found = found if field == "output_current" else np.moveaxis(found, -1, 0)
        scale = np.abs(stacked).max()
        assert np.abs(found - stacked).max() <= 1e-9 * scale
        assert np.abs(stacked.sum(axis=0) - getattr(total, field)).max() <= 1e-9 * vectors * scale


def test_one_vector_keeps_its_shape():
    resistance = np.full((3, 2), 1e3)
    flat = solve(resistance, [1, 2, 3], wire_word=1, wire_bit=1)
    column = solve(resistance, [[1], [2], [3]], wire_word=1, wire_bit=1)
    assert flat.output_current.shape == (2,)
    assert column.output_current.shape == (1, 2)
    assert flat.device_current.shape == column.device_current.shape == (3, 2)


def test_two_devices_by_hand():
    # 10 V through 1 ohm to the first device, 1 ohm more to the second; each to ground through
    # 1 ohm: 2 + 1 ohm beside 1 + (3 + 1) ohm. 1/(1/4 + 1/5) = 20/9, and 29/9 ohm take 90/29 A.
    found = solve([[3.0, 3.0]], [10.0], wire_word=1, wire_bit=1)
    assert found.word_line_current[0, 0] == pytest.approx(90 / 29, rel=1e-14)
    assert found.output_current == pytest.approx([90 / 29 * 5 / 9, 90 / 29 * 4 / 9], rel=1e-14)


@pytest.mark.parametrize("wire_word, wire_bit", [(0.0, 5.0), (5.0, 0.0)])
def test_wires_in_one_direction(wire_word, wire_bit):
    resistance = 10 ** np.random.default_rng(0).uniform(-3, 9, (4, 4))
    applied = np.array([1.0, -1.0, 0.5, 0.25])
    found = solve(resistance, applied, wire_word=wire_word, wire_bit=wire_bit)
    currents = exact(resistance, applied, wire_word=wire_word, wire_bit=wire_bit)
    assert near(found.device_current, currents, 1e-12)


def test_devices_far_below_the_wires_take_the_long_way():
    # Conjugate gradients would need hundreds of steps here.
    random = np.random.default_rng(5)
    resistance = 10 ** random.uniform(-3, 0, (40, 30))
    applied = random.uniform(-1, 1, 40)
    found = solve(resistance, applied, wire_word=1.0, wire_bit=2.0)
    word = np.column_stack([applied, found.word_line_voltage])
    assert np.abs(-np.diff(word) - found.word_line_current).max() <= 1e-10
    across = found.word_line_voltage - found.bit_line_voltage
    assert np.abs(across - resistance * found.device_current).max() <= 1e-10


def test_an_open_array_conducts_nothing():
    found = solve(np.full((3, 4), np.inf), [1, 2, 3], wire_word=1, wire_bit=1)
    assert not found.device_current.any() and not found.bit_line_voltage.any()
    assert found.word_line_voltage.tolist() == [[row] * 4 for row in (1, 2, 3)]


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            {"resistance": "text"},
            "solve: resistance must be an array of numbers of ohm above 0, not 'text'",
        ),
        (
            {"resistance": [1.0, 2.0]},
            "solve: resistance must have the shape (rows, cols) with at least one row and one "
            "column, not (2,)",
        ),
        (
            {"resistance": [[1.0], [0.0]]},
            "solve: resistance must be numbers of ohm above 0, infinity for an open device, not "
            "0.0; a short is a small resistance, for example 0.001",
        ),
        (
            {"resistance": [[1.0], [float("nan")]]},
            "solve: resistance must be numbers of ohm above 0, infinity for an open device, not "
            "nan; a short is a small resistance, for example 0.001",
        ),
        (
            {"applied_voltage": [1.0]},
            "solve: applied_voltage must have the shape (2,) or (2, vectors), one for each word "
            "line, not (1,)",
        ),
        (
            {"applied_voltage": [1.0, float("inf")]},
            "solve: applied_voltage must be finite numbers of V, not inf",
        ),
        ({"wire_word": -1}, "solve: wire_word must be a number of ohm at least 0, not -1"),
        ({"wire_bit": None}, "solve: wire_bit must be a number of ohm at least 0, not None"),
        ({"driver": "1"}, "solve: driver must be a number of ohm at least 0, not '1'"),
        ({"sense": -0.5}, "solve: sense must be a number of ohm at least 0, not -0.5"),
    ],
)
def test_refusals(changes, message):
    arguments = {
        "resistance": [[1.0], [2.0]],
        "applied_voltage": [1.0, 2.0],
        "wire_word": 1,
        "wire_bit": 1,
    } | changes
    with pytest.raises(ParameterError, match=rf"^{re.escape(message)}$"):
        solve(arguments.pop("resistance"), arguments.pop("applied_voltage"), **arguments)
