"""Tests of spintron_nn.converter.levels."""

import numpy as np
import pytest

from spintron_nn.converter.levels import weight_values
from spintron_nn.core.mtj_models import MTJConfig

UNEVEN = MTJConfig(levels=4, level_fractions=(0.0, 0.2, 0.5, 1.0), cell_bits=8)
TINY = 1e-12


@pytest.mark.parametrize("scheme", ["pair", "columns", "reference"])
@pytest.mark.parametrize(("levels", "bits"), [(2, 1), (2, 3), (4, 2), (4, 4), (16, 4), (64, 6)])
def test_even_levels_are_odd_integers(scheme, levels, bits):
    values = weight_values(MTJConfig(levels=levels, cell_bits=12), bits, scheme)
    top = (1 << bits) - 1
    np.testing.assert_array_equal(values, np.arange(-top, top + 1, 2))


def test_uneven_levels_by_hand():
    # Pair: 3 * (0 - 1), 3 * (0.2 - 0.5), and the same turned round.
    assert np.abs(weight_values(UNEVEN, 2) - [-3.0, -0.9, 0.9, 3.0]).max() < TINY
    # Against the middle of the range: 3 * (2 f - 1).
    assert np.abs(weight_values(UNEVEN, 2, "reference") - [-3.0, -1.8, 0.0, 3.0]).max() < TINY
    # Two slices: the upper one counts four times.
    values = weight_values(UNEVEN, 4)
    assert abs(values[0b0111] - (3.0 + 4 * -0.9)) < TINY
    assert abs(values[0b1100] - (-3.0 + 4 * 3.0)) < TINY
