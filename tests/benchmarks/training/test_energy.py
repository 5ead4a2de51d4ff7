"""Tests of benchmarks.training.energy."""

from benchmarks.training.energy import _rows
from spintron_nn.training.energy_front import ParetoFront, ParetoPoint


def point(energy, accuracy, weight, **choices):
    return ParetoPoint(energy * 1e-12, 1e-12, accuracy, accuracy - 0.01, weight, choices, None)


def test_rows_of_a_front():
    points = [
        point(400, 0.95, 0.0),
        point(300, 0.949, 0.5),
        point(100, 0.941, 0.5, adc_bits=4),
        point(50, 0.9, 0.0, adc_bits=3),
        point(60, 0.8, 0.5),
    ]
    found = list(_rows("digits", ParetoFront.of(points)))
    assert [round(row.ratio, 3) for row in found] == [1, 1.333, 4, 8, 4, 0.8]
    assert found[0].name == "digits: 95.00 %, worst chip 94.00 %"
    assert found[2].note == "reads 1 pJ, weight 0.5, adc_bits 4"
    # 100 pJ is the least of those at most a point below 95 %.
    assert (round(found[4].value), round(found[4].peer_value)) == (100, 400)
    # Four of five points are on the front, and five are asked for.
    assert (found[5].value, found[5].note, found[5].holds) == (4.0, "of 5", False)
