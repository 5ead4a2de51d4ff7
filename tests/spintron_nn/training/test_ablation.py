"""Tests of spintron_nn.training.ablation."""

from dataclasses import replace

import numpy as np
import pytest

from spintron_nn import MTJConfig
from spintron_nn.core.sampling import Faults
from spintron_nn.datasets import digits
from spintron_nn.training.ablation import EffectCost, cost_of_effects
from spintron_nn.training.recipes import DIGITS

CHIPS = (4, 5)


@pytest.fixture(scope="module")
def trained():
    recipe = replace(DIGITS, widths=(64, 24, 10), float_epochs=6, tune_epochs=4)
    config = MTJConfig(levels=4, resistance_variation=0.3, stuck_p=0.002, faults=Faults(open=0.02))
    return recipe.run(digits(), config=config)


def test_every_effect_has_a_row(trained):
    told = []
    rows = cost_of_effects(trained, CHIPS, progress=told.append)
    names = ["converter resolution", "resistance", "stuck", "open", "all together"]
    assert [row.name for row in rows] == told == names
    assert len(rows[0].accuracies) == 1
    assert all(len(row.accuracies) == 2 for row in rows[1:])
    nominal = trained.on_chip(ideal=True).accuracy(trained.data.test_x, trained.data.test_y)
    for row in rows:
        assert abs(nominal - row.mean - row.cost) < 1e-12
    by_name = {row.name: row for row in rows}
    assert by_name["resistance"].cost > by_name["stuck"].cost
    assert by_name["all together"].accuracies == trained.accuracies(CHIPS)


def test_an_effect_is_drawn_as_on_the_whole_chip(trained):
    rows = {row.name: row for row in cost_of_effects(trained, CHIPS[:1])}
    alone = MTJConfig(levels=4, resistance_variation=0.0, faults=Faults(open=0.02))
    assert rows["open"].accuracies == trained.accuracies(CHIPS[:1], config=alone)


def test_figures_by_hand():
    row = EffectCost("wires", (0.9, 0.8, 0.85), 0.1)
    assert row.worst == 0.8
    assert abs(row.mean - 0.85) < 1e-12
    assert abs(row.spread - np.std([0.9, 0.8, 0.85])) < 1e-12
    assert set(row.as_dict()) == {"name", "mean", "worst", "spread", "cost"}
