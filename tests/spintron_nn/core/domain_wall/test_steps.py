"""Tests of spintron_nn.core.domain_wall.steps: what measured tables a fit foretells."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.domain_wall import StepLaw, StepModel, StepTable, fit_steps, pooled_error

INNER = slice(5, 46)  # conductances of the inner 80 % of the track
EVEN, ODD = np.arange(0, 51, 2), np.arange(1, 51, 2)
LOW, HIGH = np.arange(25), np.arange(25, 51)
OUTSIDE, BETWEEN = np.r_[0:15, 35:51], np.arange(15, 35)
BOTH = ("increasing", "decreasing")


@pytest.fixture(scope="module")
def model(tables):
    return fit_steps(tables.values())


def errors(model, tables, columns=INNER):
    """Largest relative error at 300 K of the 16, 50 and 84 % quantiles."""
    found = [pooled_error(model, tables[300, direction].select(columns)) for direction in BOTH]
    return np.abs(found).max(axis=0)


def inner(columns):
    return columns[(columns >= 5) & (columns < 46)]


def test_the_fit_of_all_tables(model, tables):
    cold, warm = model.laws
    # Read off the files: 6.54 uS at 0 K; at 300 K the commonest step is near half of it.
    assert cold.hop == pytest.approx(6.54e-6, rel=1e-2)
    assert cold.mean == pytest.approx(cold.hop)
    assert warm.hop == pytest.approx(3.3e-6, rel=0.1)
    assert (errors(model, tables) < [0.05, 0.05, 0.06]).all()
    for direction in BOTH:
        assert np.abs(pooled_error(model, tables[0, direction])).max() < 0.002
    # Windows of ten conductances.
    for first in (5, 15, 25, 35):
        assert (errors(model, tables, slice(first, first + 10)) < 0.15).all()


def test_at_zero_kelvin_every_single_point(model, tables):
    for direction in BOTH:
        table = tables[0, direction]
        share = np.array([[0.16], [0.5], [0.84]])
        found = model.quantile(share, table.conductance, 0, direction)
        np.testing.assert_allclose(found, table.at(share, table.conductance), rtol=0.005)


@pytest.mark.parametrize(
    ("kept", "left_out"),
    [(EVEN, ODD), (ODD, EVEN), (LOW, HIGH), (HIGH, LOW), (OUTSIDE, BETWEEN)],
    ids=["even", "odd", "low half", "high half", "outside"],
)
def test_conductances_left_out(tables, kept, left_out):
    found = fit_steps(table.select(kept) for table in tables.values())
    assert (errors(found, tables, inner(left_out)) < 0.15).all()


@pytest.mark.parametrize("known", BOTH)
def test_the_other_direction_left_out(tables, known):
    found = fit_steps([tables[0, known], tables[300, known]])
    assert (errors(found, tables) < 0.15).all()


def test_quantiles_left_out(tables):
    # Fitted to 5, 25, 75 and 95 % alone.
    rows = [1, 3, 5, 7]
    found = fit_steps(
        StepTable(
            table.conductance,
            table.quantile[rows],
            table.delta_conductance[rows],
            table.temperature,
            table.direction,
        )
        for table in tables.values()
    )
    assert (errors(found, tables) < 0.15).all()


def test_known_parameters_are_found_again():
    law = StepLaw(300, 2e-6, 0.1, 0.6, 2e-7, low_push=1e-6, high_push=3e-6, end_reach=5e-6)
    truth = StepModel(50e-6, 150e-6, (law,))
    place, share = np.linspace(50e-6, 150e-6, 21), np.linspace(0.02, 0.98, 25)
    tables = [
        StepTable(place, share, truth.quantile(share[:, None], place, 300, way), 300, way)
        for way in BOTH
    ]
    (found,) = fit_steps(tables).laws
    for name in ("hop", "extra_hops", "jitter", "low_push", "high_push", "end_reach"):
        assert getattr(found, name) == pytest.approx(getattr(law, name), rel=0.08)
    assert found.stay == pytest.approx(0.1, abs=0.01)
    assert np.abs(pooled_error(fit_steps(tables), tables[0])).max() < 0.01


def test_refuses():
    message = "fit_steps: tables must be at least one StepTable; load one first"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        fit_steps([])
    table = StepTable([1e-6, 2e-6], [0.1, 0.9], [[-2e-8] * 2, [-1e-8] * 2], 300, "increasing")
    message = (
        "fit_steps: the tables of 300 K must have steps that follow their direction, and the "
        "median step is -1.5e-08 S along it; exchange increasing and decreasing"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        fit_steps([table])
