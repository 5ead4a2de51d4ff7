"""Random tensors, and TFLite operators that move their values."""

from typing import NamedTuple

import numpy as np

from tests.spintron_nn.converter.tflite_front.models import Model


class T(NamedTuple):
    """A tensor of a model."""

    index: int
    shape: tuple
    kind: str
    scale: float
    zero: int


class Tensors(Model):
    """A model with tensors at random."""

    def __init__(self, seed, kind="int8", ties=False):
        super().__init__()
        self.ties = ties
        self.rng = np.random.default_rng(seed)
        self.kind = kind
        self.low, self.high = (-128, 127) if kind == "int8" else (0, 255)

    def pick(self, low, high):
        """An integer, both ends included."""
        return int(self.rng.integers(low, high + 1))

    def quantised(self, shape, scale=None, zero=None, kind=None, make=None):
        if scale is None:
            scale = float(np.float32(np.exp(self.rng.uniform(np.log(0.01), np.log(0.4)))))
        scale = self.tied(scale)
        zero = self.pick(self.low, self.high) if zero is None else zero
        kind = kind or self.kind
        index = (make or self.tensor)(tuple(map(int, shape)), kind, scale, zero)
        return T(index, tuple(map(int, shape)), kind, scale, zero)

    def tied(self, scale):
        """Powers of two, where quotients are to be exact ties."""
        return np.exp2(np.round(np.log2(scale))).astype(np.float32) if self.ties else scale

    def source(self, shape, **given):
        return self.quantised(shape, make=self.input, **given)

    def image(self, channels=None):
        sizes = self.pick(3, 8), self.pick(3, 8), channels or self.pick(1, 5)
        return self.source((1, *sizes))

    def codes(self, shape):
        return self.rng.integers(self.low, self.high + 1, shape)

    def frames(self, count=3):
        """Random codes for every input, with both ends."""
        found = []
        for index in self.inputs:
            shape = self.tensors[index].shape[1:]
            codes = self.codes((count, *shape))
            codes[0] = self.high
            codes[1].ravel()[::2] = self.low
            found.append(codes)
        return found

    def same(self, kind, t, shape, rest=(), options=None, **fields):
        """An operator that keeps scale and zero point."""
        out = self.quantised(shape, t.scale, t.zero, t.kind)
        self.add(kind, [t.index, *rest], [out.index], options, **fields)
        return out


