"""Columns as a chip reads them: input bits in turn, tile by tile, through converters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

from spintron_ir import IntType

from .devices import Converters

if TYPE_CHECKING:
    from .crossbar_layer import Crossbar
    from .held import Draw, Held

__all__ = ["Reads", "chunked", "fitted"]

TIE = 1e-3
"""Conductance codes by which rounding is moved, so that errors of floats decide nothing."""

LEAST = 1e-6
"""Least slope of a line, over 1."""

TINY = torch.finfo(torch.float32).tiny
"""What changes no power that is above 0."""

SYMMETRIC = 4
"""Bits up to which converters cut off, rather than round: their codes lie about zero evenly."""


@dataclass(frozen=True)
class Reads:
    """How a matrix is read.

    Attributes
    ----------
    adc_bits : int or None
        Bits of a converter, None for lossless ones.
    dac_bits : int
        Bits of an input that are applied at once.
    tile : int
        Rows that are read together.
    """

    adc_bits: int | None
    dac_bits: int
    tile: int

    def chunk_bits(self, kind: IntType) -> int:
        """Bits of an input of a type that are applied at once."""
        return min(self.dac_bits, kind.bits)

    def summed(self, crossbar: Crossbar, noise: Tensor | float) -> Tensor:
        """Deviation of an accumulator without converters: reads add with their places, squared.

        Parameters
        ----------
        crossbar : Crossbar
            The matrix.
        noise : Tensor of shape ``(samples, slices, arrays of rows, outputs)``, or float
            Deviation of a read, in even levels.

        Returns
        -------
        Tensor of shape ``(samples, outputs)``, or without axes
            In even levels times codes.
        """
        chunks = range(-(-crossbar.kind.bits // self.chunk_bits(crossbar.kind)))
        planes = sum(4.0 ** (self.chunk_bits(crossbar.kind) * place) for place in chunks)
        powers = [4.0**place for place in range(0, crossbar.bits, crossbar.level_bits)]
        if not isinstance(noise, Tensor):
            arrays = -(-crossbar.layer.rows // self.tile)
            return torch.tensor(noise * (planes * sum(powers) * arrays) ** 0.5)
        squares = noise.square().sum(dim=2)
        return (torch.einsum("mso,s->mo", squares, squares.new_tensor(powers)) * planes).sqrt()

    def run(
        self,
        crossbar: Crossbar,
        codes: Tensor,
        given: tuple[Held, Tensor, Tensor | float],
        draw: Draw,
    ) -> tuple[Tensor, Tensor]:
        """Accumulators ``(samples, groups, vectors, outputs of a group)``, and exact ones.

        The first count codes of converters, the second even levels that nothing was lost of.

        Parameters
        ----------
        crossbar : Crossbar
            The matrix.
        codes : Tensor of shape ``(samples or 1, groups, vectors, rows)``
            Input codes, whole numbers.
        given : (Held, Tensor, Tensor or float)
            What chips hold, and in even levels one code of a converter and the deviation of a
            read, as for :meth:`summed`.
        draw : Draw
            The chips.
        """
        matrix, adc_step, noise = given
        held = crossbar.rows(matrix.pairs)
        chunks = chunked(codes, crossbar.kind, self.dac_bits)
        planes, groups, rows = len(chunks), codes.shape[1], codes.shape[-1]
        chips, slices, outputs, _ = held.shape
        cols, parts = outputs // groups, -(-rows // self.tile)
        side = parts * self.tile if parts > 1 else rows
        if side > rows:
            chunks, held = (functional.pad(part, (0, side - rows)) for part in (chunks, held))
        held = held * matrix.unit[..., None]
        size, height = side // parts, chunks.shape[3]
        # (chips or 1, groups, parts, planes * vectors, size)
        left = chunks.reshape(planes, -1, groups, height, parts, size).permute(1, 2, 4, 0, 3, 5)
        left = left.reshape(-1, groups, parts, planes * height, size)
        # (chips, groups, parts, size, slices * cols)
        right = held.reshape(chips, slices, groups, cols, parts, size).permute(0, 2, 4, 5, 1, 3)
        right = right.reshape(chips, groups, parts, size, slices * cols)
        current = torch.matmul(left, right)
        current = current.view(chips, groups, parts, planes, height, slices, cols)
        base = 1 << self.chunk_bits(crossbar.kind)
        shifts = range(0, crossbar.bits, crossbar.level_bits)
        places = [[float(base**plane << shift) for shift in shifts] for plane in range(planes)]
        exact = _added(current, places)
        if isinstance(noise, Tensor) or noise > 0:
            drawn = torch.randn(current.shape, generator=draw.random, dtype=current.dtype)
            if isinstance(noise, Tensor):  # (chips, slices, parts, outputs)
                shaped = noise.reshape(chips, slices, parts, groups, cols)
                noise = shaped.permute(0, 3, 2, 1, 4)[:, :, :, None, None]
            current.add_(drawn.to(current.device).mul_(noise))
        centre = current.mean(dim=4)
        if planes > 1:
            shares = current.new_tensor([float(base ** (2 * plane)) for plane in range(planes)])
            centre = (centre * (shares / shares.sum())[:, None, None]).sum(dim=3, keepdim=True)
        errors = draw.sampler.converters(
            chips, (groups, parts, slices, cols), self.adc_bits or 1, draw.random
        )
        # Offsets are whole codes of conductance, and currents that lie half-way are rounded up.
        unit = draw.sampler.config.level_codes
        centre.mul_(unit).round_().sub_(TIE).div_(unit)
        current.sub_(centre[:, :, :, :, None])
        return _added(self._converted(current, adc_step, errors), places), exact

    def _converted(self, current: Tensor, step: Tensor, errors: Converters | None) -> Tensor:
        """Codes of currents less their offset."""
        bits = self.adc_bits or 1
        low, high = -(1 << (bits - 1)), (1 << (bits - 1)) - 1
        half = 0.0 if bits <= SYMMETRIC else 0.5
        if errors is not None:
            offset, gain, sense = (
                part.to(current)[:, :, :, None, None]
                for part in (errors.offset, errors.gain, errors.sense_offset)
            )
            if bits == 1:
                current = current.add_(sense)
            else:
                current = current.mul_(gain / step).add_(offset + half)
                return _stepped(current, errors.transitions, low, high)
        if bits == 1:
            return current.floor_().clamp_(-1.0, 0.0)
        return current.div_(step).add_(half).floor_().clamp_(low, high)


def _added(current: Tensor, places: list[list[float]]) -> Tensor:
    """Sum over arrays, chunks and slices ``(chips, groups, parts, planes, vectors, slices, cols)``.

    Chunks and slices count with their places.
    """
    whole = current.sum(dim=2)
    if len(places) == len(places[0]) == 1:
        return whole[:, :, 0, :, 0]
    return (whole * whole.new_tensor(places)[:, None, :, None]).sum(dim=(2, 4))


def _stepped(place: Tensor, transitions: Tensor | None, low: int, high: int) -> Tensor:
    """Codes where every transition has an error of its own.

    A code is at least ``j`` where ``place >= j + error[j]``. Errors are far less than their number
    of steps, so that only the transitions next to the ideal code are looked at.
    """
    code = place.floor().clamp_(low, high)
    if transitions is None:
        return code
    table = transitions.to(place)[:, :, :, None, None]
    width = table.shape[-1]
    table = table.expand(*place.shape[:3], 1, 1, *table.shape[5:])
    reach = max(int(transitions.abs().max().ceil()), 1)
    found = (code - reach).clamp_(low, high)
    for ahead in range(1 - reach, reach + 1):
        wanted = code + ahead
        index = (wanted - low - 1).clamp(0, width - 1).long()
        error = torch.take_along_dim(table.expand(*place.shape, width), index[..., None], dim=-1)[
            ..., 0
        ]
        reached = (place >= wanted + error) & (wanted <= high) & (wanted > low)
        found = torch.where(reached, wanted, found)
    return found


def chunked(codes: Tensor, kind: IntType, dac_bits: int) -> Tensor:
    """Whole codes in chunks of bits, the lowest first: ``(chunks, *codes.shape)``.

    The last chunk of a signed type is the two's complement of what is left.

    Examples
    --------
    >>> chunked(torch.tensor([5.0, -3.0]), IntType(4, signed=True), 2).tolist()
    [[1.0, 1.0], [1.0, -1.0]]
    """
    step = min(dac_bits, kind.bits)
    count = -(-kind.bits // step)
    if count == 1:
        return codes[None]
    whole = codes.to(torch.int32)
    mask = (1 << step) - 1
    parts = [(whole >> (step * place)) & mask for place in range(count - 1)]
    top = whole >> (step * (count - 1))
    return torch.stack([*parts, top if kind.signed else top & mask]).to(codes.dtype)


def fitted(real: Tensor, target: Tensor, *, per_channel: bool) -> tuple[Tensor, Tensor]:
    """Line from what chips give to what they should, as the calibration of a chip fits it.

    Parameters
    ----------
    real, target : Tensors of shape ``(samples, vectors, outputs)``, the second with 1 for samples
        Results and what nominal devices give.
    per_channel : bool
        A slope for each output, otherwise one for all; offsets are of each output.

    Returns
    -------
    slope, offset : Tensors of shape ``(samples, 1, outputs)``
        ``slope * real + offset`` is nearest to the target.

    Source
    ------
    :func:`spintron_nn.converter.calibrate.fit_line`, of which it is the batched form.
    """
    mean, axes = real.mean(1, keepdim=True), (1,) if per_channel else (1, 2)
    centred = real - mean
    # Deviations add up to 0, so that the target may stay where it is.
    power, common = ((centred * part).sum(axes, keepdim=True) for part in (centred, target))
    # Where nothing varies, nothing is above 0.
    slope = torch.threshold(common / power.add_(TINY), LEAST, 1.0)
    offset = torch.addcmul(target.mean(1, keepdim=True), slope, mean, value=-1.0)
    return slope.expand_as(mean), offset
