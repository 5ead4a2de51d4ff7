"""Tests of spintron_nn.core.sampling.faults."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.core.sampling.faults import Faults, cut_off

MANY = np.ones((500, 400), dtype=int)


def test_opens_and_shorts():
    config = MTJConfig(resistance_variation=0, faults=Faults(open=0.01, short=0.02))
    chip = Chip(config, seed=1)
    array = chip.sample("a", MANY)
    # 200,000 devices: 2,000 and 4,000, known to 45 and 63; of the shorts 1 % are open.
    assert array.open == pytest.approx(2000, abs=225)
    assert array.short == pytest.approx(0.99 * 4000, abs=315)
    assert (array.codes == 0).sum() == array.open
    # A short of 1 kOhm is 1,500 devices: beyond every code.
    assert (array.codes == 63).sum() == array.short == array.saturated
    found, _ = chip.conductances("a", MANY)
    assert found.max() == 1e-3


def test_a_broken_word_line_cuts_off_what_is_far_from_its_driver():
    faults = Faults(broken_word=1.0)
    cut, ends = cut_off(faults, np.random.default_rng(1), (2000, 8), 8)
    # Connected first, then open to the end; never all of it connected.
    assert (np.diff(cut.astype(int), axis=1) >= 0).all()
    assert cut[:, -1].all() and ends.all()
    # Breaks before the columns 0 to 7 are equally likely: 250 each, known to 15.
    counts = np.bincount(cut.sum(axis=1) - 1, minlength=8)
    assert counts.min() > 250 - 75 and counts.max() < 250 + 75


def test_a_broken_bit_line_cuts_off_what_is_far_from_ground():
    cut, ends = cut_off(Faults(broken_bit=1.0), np.random.default_rng(1), (8, 2000), 8)
    assert (np.diff(cut.astype(int), axis=0) <= 0).all()
    assert cut[0].all() and not ends.any()
    counts = np.bincount(cut.sum(axis=0) - 1, minlength=8)
    assert counts.min() > 250 - 75 and counts.max() < 250 + 75


def test_lines_end_at_their_array():
    # Tiles of 4 in 10 x 6: one word line of a row breaks in one tile and not in the next.
    faults = Faults(broken_word=0.5)
    cut, ends = cut_off(faults, np.random.default_rng(1), (3, 10, 6), 4)
    assert ends.shape == (3, 10, 2)
    np.testing.assert_array_equal(cut[..., 3], ends[..., 0])
    np.testing.assert_array_equal(cut[..., 5], ends[..., 1])
    assert (ends[..., 0] != ends[..., 1]).any()
    cut, _ = cut_off(Faults(broken_bit=0.5), np.random.default_rng(1), (10, 60), 4)
    for top in (0, 4, 8):
        below = cut[top : top + 4]
        assert (np.diff(below.astype(int), axis=0) <= 0).all()
        assert 0 < below[0].sum() < 60


def test_lines_of_the_chip():
    config = MTJConfig(resistance_variation=0, faults=Faults(broken_word=0.1))
    zeros = np.zeros((1, 1, 300, 20), dtype=int)
    array = Chip(config, seed=1).sample("a", zeros, tile=10, reference=True)
    assert array.reference.shape == (1, 300, 2)
    broken = array.codes[0, 0, :, [9, 19]].T == 0
    # A word line that does not reach the end does not drive the reference there.
    np.testing.assert_array_equal(array.reference[0] == 0, broken)
    assert broken.mean() == pytest.approx(0.1, abs=5 * 0.3 / 600**0.5)
    assert array.open == (array.codes == 0).sum() + 2 * broken.sum()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"open": 1.1}, "open must be a number in 0..1, not 1.1"),
        ({"broken_bit": "all"}, "broken_bit must be a number in 0..1, not 'all'"),
        ({"short_resistance": 0}, "short_resistance must be a number of ohm above 0, not 0"),
    ],
    ids=str,
)
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^Faults: {re.escape(message)}$"):
        Faults(**changed)
