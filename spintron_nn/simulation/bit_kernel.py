"""Reads of single bits compiled by Numba: sums of four rows are looked up, 32 columns at a time.

The first call of a process loads the machine code from Numba's cache, or compiles it in seconds.
Integers that index are unsigned: signed ones might count from the end, which costs a comparison.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic, models, register_model

__all__ = ["BLOCK_READS", "LANES", "ROWS", "SEGMENT", "read_bits"]

LANES = 32
"""Columns that are added at a time, as integers of 16 bits."""

ROWS = 4
"""Rows that an entry of a table is the sum of some of."""

ENTRIES = 1 << ROWS

SEGMENT = 16
"""Most tables at a time: 16 KiB, half of a usual first cache."""

BLOCK_READS = 256
"""Reads between two fills of the tables, whose levels take another 16 KiB."""

_code: Any = intrinsic

VECTOR = ir.VectorType(ir.IntType(16), LANES)


def _compiled(function: Callable[..., Any]) -> Any:
    """The function as machine code, kept on disk where there is a folder for it."""
    try:
        return njit(function, nogil=True, cache=True)
    except RuntimeError:  # neither the package nor the user's home can be written
        return njit(function, nogil=True)


class _Lanes(types.Type):
    """Type of LANES integers in a register."""

    def __init__(self) -> None:
        super().__init__(name="Lanes")


@register_model(_Lanes)
class _LanesModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, VECTOR)


def _pointer(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    """Where the lanes from a place of an array lie."""
    data = context.make_array(signature.args[0])(context, builder, args[0]).data
    place, kind = args[1], context.get_value_type(types.intp)
    if place.type.width < kind.width:
        place = builder.zext(place, kind)
    return builder.bitcast(builder.gep(data, [place]), VECTOR.as_pointer())


@_code
def _zeros(_: Any) -> Any:
    """Lanes of zeros."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return ir.Constant(VECTOR, [0] * LANES)

    return _Lanes()(), code


@_code
def _load(_: Any, array: Any, place: Any) -> Any:
    """Lanes from a place, an unsigned number, of an int16 array of one axis."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load(_pointer(context, builder, signature, args), align=2)

    return _Lanes()(array, place), code


@_code
def _store(_: Any, array: Any, place: Any, lanes: Any) -> Any:
    """Put lanes at a place of an array."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _pointer(context, builder, signature, args), align=2)
        return context.get_dummy_value()

    return types.void(array, place, lanes), code


