"""Tests of spintron_nn.core.domain_wall.step_table."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.domain_wall import StepTable, step_table

NUMBERS = {
    "conductance": [1e-6, 2e-6, 4e-6],
    "quantile": [0.25, 0.75],
    "delta_conductance": [[1e-7, 2e-7, 3e-7], [3e-7, 4e-7, 5e-7]],
}


def table(**changes):
    return StepTable(**(NUMBERS | {"temperature": 300, "direction": "increasing"} | changes))


def load(path):
    return StepTable.load(path, temperature=300, direction="increasing")


def test_the_measured_tables(tables):
    for found in tables.values():
        assert found.delta_conductance.shape == (9, 51)
        assert (np.diff(found.delta_conductance, axis=0) >= 0).all()
    # As the files say: every step at 0 K is 6.54 uS, whatever the conductance.
    assert float(tables[0, "increasing"].at(0.5, 1e-4)) == pytest.approx(6.5422e-6, rel=1e-4)
    assert float(tables[300, "decreasing"].at(0.5, 64.062e-6)) == pytest.approx(-2.4292e-6, 1e-4)


def test_between_the_entries():
    assert float(table().at(0.5, 3e-6)) == pytest.approx(3.5e-7)
    np.testing.assert_allclose(table().at([0.0, 0.75, 1.0], 9e-6), [3e-7, 5e-7, 5e-7])
    assert table().at([[0.25], [0.5]], NUMBERS["conductance"]).shape == (2, 3)
    assert table().select([0, 2]).conductance.tolist() == [1e-6, 4e-6]


def test_quantiles_that_cross_a_little_are_sorted():
    found = table(delta_conductance=[[1.00e-7, 2e-7, 3e-7], [0.99e-7, 4e-7, 5e-7]])
    assert found.delta_conductance[:, 0].tolist() == [0.99e-7, 1e-7]


def test_files(tmp_path):
    np.savez(tmp_path / "steps.npz", **NUMBERS)
    text = "conductance,0.25,0.75\n1e-6,1e-7,3e-7\n2e-6,2e-7,4e-7\n\n4e-6,3e-7,5e-7\n"
    (tmp_path / "steps.csv").write_text(text)
    for name in ("steps.npz", "steps.csv"):
        found = load(tmp_path / name)
        for column, value in NUMBERS.items():
            np.testing.assert_array_equal(getattr(found, column), value)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"conductance": [1e-6, 1e-6, 2e-6]},
            "StepTable: conductance must be at least two rising numbers; sort them and drop those "
            "that repeat",
        ),
        ({"quantile": [0.5, 1.5]}, "StepTable: quantile must be numbers in 0..1, not 1.5"),
        (
            {"delta_conductance": np.zeros((3, 2))},
            "StepTable: delta_conductance must have one row a quantile and one column a "
            "conductance, (2, 3), not (3, 2); transpose it where they are exchanged",
        ),
        (
            {"delta_conductance": [[3e-7, 4e-7, 5e-7], [1e-7, 2e-7, 3e-7]]},
            "StepTable: delta_conductance must rise with the quantile, and it falls by 2e-07 S in "
            "a table that spans 4e-07 S; check the order of the rows",
        ),
        (
            {"delta_conductance": np.full((2, 3), np.nan)},
            "StepTable: delta_conductance must be finite numbers of S, not nan",
        ),
        (
            {"direction": "up"},
            "StepTable: direction must be one of 'increasing', 'decreasing', not 'up'",
        ),
    ],
)
def test_refuses(changes, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        table(**changes)


def test_refuses_files(tmp_path, monkeypatch):
    (tmp_path / "steps.txt").write_text("")
    message = "StepTable: a table must be a .npz or .csv file, not 'steps.txt'"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        load(tmp_path / "steps.txt")
    wanted = "conductance, quantile, delta_conductance, and it is not"
    for name, text, reason in (
        ("a.csv", "g,0.5\n1,2\n", "the heading is conductance and probabilities, and every line "
         "is as long"),
        ("b.csv", "", "the file is empty"),
        ("c.csv", "conductance,0.5\n1e-6,x\n", "could not convert string to float: 'x'"),
        ("d.npz", "no archive", "File is not a zip file"),
    ):  # fmt: skip
        (tmp_path / name).write_text(text)
        message = f"StepTable: {name} must be a readable table with {wanted}: {reason}"
        with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
            load(tmp_path / name)
    np.savez(tmp_path / "e.npz", **(NUMBERS | {"quantile": np.array([{}, {}])}))
    with pytest.raises(ParameterError, match=r"^StepTable: e\.npz must be .*allow_pickle=False"):
        load(tmp_path / "e.npz")
    np.savez(tmp_path / "f.npz", **NUMBERS)
    monkeypatch.setattr(step_table, "LARGEST_FILE", 100)
    with pytest.raises(
        ParameterError,
        match=r"^StepTable: f\.npz must have at most 100 bytes, not \d+; a table has a few "
        r"hundred numbers$",
    ):
        load(tmp_path / "f.npz")
