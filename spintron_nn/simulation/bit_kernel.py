"""Reads of single bits compiled by Numba: sums of four rows are looked up, 32 columns at a time.

All of it is here, for the cache of machine code knows of changes in one file. Integers that index
are unsigned: signed ones might count from the end, which costs a comparison.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from spintron_ir.arith import NOISE_BOUND, NOISE_SHIFT
from spintron_ir.prng import BLOCK_LANES, PARITY, READ_SHIFT, ROTATIONS
from spintron_nn.compiled import compiled

__all__ = ["BLOCK_READS", "LANES", "ROWS", "SEGMENT", "read_bits"]

LANES = 32
"""Columns that are added at a time, as integers of 16 bits."""

ROWS = 4
"""Rows that an entry of a table is the sum of some of: the inputs of a word."""

SEGMENT = 16
"""Most tables at a time: 16 KiB, half of a usual first cache."""

ENTRIES = 1 << ROWS

BLOCK_READS = 256
"""Reads between two fills of the tables, whose levels take another 16 KiB."""

_code: Any = intrinsic

VECTOR = ir.VectorType(ir.IntType(16), LANES)


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


@_code
def _minus(_: Any, lanes: Any) -> Any:
    """Lanes with the other sign."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.neg(args[0])

    return _Lanes()(lanes), code


