"""Tests of spintron_nn.simulation.bit_kernel: what is compiled, with and without a folder."""

import numpy as np

from spintron_nn.simulation import bit_kernel


def test_without_a_folder_for_machine_code_it_is_compiled_each_time(monkeypatch):
    given = []

    def njit(function, **options):
        given.append(options)
        if "cache" in options:
            raise RuntimeError("cannot cache function: no locator available")
        return function

    def double(x):
        return 2 * x

    monkeypatch.setattr(bit_kernel, "njit", njit)
    assert bit_kernel._compiled(double) is double
    assert given == [{"nogil": True, "cache": True}, {"nogil": True}]


def test_blocks_of_reads_fit_the_places_of_an_index():
    last = bit_kernel.SEGMENT * bit_kernel.LANES << bit_kernel.ROWS
    assert last <= np.iinfo(np.uint16).max
