# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.noise_source."""

import numpy as np
import pytest

from spintron_hw.cells.noise_source import NoiseSource
from spintron_hw.testing import check_cell, first_latency, measured_interval
from spintron_ir import arith as contract
from spintron_ir import prng
from spintron_ir.errors import ParameterError
from spintron_ir.types import IntType

INT8, INT16 = IntType(8, signed=True), IntType(16, signed=True)


def make(cols, lanes, *, converters=1, repeat=1, amplitude=900, folded=False, seed=2**63 + 12345):
    passes = -(-cols // lanes) if folded else 1
    steps = passes * converters
    return NoiseSource(
        current=INT8,
        level=INT16,
        seed=seed,
        cols=cols,
        amplitude=np.full((steps, lanes), amplitude) * np.arange(1, steps + 1)[:, None],
        converter=np.tile(np.arange(converters), passes),
        first_col=np.repeat(np.arange(passes) * lanes, converters),
        repeat=repeat,
    )


def defined(cell, frames, converters):
    """Noise as the network defines it, in the order of the beats, for a cell of one pass."""
    words = prng.noise_words(
        cell.seed,
        frame=np.arange(frames)[:, None, None],
        read=np.arange(cell.repeat)[None, None, :],
        converters=np.arange(converters)[None, :, None],
        cols=cell.cols,
    )
    noise = contract.noise_value(words, cell.amplitude[None, :, None, :])
    return noise.reshape(-1, cell.cols)


@pytest.mark.parametrize(
    ("cell", "generators"),
    [
        (make(1, 1), 1),
        (make(4, 4, amplitude=65535), 1),
        (make(10, 10, repeat=3), 3),
        (make(8, 4, folded=True, converters=3, repeat=2), 1),
        (make(10, 4, folded=True), 1),
        (make(5, 2, folded=True, converters=2), 1),
        (make(6, 3, folded=True), 2),
        (make(7, 1, folded=True, repeat=4), 1),
        (make(3, 8), 1),
    ],
    ids=lambda cell: f"{cell.cols}/{cell.lanes}" if isinstance(cell, NoiseSource) else None,
)
def test_agrees_with_definition(cell, generators):
    beats = 3 * cell.repeat * len(cell.converter) + 5
    levels = np.random.default_rng(0).integers(-128, 127, (beats, cell.lanes), endpoint=True)
    check_cell(cell, levels, cell.compute(levels))
    assert cell.generators == generators
    assert first_latency(cell, levels[:1]) == NoiseSource.latency
    assert measured_interval(cell, levels[:1], 40) == NoiseSource.interval


@pytest.mark.parametrize(("converters", "repeat"), [(1, 1), (3, 1), (1, 4), (2, 3)])
def test_reference_is_the_noise_of_the_network(converters, repeat):
    cell = make(6, 6, converters=converters, repeat=repeat)
    noise = defined(cell, 5, converters)
    np.testing.assert_array_equal(cell.compute(np.zeros_like(noise)), noise)
    later = cell.compute(np.zeros_like(noise[repeat * converters * 2 :]), frame=2)
    np.testing.assert_array_equal(later, noise[repeat * converters * 2 :])


def test_is_ready_when_warm():
    cell = make(4, 4)
    check_cell(cell, [[0] * 4], cell.compute([[0] * 4]))
    first_latency(cell, [[0] * 4], max_cycles=cell.warm_up + 2)
    with pytest.raises(TimeoutError, match=r"^NoiseSource: still waiting .*; i had 0 .*$"):
        first_latency(cell, [[0] * 4], max_cycles=cell.warm_up)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"current": 8}, r"current must be an IntType of at most 40 bits, not 8"),
        ({"level": 8}, r"level must be an IntType of at most 40 bits, not 8"),
        ({"seed": -1}, r"seed must be an integer in 0\.\.18446744073709551615, not -1"),
        ({"cols": 0}, r"cols must be an integer in 1\.\.65536, not 0"),
        ({"amplitude": [[65536]]}, r"amplitude must lie in 0\.\.65535, not in 65536\.\.65536"),
        ({"converter": [0, 1]}, r"converter must be an array of shape \(1\), not of shape \(2,\)"),
        ({"converter": [1 << 24]}, r"converter must lie in 0\.\.16777215, not in (\d+)\.\.\1"),
        ({"first_col": [4]}, r"first_col must lie in 0\.\.3, not in 4\.\.4"),
        ({"repeat": 257}, r"repeat must be an integer in 1\.\.256, not 257"),
        (
            {"amplitude": [[0]]},
            r"amplitude must be above 0 for at least one column; leave the cell out where there "
            r"is no noise",
        ),
    ],
)
def test_refuses(changed, message):
    good = {"current": INT8, "level": INT16, "seed": 1, "cols": 4, "amplitude": [[9]]}
    with pytest.raises(ParameterError, match=f"^NoiseSource: {message}$"):
        NoiseSource(**good | {"converter": [0], "first_col": [0]} | changed)