class Moves(Tensors):
    """Operators that only move values, with attributes at random."""

    def pad(self, t):
        rows = [[0, 0], *[[self.pick(0, 2), self.pick(0, 2)] for _ in range(2)], [0, 0]]
        rows = rows if len(t.shape) == 4 and self.pick(0, 3) else (
            [[0, 0]] + [[self.pick(0, 1), self.pick(0, 2)] for _ in t.shape[1:]])  # fmt: skip
        shape = [size + sum(pair) for size, pair in zip(t.shape, rows)]
        rest = [self.numbers(rows)]
        if self.pick(0, 1):
            return self.same("PAD", t, shape, rest)
        value = self.tensor((1,), t.kind, t.scale, t.zero, [self.pick(self.low, self.high)])
        return self.same("PADV2", t, shape, [*rest, value])

    def mirror(self, t):
        rows = [[0, 0]] + [[self.pick(0, size - 1), self.pick(0, size - 1)] for size in t.shape[1:]]
        shape = [size + sum(pair) for size, pair in zip(t.shape, rows)]
        return self.same("MIRROR_PAD", t, shape, [self.numbers(rows)], "MirrorPadOptions",
                         mode=self.pick(0, 1))  # fmt: skip

    def slice(self, t):
        begin = [0] + [self.pick(0, size - 1) for size in t.shape[1:]]
        size = [1] + [self.pick(1, wide - first) for wide, first in zip(t.shape[1:], begin[1:])]
        given = [-1 if a + b == c and self.pick(0, 1) else b
                 for a, b, c in zip(begin, size, t.shape)]  # fmt: skip
        return self.same("SLICE", t, size, [self.numbers(begin), self.numbers(given)])

    def strided(self, t):
        begin = [0] + [self.pick(-size, size - 1) for size in t.shape[1:]]
        step = [1] + [self.pick(1, 2) * (-1) ** self.pick(0, 1) for _ in t.shape[1:]]
        end = [1] + [
            self.pick(-size, size + 1) if s > 0 else self.pick(-size - 1, size - 1)
            for size, s in zip(t.shape[1:], step[1:])
        ]
        masks = [self.pick(0, 15) & ~1, self.pick(0, 15) & ~1]
        shrink = 0
        if self.pick(0, 2) == 0:
            shrink = 4
            step[2], end[2] = 1, (begin[2] % t.shape[2]) + 1
        cuts = tuple(
            a if shrink >> n & 1
            else slice(None if masks[0] >> n & 1 else a, None if masks[1] >> n & 1 else b, s)
            for n, (a, b, s) in enumerate(zip(begin, end, step))
        )  # fmt: skip
        shape = np.empty(t.shape)[cuts].shape
        if not np.prod(shape):
            return self.strided(t)
        rest = [self.numbers(part) for part in (begin, end, step)]
        return self.same("STRIDED_SLICE", t, shape, rest, "StridedSliceOptions",
                         beginMask=masks[0], endMask=masks[1], shrinkAxisMask=shrink)  # fmt: skip

    def transpose(self, t):
        order = [0, *(1 + self.rng.permutation(len(t.shape) - 1))]
        shape = [t.shape[axis] for axis in order]
        return self.same("TRANSPOSE", t, shape, [self.numbers(order)], "TransposeOptions")

    def resize(self, t):
        sizes = [self.pick(1, 2 * size + 1) for size in t.shape[1:3]]
        align, half = [(False, False), (True, False), (False, True)][self.pick(0, 2)]
        shape = (1, *sizes, t.shape[3])
        return self.same("RESIZE_NEAREST_NEIGHBOR", t, shape, [self.numbers(sizes)],
                         "ResizeNearestNeighborOptions", alignCorners=align,
                         halfPixelCenters=half)  # fmt: skip

    def reshape(self, t):
        count = int(np.prod(t.shape))
        shape = [(1, count), (1, -1), (1, t.shape[-1], -1)][self.pick(0, 2)]
        real = [count // abs(int(np.prod(shape))) if size == -1 else size for size in shape]
        if self.pick(0, 1):
            return self.same("RESHAPE", t, real, [self.numbers(shape)])
        return self.same("RESHAPE", t, real, (), "ReshapeOptions", newShape=list(shape))

    def squeeze(self, t):
        """An axis more, and one or all axes of one less."""
        place = self.pick(-1, len(t.shape))
        shape = list(t.shape)
        shape.insert(place if place >= 0 else len(shape) + 1 + place, 1)
        t = self.same("EXPAND_DIMS", t, shape, [self.numbers([place])])
        ones = [axis for axis, size in enumerate(shape) if size == 1]
        if self.pick(0, 1):
            return self.same("SQUEEZE", t, [size for size in shape if size != 1])
        axis = ones[-1]
        shape.pop(axis)
        given = axis - len(shape) - 1 if self.pick(0, 1) else axis
        return self.same("SQUEEZE", t, shape, (), "SqueezeOptions", squeezeDims=[given])

    def split(self, t):
        """Two parts, given by their number or their sizes."""
        axis = self.pick(1, len(t.shape) - 1)
        size = t.shape[axis]
        if size % 2 == 0 and self.pick(0, 1):
            sizes, kind, options = [size // 2] * 2, "SPLIT", "SplitOptions"
            inputs = [self.numbers(axis), t.index]
        else:
            first = self.pick(1, max(size - 1, 1))
            sizes, kind, options = [first, size - first], "SPLIT_V", "SplitVOptions"
            sizes = sizes[: 1 + (size > first)]
            given = [*sizes[:-1], -1] if self.pick(0, 1) else sizes
            inputs = [t.index, self.numbers(given), self.numbers(axis)]
        parts = []
        for one in sizes:
            shape = [one if place == axis else wide for place, wide in enumerate(t.shape)]
            parts.append(self.quantised(shape, t.scale, t.zero))
        self.add(kind, inputs, [part.index for part in parts], options, numSplits=len(parts))
        return parts

    def depth(self, t):
        block = self.pick(1, 3)
        _, height, width, channels = t.shape
        if channels % block**2 == 0 and self.pick(0, 1):
            shape = (1, height * block, width * block, channels // block**2)
            return self.same("DEPTH_TO_SPACE", t, shape, (), "DepthToSpaceOptions",
                             blockSize=block)  # fmt: skip
        block = next(n for n in (3, 2, 1) if height % n == width % n == 0)
        shape = (1, height // block, width // block, channels * block**2)
        return self.same("SPACE_TO_DEPTH", t, shape, (), "SpaceToDepthOptions",
                         blockSize=block)  # fmt: skip

    def gather(self, t):
        axis = self.pick(1, len(t.shape) - 1)
        places = self.rng.integers(0, t.shape[axis], [(), (3,), (2, 2)][self.pick(0, 2)])
        shape = (*t.shape[:axis], *places.shape, *t.shape[axis + 1 :])
        given = axis - len(t.shape) if self.pick(0, 1) else axis
        return self.same("GATHER", t, shape, [self.numbers(places)], "GatherOptions", axis=given)

    def tile(self, t):
        times = [1] + [self.pick(1, 3) for _ in t.shape[1:]]
        shape = [size * count for size, count in zip(t.shape, times)]
        return self.same("TILE", t, shape, [self.numbers(times)])

    def reverse(self, t):
        return self.same("REVERSE_V2", t, t.shape, [self.numbers([self.pick(1, 3)])])