@_code
def _reached(_: Any, count: Any, lanes: Any, levels: Any) -> Any:
    """Counts, one more where lanes are at least levels."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        above = builder.icmp_signed(">=", args[1], args[2])
        return builder.sub(args[0], builder.sext(above, VECTOR))

    return _Lanes()(count, lanes, levels), code


@compiled
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


@compiled
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


@compiled
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


@compiled
def _turn_last(levels: Any, bits: int) -> None:
    """Change the sign of the levels ``(vectors, bits, LANES)`` of the last bit."""
    lane, step = np.uint64((bits - 1) * LANES), np.uint64(bits * LANES)
    while lane < len(levels):
        _store(levels, lane, _minus(_load(levels, lane)))
        lane += step


@compiled
def _mixed(x: Any, y: Any, rotation: int) -> Any:
    """One round of Threefry on uint32 words."""
    turn = np.uint32(rotation)
    x = np.uint32(x + y)
    y = np.uint32(np.uint32(y << turn) | np.uint32(y >> np.uint32(np.uint32(32) - turn)))
    return x, np.uint32(y ^ x)


@compiled
def _four(x: Any, y: Any, rotations: Any, key: Any, other: Any) -> Any:
    """Four rounds, and keys added."""
    for rotation in rotations:
        x, y = _mixed(x, y, rotation)
    return np.uint32(x + key), np.uint32(y + other)


@compiled
def _random(keys: Any, frame: Any, counters: Any, words: Any) -> None:
    """Sixteen bits for each column: :func:`spintron_ir.prng.noise_words` of one frame."""
    first, second = keys[0], keys[1]
    third = np.uint32(np.uint32(first ^ second) ^ np.uint32(PARITY))
    at = np.uint64(0)
    for k in range(np.uint64(len(counters))):
        x, y = np.uint32(frame + first), np.uint32(counters[k] + second)
        x, y = _four(x, y, ROTATIONS[:4], second, np.uint32(third + np.uint32(1)))
        x, y = _four(x, y, ROTATIONS[4:], third, np.uint32(first + np.uint32(2)))
        x, y = _four(x, y, ROTATIONS[:4], first, np.uint32(second + np.uint32(3)))
        x, y = _mixed(x, y, ROTATIONS[4])
        at = np.uint64(BLOCK_LANES) * k
        words[at] = np.uint16(x & np.uint32(0xFFFF))
        words[at + np.uint64(1)] = np.uint16(x >> np.uint32(16))
        words[at + np.uint64(2)] = np.uint16(y & np.uint32(0xFFFF))
        words[at + np.uint64(3)] = np.uint16(y >> np.uint32(16))


@compiled
def _add_noise(levels: Any, bits: int, start: int, place: Any, noise: Any) -> None:
    """Add :func:`spintron_ir.arith.noise_value` to levels ``(vectors, bits, LANES)``.

    The vectors count from the start; the place is that of the first lane: chip, part, row group and
    column.
    """
    chip, part, group, col = place
    keys, frame = noise.seeds[chip], np.uint32(noise.first + np.uint32(start))
    amplitude = noise.amplitudes[chip, part, group, col : col + LANES]
    block = (group * noise.amplitudes.shape[1] + part) * noise.blocks + col // BLOCK_LANES
    each = LANES // BLOCK_LANES
    counters, words = np.empty(bits * each, np.uint32), np.empty(bits * LANES, np.uint16)
    for k in range(bits * each):
        counters[k] = (k // each << READ_SHIFT) + block + k % each
    lane, half = np.uint64(0), np.int32(1 << (NOISE_SHIFT - 1))
    while lane < len(levels):
        _random(keys, frame, counters, words)
        frame = np.uint32(frame + np.uint32(1))
        for bit in range(np.uint64(bits)):
            word = bit * np.uint64(LANES)
            for col in range(np.uint64(LANES)):
                random = np.int32(words[word + col])
                ones = np.int32(random >> 3)
                ones = np.int32(np.int32(ones & 0x5555) + np.int32(np.int32(ones >> 1) & 0x5555))
                ones = np.int32(np.int32(ones & 0x3333) + np.int32(np.int32(ones >> 2) & 0x3333))
                ones = np.int32(np.int32(ones & 0x0F0F) + np.int32(np.int32(ones >> 4) & 0x0F0F))
                ones = np.int32(np.int32(ones & 0xFF) + np.int32(ones >> 8))
                size = np.int32(np.int32(ones * 16) + np.int32(np.int32(random & 7) * 2))
                size = np.int32(np.int32(size - np.int32(NOISE_BOUND)) * amplitude[col])
                levels[lane + col] += np.int16(np.int32(size + half) >> NOISE_SHIFT)
            lane += np.uint64(LANES)


@compiled
def _count(levels: Any, reads: int, transitions: Any) -> None:
    """Put in place of levels ``(reads, LANES)`` how many transitions ``(n, LANES)`` they reach.

    Four at a time; what lies behind the last may be overwritten.
    """
    limits, lane = transitions.reshape(-1), np.uint64(0)
    one, two, three = np.uint64(LANES), np.uint64(2 * LANES), np.uint64(3 * LANES)
    for _ in range(-(-reads // 4)):
        first, second = _load(levels, lane), _load(levels, lane + one)
        third, fourth = _load(levels, lane + two), _load(levels, lane + three)
        a, b, c, d = _zeros(), _zeros(), _zeros(), _zeros()
        at = np.uint64(0)
        while at < len(limits):
            limit = _load(limits, at)
            a, b = _reached(a, first, limit), _reached(b, second, limit)
            c, d = _reached(c, third, limit), _reached(d, fourth, limit)
            at += one
        _store(levels, lane, a)
        _store(levels, lane + one, b)
        _store(levels, lane + two, c)
        _store(levels, lane + three, d)
        lane += np.uint64(4 * LANES)


@compiled
def _digitise(levels: Any, place: Any, converters: Any, acc: Any) -> None:
    """Add the codes of levels ``(vectors, bits, LANES)``, by their places, to accumulators.

    The place is that of the first lane, as for :func:`_add_noise`.
    """
    chip, part, group, first = place
    low, high = converters.low, converters.high
    step = converters.steps[chip, part, group, first : first + LANES]
    offset = converters.offsets[chip, part, group, first : first + LANES]
    lane = np.uint64(0)
    for vector in range(len(acc)):
        out = acc[vector, first : first + LANES]
        for scale in converters.scales[part]:
            for col in range(np.uint64(LANES)):
                code = np.floor(np.float32(levels[lane + col]) * step[col] + offset[col])
                code = low if code < low else code
                code = high if code > high else code
                out[col] += code * scale
            lane += np.uint64(LANES)


@compiled
def _close(acc: Any, chip: int, line: Any, results: Any) -> None:
    """Accumulators as codes, or as they are, as the results of a chip."""
    columns = results.shape[1]
    if not line.slopes.size:
        results[:] = acc[:, :columns]
        return
    slope, offset = line.slopes[chip], line.offsets[chip]
    for vector in range(len(acc)):
        own, out = acc[vector], results[vector]
        for col in range(np.uint64(columns)):
            code = np.floor(own[col] * slope[col] + offset[col])
            code = line.low if code < line.low else code
            out[col] = np.int32(line.high if code > line.high else code)


@compiled
def read_bits(
    first: int, last: int, words: Any, matrix: Any, converters: Any, noise: Any, line: Any, y: Any
) -> None:
    """Accumulators of reads bit by bit, or their codes, of some of the pieces of work.

    Pieces are numbered by chip within block of vectors, of which there are BLOCK_READS by bits.

    Parameters
    ----------
    first, last : int
        Number of the first piece and of the one past the last.
    words : uint32 array of shape ``(chips or 1, vectors, n)``
        Four input codes a word, filled up with zeros where a row group ends.
    matrix, converters, noise, line
        Matrices, converters, noise and lines of the chips.
    y : array of shape ``(chips, vectors, columns)``
        Where the codes go, or without lines the accumulators.
    """
    chips, parts, blocks = matrix.rows.shape[:3]
    vectors, count = words.shape[1:]
    bits = converters.scales.shape[1]
    block = max(1, BLOCK_READS // bits)
    rows, size = matrix.rows.reshape(-1), np.uint64(matrix.rows.size // chips)
    table = np.empty(SEGMENT * ENTRIES * LANES, np.int16)
    levels = np.empty((block * bits + 3) * LANES, np.int16)
    index = np.empty(block * bits * count, np.uint16)
    sums = np.empty((block, blocks * LANES), np.float32)
    cuts = matrix.segments
    known = -1
    for piece in range(first, last):
        chip, start = piece % chips, piece // chips * block
        stop = min(start + block, vectors)
        if start != known or len(words) > 1:
            _index(words[chip % len(words)], start, stop, bits, matrix.places, index)
            known = start
        acc, at = sums[: stop - start], size * np.uint64(chip)
        acc[:] = 0
        reads = (stop - start) * bits
        some = levels[: reads * LANES]
        for part in range(parts):
            for column in range(blocks):
                group, fresh = 0, True
                for s in range(len(matrix.ends)):
                    at = _fill(table, rows, at, cuts[s + 1] - cuts[s])
                    _add_rows(table, index, count, (cuts[s], cuts[s + 1]), fresh, some)
                    fresh = matrix.ends[s]
                    if fresh:
                        place = chip, part, group, column * LANES
                        if matrix.signed:
                            _turn_last(some, bits)
                        if noise.amplitudes.size:
                            _add_noise(some, bits, start, place, noise)
                        if converters.transitions.size:
                            _count(levels, reads, converters.transitions[chip, part, group, column])
                        _digitise(some, place, converters, acc)
                        group += 1
        _close(acc, chip, line, y[chip, start:stop])
