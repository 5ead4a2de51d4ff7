"""The crossbar formula once more, on plain integers, and random layers to try it on."""

import math
from collections import defaultdict
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import strategies as st

from spintron_ir import Adc, Dense, IntType, MulShift, Noise, Table, TFLite, Thresholds

MASK = 2**32 - 1


def _threefry(key, counter, rounds):
    """Threefry-2x32 from the paper."""
    keys = [*key, 0x1BD11BDA ^ key[0] ^ key[1]]
    x0, x1 = ((counter[n] + keys[n]) & MASK for n in range(2))
    for n in range(rounds):
        turn = (13, 15, 26, 6, 17, 29, 16, 24)[n % 8]
        x0 = (x0 + x1) & MASK
        x1 = ((x1 << turn & MASK) | (x1 >> (32 - turn))) ^ x0
        if n % 4 == 3:
            step = n // 4 + 1
            x0 = (x0 + keys[step % 3]) & MASK
            x1 = (x1 + keys[(step + 1) % 3] + step) & MASK
    return x0, x1


def _nearest(numerator, shift):
    return math.floor(Fraction(numerator, 2**shift) + Fraction(1, 2))


def _clip(value, type_):
    return min(max(value, type_.low), type_.high)


def _chunk(value, p, type_, dac_bits):
    """Digits p of the bit pattern, written as text; the top ones of a signed value are signed."""
    digits = format(value % 2**type_.bits, f"0{type_.bits}b")
    end = type_.bits - p * dac_bits
    cut = digits[max(0, end - dac_bits) : end]
    top = end <= dac_bits
    return int(cut, 2) - (2 ** len(cut) if top and type_.signed and cut[0] == "1" else 0)


