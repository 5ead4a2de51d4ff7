"""Tests of spintron_nn.simulation.bit_kernel."""

import numpy as np

from spintron_nn.simulation import bit_kernel


def test_blocks_of_reads_fit_the_places_of_an_index():
    last = bit_kernel.SEGMENT * bit_kernel.LANES << bit_kernel.ROWS
    assert last <= np.iinfo(np.uint16).max
