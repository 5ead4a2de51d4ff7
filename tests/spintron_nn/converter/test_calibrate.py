"""Tests of spintron_nn.converter.calibrate."""

import numpy as np

from spintron_nn.converter.calibrate import fit_line

RANDOM = np.random.default_rng(0)


def test_the_line_through_the_data():
    acc = RANDOM.integers(-9, 9, (40, 3)).astype(float)
    target = acc * [0.5, 2.0, 0.25] + [1.0, -3.0, 0.0]
    slope, offset = fit_line(acc, target, per_channel=True, nominal=np.full(3, 9.0))
    assert np.round(slope, 12).tolist() == [0.5, 2.0, 0.25]
    assert np.round(offset, 12).tolist() == [1.0, -3.0, 0.0]


def test_one_slope_for_all():
    acc = np.array([[0.0, 0.0], [1.0, 1.0]])
    slope, offset = fit_line(acc, acc * [1.0, 3.0], per_channel=False, nominal=np.ones(2))
    assert slope.tolist() == [2.0, 2.0] and offset.tolist() == [-0.5, 0.5]


def test_the_nominal_slope_where_nothing_moves_together():
    noise = RANDOM.integers(-9, 9, (40, 1)).astype(float)
    still, nominal = np.full((40, 1), 0.1), np.array([0.5])
    # The mean of forty tenths is no tenth, and leaves a covariance of 1e-17 or so.
    for acc, target in ((still, noise), (noise, -noise), (noise, still), (noise, still + 1e-17)):
        slope, _ = fit_line(acc, target, per_channel=True, nominal=nominal)
        assert slope.tolist() == [0.5]