@_code
def _add(_: Any, lanes: Any, others: Any) -> Any:
    """Sums of lanes."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.add(*args)

    return _Lanes()(lanes, others), code


@_compiled
def _index(words: Any, first: int, last: int, bits: int, bases: Any, index: Any) -> None:
    """Where the sum of four rows stands in the tables, for each bit of each vector.

    The lowest bits of the four codes of a word come to stand side by side by a multiplication.
    """
    at = np.uint64(0)
    for vector in range(first, last):
        for bit in range(bits):
            for k in range(words.shape[1]):
                found = np.uint32(words[vector, k] >> np.uint32(bit)) & np.uint32(0x01010101)
                entry = np.uint32(np.uint32(found) * np.uint32(0x01020408)) >> np.uint32(24)
                index[at] = bases[k] + np.uint32(entry & np.uint32(ENTRIES - 1)) * np.uint32(LANES)
                at += np.uint64(1)


@_compiled
def _fill(table: Any, rows: Any, first: Any, count: int) -> Any:
    """Sums of every choice of four rows, so many times; where the next rows stand."""
    step, at = np.uint64(LANES), np.uint64(0)
    for _ in range(count):
        _store(table, at, _zeros())
        size = step
        for _ in range(ROWS):
            row = _load(rows, first)
            k = np.uint64(0)
            while k < size:
                _store(table, at + size + k, _add(row, _load(table, at + k)))
                k += step
            size += size
            first += step
        at += size
    return first


@_compiled
def _add_rows(table: Any, index: Any, size: int, ends: Any, fresh: bool, levels: Any) -> None:
    """Add entries of a table to levels ``(reads, LANES)``, or put them there.

    Of the places of a read, so many, the entries are those from one end to before the other.
    """
    here, stop = ends
    lane = np.uint64(0)
    while lane < len(levels):
        level = _zeros() if fresh else _load(levels, lane)
        for k in range(here, stop):
            level = _add(level, _load(table, index[k]))
        _store(levels, lane, level)
        lane += np.uint64(LANES)
        here += np.uint64(size)
        stop += np.uint64(size)


@_compiled
def _digitise(
    levels: Any, step: Any, offset: Any, limits: Any, scales: Any, first: int, acc: Any
) -> None:
    """Add the codes of levels ``(vectors, bits, LANES)``, by their places, to accumulators.

    Columns of these, ``(vectors, columns)``, count from the first.
    """
    low, high = limits
    lane = np.uint64(0)
    for vector in range(len(acc)):
        out = acc[vector, first : first + LANES]
        for scale in scales:
            for col in range(np.uint64(LANES)):
                code = np.floor(np.float32(levels[lane + col]) * step[col] + offset[col])
                code = low if code < low else code
                code = high if code > high else code
                out[col] += code * scale
            lane += np.uint64(LANES)


@_compiled
def _close(acc: Any, chip: int, line: Any, results: Any) -> None:
    """Accumulators as codes, or as they are, as the results of a chip."""
    columns = results.shape[1]
    if line is None:
        results[:] = acc[:, :columns]
    else:
        slopes, offsets, least, most = line
        slope, offset = slopes[chip], offsets[chip]
        for vector in range(len(acc)):
            own, out = acc[vector], results[vector]
            for c in range(np.uint64(columns)):
                code = np.floor(own[c] * slope[c] + offset[c])
                code = least if code < least else code
                out[c] = np.int32(most if code > most else code)


@_compiled
def _places(segments: Any) -> Any:
    """Where the table of each word starts among those of its segment."""
    found = np.empty(segments[-1], np.uint32)
    for s in range(len(segments) - 1):
        for k in range(segments[s], segments[s + 1]):
            found[k] = (k - segments[s]) * ENTRIES * LANES
    return found


@_compiled
def read_bits(
    first: int,
    last: int,
    words: Any,
    rows: Any,
    segments: Any,
    ends: Any,
    steps: Any,
    offsets: Any,
    limits: Any,
    scales: Any,
    line: Any,
    results: Any,
) -> None:
    """Accumulators of reads bit by bit, or their codes, of some of the pieces of work.

    Pieces are numbered by chip within block of vectors, of which there are BLOCK_READS by bits.

    Parameters
    ----------
    first, last : int
        Number of the first piece and of the one past the last.
    words : uint32 array of shape ``(chips or 1, vectors, n)``
        Four input codes a word, padded where a row group ends.
    rows : int16 array of shape ``(chips * parts * blocks of columns * n * 4 * LANES,)``
        Rows of the matrices.
    segments : uint64 array of shape ``(m + 1,)``
        Where words are cut, at the ends of row groups and after SEGMENT words at the latest.
    ends : bool array of shape ``(m,)``
        Whether a row group ends with a segment.
    steps, offsets : float32 arrays of shape ``(chips, parts, groups, columns)``
        What a level is multiplied by and what is added, before rounding down to a code.
    limits : pair of float32
        Least and largest code.
    scales : float32 array of shape ``(parts, bits)``
        What a code counts.
    line : None or (float32 arrays of shape ``(chips, columns)`` twice, float32 twice)
        Slopes and offsets of the results' codes, the least and the largest of these.
    results : array of shape ``(chips, vectors, columns)``
        Codes; without a line float32 accumulators.
    """
    chips, parts, _, width = steps.shape
    vectors, count = words.shape[1:]
    bits = scales.shape[1]
    block = max(1, BLOCK_READS // bits)
    size = np.uint64(rows.size // chips)
    table = np.empty(SEGMENT * ENTRIES * LANES, np.int16)
    levels = np.empty(block * bits * LANES, np.int16)
    index = np.empty(block * bits * count, np.uint16)
    sums = np.empty((block, width), np.float32)
    places = _places(segments)
    known = -1
    for piece in range(first, last):
        chip, start = piece % chips, piece // chips * block
        stop = min(start + block, vectors)
        if start != known or len(words) > 1:
            _index(words[chip % len(words)], start, stop, bits, places, index)
            known = start
        acc, at = sums[: stop - start], size * np.uint64(chip)
        acc[:] = 0
        some = levels[: (stop - start) * bits * LANES]
        for part in range(parts):
            for col in range(0, width, LANES):
                group, fresh = 0, True
                for s in range(len(ends)):
                    at = _fill(table, rows, at, segments[s + 1] - segments[s])
                    _add_rows(table, index, count, (segments[s], segments[s + 1]), fresh, some)
                    fresh = ends[s]
                    if fresh:
                        step = steps[chip, part, group, col : col + LANES]
                        offset = offsets[chip, part, group, col : col + LANES]
                        _digitise(some, step, offset, limits, scales[part], col, acc)
                        group += 1
        _close(acc, chip, line, results[chip, start:stop])
