"""A matrix on crossbars: the layer that this project exists for."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from .. import ranges
from ..arith import as_int
from ..errors import NetworkError, ParameterError, check_choice, check_int, check_shape
from ..prng import BLOCK_LANES, READ_SHIFT
from ..record import array, register
from ..requantise import Requantiser, Thresholds, product_bound
from ..types import IntType
from . import dense_run
from .base import UnaryLayer
from .converters import Adc, Noise
from .dense_reads import Reads, format_of

__all__ = ["SCHEMES", "Adc", "Dense", "Noise"]

SCHEMES = ("pair", "columns", "reference")
"""How a signed weight stands on devices."""


@register
@dataclass(frozen=True, eq=False, kw_only=True)
class Dense(UnaryLayer):
    """A matrix of devices read by chunks of the input, digitized, added and requantised.

    ::

        chunk[p, r]      = p-th group of dac_bits bits of x[r], of the rows of a column's block
        current[k,s,d,p] = sum over rows r of group k: chunk[p, r] * weights[s, d, r]
        code             = ADC(current + noise): of even steps, or of sampled transition levels
        acc              = sum over k,s,d,p: sign[d] * code << (slice_shift[s] + dac_bits * p)
        y                = requantise(acc + bias)

    Parameters
    ----------
    codes : array of shape ``(slices, devices, rows, cols)``, 0..2**cell_bits - 1
        Conductance codes of the sampled chip. Two devices a weight (positive first) in the schemes
        ``pair`` (subtracted as currents) and ``columns`` (digitized each, subtracted as codes), one
        in ``reference``.
    cell_bits : int, 1..12
        Bits of a conductance code.
    scheme : str
        ``pair``, ``columns`` or ``reference``.
    reference : array of shape ``(slices, rows, tiles)`` or None
        Codes of the reference columns, in the scheme ``reference`` only: column ``c`` has the
        current of reference column ``c // tile_cols`` taken off.
    tile_cols : int or None
        Columns that share a reference column.
    input : IntType, at most 16 bits
        Type of the inputs.
    dac_bits : int, 1..input.bits
        Bits of a chunk.
    slice_shift : tuple of int, 0..30
        Weight of each slice, as a power of two.
    tile_rows : int
        Rows of a tile; more rows are cut into groups that are digitized each.
    bias : array of shape ``(cols,)``, 32 bits signed
        Added to the accumulator.
    adc : Adc or None
        Converters; None is a lossless converter.
    noise : Noise or None
        Read noise.
    requantise : MulShift, Thresholds, Table, TFLite or None
        None passes ``acc + bias`` on.
    positions : int or None
        Vectors in a frame, each of which the matrix is applied to: inputs are
        ``(positions, inputs)`` and outputs ``(positions, cols)``. None: a frame is one vector.
    blocks : int or None
        Blocks of a block-diagonal matrix, as a convolution in groups has them: of the
        :py:`blocks * rows` inputs, column ``c`` sees the ``c // (cols // blocks)``-th :py:`rows`.
        Must divide the columns. None: every column sees every input.

    Raises
    ------
    ParameterError
        If a field is outside its range, fields contradict each other, or a sum could leave 63 bits.
    """

    kind: ClassVar[str] = "dense"

    codes: NDArray[np.uint16] = array("uint16", 4)
    cell_bits: int
    scheme: str
    reference: NDArray[np.uint16] | None = array("uint16", 3, default=None)
    tile_cols: int | None = None
    input: IntType
    dac_bits: int
    slice_shift: tuple[int, ...]
    tile_rows: int
    bias: NDArray[np.int32] = array("int32", 1)
    adc: Adc | None = None
    noise: Noise | None = None
    requantise: Requantiser | None = None
    positions: int | None = field(default=None, metadata={"later": True})
    blocks: int | None = field(default=None, metadata={"later": True})

    def check(self) -> None:
        """Check the fields against each other."""
        check_int("Dense", "cell_bits", self.cell_bits, 1, 12)
        check_choice("Dense", "scheme", self.scheme, SCHEMES)
        check_int("Dense", "input.bits", self.input.bits, 1, 16)
        check_int("Dense", "dac_bits", self.dac_bits, 1, self.input.bits)
        check_int("Dense", "tile_rows", self.tile_rows, 1, 1 << 16)
        if self.blocks is not None and self.cols % check_int(
            "Dense", "blocks", self.blocks, 1, self.cols
        ):
            raise ParameterError(
                f"Dense: blocks must divide the {self.cols} columns, not be {self.blocks}"
            )
        if self.positions is not None:
            check_int("Dense", "positions", self.positions, 1, 1 << 24)
            check_shape("Dense", "its input", self.in_shape)
            check_shape("Dense", "its output", self.shape)
        for index, shift in enumerate(self.slice_shift):
            check_int("Dense", f"slice_shift[{index}]", shift, 0, 30)
        self._check_sizes()
        self._check_codes()
        if self.adc is not None:
            self.adc.at(self)
            self.adc.transitions_at(self)
        if self.noise is not None:
            self.noise.at(self)
            self._check_noise_blocks()
        self._check_bounds()

    def _check_bounds(self) -> None:
        level = self.rows << (self.cell_bits + self.dac_bits)
        code = level if self.adc is None else 1 << self.adc.bits
        places = max(self.slice_shift) + self.dac_bits * (self.chunks - 1)
        bound = code * self.groups * self.slices * self.converters << places
        # More than what noise, a gain, an offset and a bias of any size make of it.
        most = max(level << 26, bound << 12) + (1 << 32)
        if most < 1 << 62 and isinstance(self.requantise, Thresholds | None):
            return
        if bound < 1 << 62:  # else the interval analysis itself could overflow
            bound = max(self.ranges.bound, product_bound(self.requantise, self.ranges.total))
        if bound >= 1 << 62:
            raise ParameterError(
                f"Dense: every sum and product must stay below 2**62, not reach {bound}: "
                "use fewer bits, smaller gains, shifts or multipliers"
            )

    def _check_noise_blocks(self) -> None:
        blocks = self.groups * self.slices * self.converters * -(-self.cols // BLOCK_LANES)
        if blocks > 1 << READ_SHIFT:
            raise ParameterError(
                f"Dense: noise reaches 2**24 blocks of four columns, not {blocks}: "
                "use higher tiles, fewer slices, or split the layer"
            )

    def _check_sizes(self) -> None:
        devices = 1 if self.scheme == "reference" else 2
        if self.codes.shape[1] != devices:
            raise ParameterError(
                f"Dense: codes must have {devices} devices a weight in scheme {self.scheme!r}, "
                f"not {self.codes.shape[1]}"
            )
        if len(self.slice_shift) != self.slices:
            raise ParameterError(
                f"Dense: slice_shift must have a value for each of the {self.slices} slices, "
                f"not {len(self.slice_shift)}"
            )
        if self.bias.shape != (self.cols,):
            raise ParameterError(
                f"Dense: bias must have a value for each of the {self.cols} columns, "
                f"not {len(self.bias)}"
            )
        if self.requantise is not None and self.requantise.cols != self.cols:
            raise ParameterError(
                f"Dense: requantise must have {self.cols} channels, one for each column, "
                f"not {self.requantise.cols}"
            )
        if (self.scheme == "reference") != (self.reference is not None):
            raise ParameterError(
                "Dense: reference must be given in the scheme 'reference' and in no other"
            )
        if self.reference is None:
            if self.tile_cols is not None:
                raise ParameterError(
                    "Dense: tile_cols must be None outside the scheme 'reference', "
                    f"not {self.tile_cols!r}"
                )
            return
        tile_cols = check_int("Dense", "tile_cols", self.tile_cols, 1, 1 << 16)
        shape = (self.slices, self.rows, -(-self.cols // tile_cols))
        if self.reference.shape != shape:
            raise ParameterError(
                f"Dense: reference must have the shape {shape} (slices, rows, tiles), "
                f"not {self.reference.shape}"
            )
        if self.blocks is not None and self.block_cols % tile_cols:
            raise ParameterError(
                f"Dense: tile_cols must divide the {self.block_cols} columns of a block, not be "
                f"{tile_cols}: a reference column sees the inputs of one block"
            )

    def _check_codes(self) -> None:
        limit = (1 << self.cell_bits) - 1
        for name, codes in (("codes", self.codes), ("reference", self.reference)):
            if codes is not None and int(codes.max()) > limit:
                raise ParameterError(
                    f"Dense: {name} must lie in 0..{limit} for cell_bits = {self.cell_bits}, "
                    f"not reach {int(codes.max())}"
                )

    @property
    def slices(self) -> int:
        """Number of weight slices."""
        return self.codes.shape[0]

    @property
    def rows(self) -> int:
        """Inputs that each column sees: those of one block."""
        return self.codes.shape[2]

    @property
    def inputs(self) -> int:
        """Number of inputs: the rows of all blocks."""
        return (self.blocks or 1) * self.rows

    @property
    def cols(self) -> int:
        """Number of outputs."""
        return self.codes.shape[3]

    @property
    def block_cols(self) -> int:
        """Columns of a block."""
        return self.cols // (self.blocks or 1)

    @property
    def converters(self) -> int:
        """Converters for each column of a slice: 2 in the scheme ``columns``, else 1."""
        return 2 if self.scheme == "columns" else 1

    @property
    def signs(self) -> tuple[int, ...]:
        """Sign with which each converter's code is added."""
        return (1, -1)[: self.converters]

    @property
    def chunks(self) -> int:
        """Reads for each input vector."""
        return -(-self.input.bits // self.dac_bits)

    @property
    def row_groups(self) -> tuple[tuple[int, int], ...]:
        """First row and end of each group."""
        starts = range(0, self.rows, self.tile_rows)
        return tuple((start, min(start + self.tile_rows, self.rows)) for start in starts)

    @property
    def groups(self) -> int:
        """Number of row groups."""
        return -(-self.rows // self.tile_rows)

    @property
    def devices(self) -> int:
        """Number of devices, reference columns included."""
        return self.codes.size + (0 if self.reference is None else self.reference.size)

    @cached_property
    def weights(self) -> NDArray[np.int32]:
        """What a converter sees of each row: shape ``(slices, converters, rows, cols)``."""
        if self.scheme == "pair":
            return np.subtract(self.codes[:, :1], self.codes[:, 1:], dtype=np.int32)
        codes = self.codes.astype(np.int32)
        if self.reference is None:
            return codes
        tiles = np.arange(self.cols) // (self.tile_cols or 1)
        return codes - self.reference[:, None, :, tiles].astype(np.int32)

    @cached_property
    def collapsed(self) -> NDArray[Any]:
        """Weights ``(rows, cols)`` of all slices, for layers without converters and noise.

        Their format holds every partial sum of their products with inputs.
        """
        places = np.array([sign << shift for shift in self.slice_shift for sign in self.signs])
        total = np.einsum("p,prc->rc", places, self.weights.reshape(len(places), self.rows, -1))
        largest = max(-self.input.low, self.input.high)
        dtype = format_of(largest * int(np.abs(total).sum(axis=0).max()))
        return total if dtype is None else total.astype(dtype)

    @cached_property
    def prepared(self) -> Reads | None:
        """What runs a layer with converters or noise in floating point, where that is exact."""
        wires = (self.ranges.current, self.ranges.level, self.ranges.product, self.ranges.scaled)
        level = max(wire.bound for wire in wires)
        if self.adc is not None:  # the offset may come first, then the rows in any order
            level += int(np.abs(self.adc.offset.astype(np.int64)).max()) + (1 << self.adc.shift)
        level = max(level, self.ranges.code.bound << self.dac_bits * self.chunks)
        formats = format_of(level), format_of(self.ranges.acc.bound)
        return None if None in formats else Reads(self, *formats)

    @cached_property
    def ranges(self) -> ranges.DenseRanges:
        """Intervals of every wire, from :func:`spintron_ir.ranges.dense_ranges`."""
        return ranges.dense_ranges(self)

    @property
    def in_shape(self) -> tuple[int, ...]:
        """Shape of one input."""
        return (self.inputs,) if self.positions is None else (self.positions, self.inputs)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one output."""
        return (self.cols,) if self.positions is None else (self.positions, self.cols)

    @property
    def type(self) -> IntType:
        """Type of every output value."""
        return self.ranges.total.type if self.requantise is None else self.requantise.type

    def accumulate(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """``acc + bias`` of inputs ``(batch, *in_shape)``, before the requantiser."""
        x = as_int(x)
        if x.shape[1:] != self.in_shape:
            sizes = ", ".join(map(str, self.in_shape))
            raise NetworkError(f"Dense: inputs must be (batch, {sizes}), not {x.shape}")
        first = first_frame * (self.positions or 1) % (1 << 32)  # as far as noise counts
        total = dense_run.accumulate(self, x.reshape(-1, self.inputs), first) + self.bias
        return total.reshape(len(x), *self.shape)

    def run(self, x: Any, first_frame: int = 0) -> NDArray[np.int64]:
        """Outputs ``(batch, *shape)`` of inputs ``(batch, *in_shape)``."""
        total = self.accumulate(x, first_frame)
        return total if self.requantise is None else self.requantise.run(total)
