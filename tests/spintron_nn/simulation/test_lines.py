"""Tests of spintron_nn.simulation.lines: a line counts as a search does, everywhere."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spintron_nn.simulation.lines import fitted_lines


def counted(slope, offset, x, start, count, dtype):
    line = np.asarray(slope, dtype)[:, None] * x.astype(dtype) + np.asarray(offset, dtype)[:, None]
    return np.clip(np.floor(line), start, start + count)


@settings(deadline=None, max_examples=200)
@given(
    st.integers(1, 300), st.floats(1e-3, 3.0), st.floats(-50, 50), st.integers(1, 40),
    st.sampled_from([-7, 0, 9]), st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_quantisers_with_even_steps(span, step, shift, count, start, dtype):
    low = -span // 2
    x = np.arange(low, low + span)
    wanted = np.clip(np.floor(step * x + shift), 0, count)
    thresholds = np.array([[low + int(np.sum(wanted < k)) for k in range(1, count + 1)]])
    found = fitted_lines(thresholds, np.array([low]), np.array([low + span - 1]), start, dtype)
    if found is not None:
        assert np.array_equal(counted(*found, x[None], start, count, dtype)[0], wanted + start)


@settings(deadline=None, max_examples=100)
@given(st.integers(0, 1 << 32))
def test_what_is_given_counts_exactly(seed):
    rng = np.random.default_rng(seed)
    low, high = np.sort(rng.integers(-40, 40, (2, 5)), axis=0)
    thresholds = np.sort(rng.integers(-50, 50, (5, 3)), axis=1)
    x = np.arange(-40, 40) + np.zeros((5, 1), int)
    inside = (x >= low[:, None]) & (x <= high[:, None])
    wanted = (x[..., None] >= thresholds[:, None]).sum(axis=-1)
    found = fitted_lines(thresholds, low, high, 0, np.float32)
    if found is not None:
        assert np.array_equal(counted(*found, x, 0, 3, np.float32)[inside], wanted[inside])


@pytest.mark.parametrize("step", [0.01, 0.3, 1.7])
def test_even_steps_have_a_line(step):
    # Thresholds of round(step * x): ceil((k - 1/2) / step).
    thresholds = np.ceil((np.arange(1, 16) - 0.5) / step).astype(int)[None]
    for dtype in (np.float32, np.float64):
        assert fitted_lines(thresholds, np.array([-2000]), np.array([2000]), 0, dtype) is not None


def test_a_channel_without_a_line_decides_for_all():
    thresholds = np.array([[10, 20, 30], [1, 2, 50]])
    assert fitted_lines(thresholds, np.zeros(2, int), np.full(2, 99), 0, np.float32) is None