def _noise(layer, frame, p, converter, col):
    seed, blocks = layer.noise.seed, -(-layer.cols // 4)
    counter = (frame & MASK, p * 2**24 + converter * blocks + col // 4)
    word = _threefry((seed & MASK, seed >> 32), counter, 13)[col % 4 // 2]
    word = word >> 16 * (col % 2) & 0xFFFF
    return 2 * (8 * bin(word >> 3).count("1") + word % 8) - 111


def _entry(array, *index):
    return int(array[tuple(i if size > 1 else 0 for i, size in zip(index, array.shape))])


def _digitize(adc, scaled, k, s, d, c):
    type_ = IntType(adc.bits, adc.signed)
    if adc.transitions is None:
        return _clip(_nearest(scaled, adc.shift), type_)
    codes = range(1, 2**adc.bits)
    reached = [n for n in codes if scaled >= _entry(adc.transitions[..., n - 1], k, s, d, c)]
    return type_.low + max(reached, default=0)


def _requantise(q, total, col):
    if q is None:
        return total
    if isinstance(q, Thresholds):
        reached = sum(int(q.sign[col]) * total >= int(t) for t in q.thresholds[col])
        return q.low + reached
    if isinstance(q, Table):
        return int(q.table[_requantise(q.code, total, col) - q.code.type.low])
    if isinstance(q, TFLite):
        shift = int(q.shift[col])
        first = _nearest(total * 2 ** max(shift, 0) * int(q.multiplier[col]), 31)
        first = _clip(first, IntType(32, signed=True))
        second = _nearest(abs(first), max(-shift, 0)) * (-1 if first < 0 else 1)
        return min(max(second + q.zero_point, q.low), q.high)
    scaled = _nearest(total * int(q.multiplier[col]), int(q.shift[col]))
    return _clip(scaled + q.zero_point, q.type)


def _weight(layer, s, d, r, c):
    if layer.scheme == "pair":
        return int(layer.codes[s, 0, r, c]) - int(layer.codes[s, 1, r, c])
    if layer.scheme == "columns":
        return int(layer.codes[s, d, r, c])
    return int(layer.codes[s, 0, r, c]) - int(layer.reference[s, r, c // layer.tile_cols])


def _one_frame(layer, x, frame, wires):
    """Outputs of one frame; every number on the way is added to :py:`wires`."""
    rows, cols, chunks = *layer.codes.shape[2:], math.ceil(layer.input.bits / layer.dac_bits)
    block_cols = cols // (layer.blocks or 1)
    converters = 2 if layer.scheme == "columns" else 1
    groups = [range(a, min(a + layer.tile_rows, rows)) for a in range(0, rows, layer.tile_rows)]
    out = []
    for c in range(cols):
        acc, own = 0, x[c // block_cols * rows :]
        for k, group in enumerate(groups):
            for s, slice_shift in enumerate(layer.slice_shift):
                for d in range(converters):
                    for p in range(chunks):
                        parts = {r: _chunk(own[r], p, layer.input, layer.dac_bits) for r in group}
                        level = sum(parts[r] * _weight(layer, s, d, r, c) for r in group)
                        wires["chunk"].extend(parts.values())
                        wires["current"].append(level)
                        if layer.noise is not None:
                            converter = (k * len(layer.slice_shift) + s) * converters + d
                            z = _noise(layer, frame, p, converter, c)
                            level += _nearest(z * _entry(layer.noise.amplitude, k, s, d, c), 12)
                        wires["level"].append(level)
                        code = level
                        if layer.adc is not None:
                            code = level * _entry(layer.adc.gain, k, s, d, c)
                            wires["product"].append(code)
                            code += _entry(layer.adc.offset, k, s, d, c)
                            wires["scaled"] += [code, code + 2**layer.adc.shift // 2]
                            code = _digitize(layer.adc, code, k, s, d, c)
                        wires["code"].append(code)
                        acc += (-1) ** d * code * 2 ** (slice_shift + layer.dac_bits * p)
                        wires["acc"].append(acc)
        wires["total"].append(acc + int(layer.bias[c]))
        wires["out"].append(_requantise(layer.requantise, acc + int(layer.bias[c]), c))
        out.append(wires["out"][-1])
    return out


def _reference(layer, x, first_frame=0, wires=None):
    wires = defaultdict(list) if wires is None else wires
    frames = np.asarray(x).tolist()
    return [_one_frame(layer, frame, first_frame + n, wires) for n, frame in enumerate(frames)]


@pytest.fixture(scope="session")
def threefry():
    """``threefry(key, counter, rounds)`` on plain integers."""
    return _threefry


@pytest.fixture(scope="session")
def reference():
    """``reference(layer, x, first_frame=0, wires=None)``: outputs by the formula in design.md."""
    return _reference


def _requantisers(rng, cols, kind):
    if kind == "none":
        return None
    if kind == "thresholds":
        return Thresholds(
            thresholds=np.sort(rng.integers(-60, 60, (cols, 3)), axis=1),
            sign=rng.choice([-1, 1], cols),
            low=-2,
            type=IntType(3, signed=True),
        )
    if kind == "tflite":
        low, high = np.sort(rng.integers(-4, 4, 2)).tolist()
        return TFLite(
            multiplier=rng.integers(-(1 << 31), 1 << 31, cols),
            shift=rng.integers(-9, 4, cols),
            zero_point=int(rng.integers(-9, 9)),
            low=low,
            high=high,
            type=IntType(3, signed=True),
        )
    mulshift = MulShift(
        multiplier=rng.integers(-40, 40, cols),
        shift=rng.integers(0, 9, cols),
        zero_point=int(rng.integers(-9, 9)),
        type=IntType(3, signed=bool(rng.integers(2))),
    )
    if kind == "mulshift":
        return mulshift
    return Table(code=mulshift, table=rng.integers(-7, 8, 8), type=IntType(4, signed=True))


@st.composite
def _dense_layers(draw, max_rows=6, max_bits=5):
    """Any small dense layer."""
    size = st.integers(1, 3)
    rows, cols, slices = draw(st.integers(1, max_rows)), draw(st.integers(1, 5)), draw(size)
    blocks = draw(st.sampled_from([None, None, 1, 2, 3]))
    block_cols, cols = cols, cols * (blocks or 1)
    scheme = draw(st.sampled_from(["pair", "columns", "reference"]))
    cell_bits, tile_rows = draw(size), draw(st.integers(1, max_rows))
    type_ = IntType(draw(st.integers(1, max_bits)), draw(st.booleans()))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    devices = 1 if scheme == "reference" else 2
    tile_cols = None
    if scheme == "reference":
        sizes = range(1, 6) if blocks is None else [n for n in range(1, 6) if block_cols % n == 0]
        tile_cols = draw(st.sampled_from(sizes))
    full = (-(-rows // tile_rows), slices, 2 if scheme == "columns" else 1, cols)

    def spread(low, high, *levels):
        shape = [n if draw(st.booleans()) else 1 for n in full]
        return rng.integers(low, high, (*shape, *levels))

    adc = None
    if draw(st.booleans()):
        bits, signed = draw(st.sampled_from([1, 2, 4, 7])), draw(st.booleans())
        gain, offset = spread(1, draw(st.sampled_from([2, 9]))), spread(-30, 30)
        shift = draw(st.integers(0, 5))
        adc = Adc(bits=bits, signed=signed, shift=shift, gain=gain, offset=offset)
        if draw(st.booleans()):
            far = draw(st.sampled_from([4, 40, 2**31 - 1]))
            levels = np.sort(spread(-far, far, 2**bits - 1), axis=-1)
            adc = Adc(bits=bits, signed=signed, transitions=levels)
    noise = None
    if draw(st.booleans()):
        noise = Noise(seed=draw(st.integers(0, 2**64 - 1)), amplitude=spread(0, 999))
    codes = rng.integers(0, 1 << cell_bits, (slices, devices, rows, cols))
    reference = None
    if tile_cols is not None:
        reference = rng.integers(0, 1 << cell_bits, (slices, rows, -(-cols // tile_cols)))
    kind = draw(st.sampled_from(["none", "mulshift", "thresholds", "table", "tflite"]))
    return Dense(
        codes=codes,
        cell_bits=cell_bits,
        scheme=scheme,
        reference=reference,
        tile_cols=tile_cols,
        input=type_,
        dac_bits=draw(st.integers(1, type_.bits)),
        slice_shift=tuple(draw(st.integers(0, 5)) for _ in range(slices)),
        tile_rows=tile_rows,
        bias=rng.integers(-50, 50, cols),
        adc=adc,
        noise=noise,
        requantise=_requantisers(rng, cols, kind),
        blocks=blocks,
    )


@pytest.fixture(scope="session")
def dense_layers():
    """``dense_layers(max_rows=6, max_bits=5)``: a strategy that gives any small dense layer."""
    return _dense_layers


@pytest.fixture(scope="session")
def frames_of():
    """``frames_of(layer, count, seed)``: corner inputs, then random ones."""

    def frames(layer, count=6, seed=0):
        low, high = layer.input.low, layer.input.high
        corners = [np.full(layer.inputs, value) for value in (low, high)]
        random = np.random.default_rng(seed).integers(low, high + 1, (count, layer.inputs))
        return np.concatenate([corners, random])

    return frames
