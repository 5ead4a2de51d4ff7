# amaranth: UnusedElaboratable=no
"""Tests of spintron_hw.cells.join."""

import numpy as np
import pytest

from spintron_hw.cells.join import StreamJoin
from spintron_hw.testing import check_cell, run_stream
from spintron_ir import IntType, Join
from spintron_ir.errors import ParameterError

U3, S4 = IntType(3), IntType(4, signed=True)


def beats_of(x, lanes):
    """Frames in beats, with zeros in unused lanes."""
    x = x.reshape(len(x), -1)
    padded = np.zeros((len(x), -(-x.shape[1] // lanes) * lanes), dtype=np.int64)
    padded[:, : x.shape[1]] = x
    return padded.reshape(-1, lanes)


def tables_of(kind, types, channels):
    """Tables of a kind: any, multiples of the code, a multiple for each channel, or none."""
    rng = np.random.default_rng(1)
    entries = 1 << max(type_.bits for type_ in types)
    if kind == "any":
        return rng.integers(-99, 100, (len(types), 1, entries))
    if kind == "channels":
        return rng.integers(-99, 100, (len(types), channels, entries))
    if kind == "multiples":
        factors = np.array([4, -1, 3, 0, 7])[: len(types), None, None]
        return factors * np.arange(entries) - 5
    if kind == "many multiples":  # too many entries for look-up tables
        factors = rng.integers(-(1 << 20), 1 << 20, (len(types), channels, 1))
        return factors * np.arange(entries) + factors % 11
    return None


@pytest.mark.parametrize("kind", ["any", "channels", "multiples", "many multiples", "none"])
@pytest.mark.parametrize(
    ("mode", "types", "shape", "lanes"),
    [
        ("sum", (U3, S4), (4, 2), 1),
        ("sum", (S4, IntType(6), U3, U3, S4), (2, 3), 2),
        ("sum", (S4,), (5,), 3),
        ("product", (IntType(5), S4), (3, 4), 4),
        ("product", (IntType(6, signed=True), IntType(6)), (5, 3), 2),
    ],
    ids=str,
)
def test_agrees_with_the_layer(mode, types, shape, lanes, kind):
    join = Join(inputs=types, in_shape=shape, mode=mode, tables=tables_of(kind, types, shape[-1]))
    cell = StreamJoin(join=join, lanes=lanes)
    rng = np.random.default_rng(0)
    x = [rng.integers(type_.low, type_.high + 1, (3, *shape)) for type_ in types]
    for values, type_ in zip(x, types, strict=True):
        values.flat[0], values.flat[1] = type_.low, type_.high
    used = beats_of(np.ones((3, *shape), dtype=np.int64), lanes) == 1
    beats = [beats_of(values, lanes) for values in x]
    wanted = beats_of(join.run(*x), lanes)
    np.testing.assert_array_equal(cell.compute(beats)[used], wanted[used])
    open_lanes = np.where(used, wanted.astype(object), None).tolist()
    check_cell(cell, {f"i_{n}": beat for n, beat in enumerate(beats)}, open_lanes)


def test_latency():
    for count, cycles in [(1, 2), (2, 2), (4, 2), (5, 3), (16, 3), (17, 4)]:
        cell = StreamJoin(join=Join(inputs=(U3,) * count, in_shape=(1,), mode="sum"), lanes=1)
        assert cell.latency == cycles
    for bits, cycles in [(16, 3), (20, 4)]:
        wide = Join(inputs=(IntType(bits, signed=True), U3), in_shape=(1,), mode="product")
        assert StreamJoin(join=wide, lanes=1).latency == cycles


def test_multiples_take_no_memory():
    def bodies(kind, types):
        terms = StreamJoin(
            join=Join(inputs=types, in_shape=(2,), mode="sum", tables=tables_of(kind, types, 2)),
            lanes=1,
        ).terms
        return [term.table is None for term in terms]

    assert bodies("multiples", (U3, U3, U3)) == [True, True, False]
    assert bodies("many multiples", (IntType(10), U3)) == [True, False]
    assert bodies("none", (U3, U3)) == [True, True]


def test_worked_example():
    # Halves and thirds, in sixths: 1/2 + 2/3 = 7/6, and nothing and 3/3 = 6/6.
    tables = [[[0, 3, 0, 0]], [[0, 2, 4, 6]]]
    join = Join(inputs=(IntType(1), IntType(2)), in_shape=(2,), mode="sum", tables=tables)
    cell = StreamJoin(join=join, lanes=2)
    assert run_stream(cell, {"i_0": [[1, 0]], "i_1": [[2, 3]]}, outputs={"o": 1}) == {"o": [[7, 6]]}


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"join": 3}, "join must be a Join, not 3"),
        ({"lanes": 0}, r"lanes must be an integer in 1\.\.65536, not 0"),
    ],
)
def test_refuses(changed, message):
    good = {"join": Join(inputs=(U3, U3), in_shape=(2,), mode="sum"), "lanes": 1}
    with pytest.raises(ParameterError, match=f"^StreamJoin: {message}$"):
        StreamJoin(**good | changed)
