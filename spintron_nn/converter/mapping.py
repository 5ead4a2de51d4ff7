"""Quantised weights on the devices of a chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Dense, IntType, Noise, ParameterError
from spintron_nn.core.chip import Chip, SampledArray

from .packing import pack, unpack

__all__ = ["MappedLayer", "map_layer", "weight_levels", "write_devices"]

Ints = NDArray[np.int64]

NOISE_UNIT = 4096 / np.sqrt(853)
"""Noise amplitude of one conductance code of standard deviation (see spintron_ir.arith)."""


@dataclass(frozen=True, eq=False)
class MappedLayer:
    """A matrix on a chip.

    Attributes
    ----------
    layer : Dense
        The crossbars, with lossless converters and without bias and requantiser.
    unit : float
        Accumulator of the weight 1 times the input 1, on nominal devices.
    levels : integer array of shape ``(slices, devices, rows, cols)``
        What was written.
    array : SampledArray
        What was read from the chip.
    """

    layer: Dense
    unit: float
    levels: NDArray[np.integer]
    array: SampledArray


def weight_levels(states: Ints, bits: int, level_bits: int) -> NDArray[np.int8]:
    """Levels of the positive device of each slice: the digits of the state, the lowest first.

    Parameters
    ----------
    states : array of integers in ``0 .. 2**bits - 1``
        State of each weight.
    bits, level_bits : int
        Bits of a weight and of a device; the second divides the first.

    Returns
    -------
    int8 array of shape ``(bits // level_bits, *states.shape)``, ``0 .. 2**level_bits - 1``

    Examples
    --------
    >>> weight_levels(np.array([0, 1, 2, 3]), 2, 1).tolist()
    [[0, 1, 0, 1], [0, 0, 1, 1]]
    """
    shifts, mask = range(0, bits, level_bits), (1 << level_bits) - 1
    return np.stack([((states >> shift) & mask).astype(np.int8) for shift in shifts])


def map_layer(
    name: str,
    states: Ints,
    *,
    bits: int,
    kind: IntType,
    chip: Chip,
    scheme: str,
    crossbar_size: int,
    dac_bits: int,
    code_steps: str = "network",
    blocks: int | None = None,
) -> MappedLayer:
    """Write a matrix of weights to the arrays :py:`name` of a chip.

    Parameters
    ----------
    name : str
        Name of the arrays: two layers of one network must differ in it.
    states : int64 array of shape ``(outputs, inputs)``, ``0 .. 2**bits - 1``
        State of each weight.
    bits : int
        Bits of a weight.
    kind : IntType
        Type of the inputs.
    chip : Chip
        The die.
    scheme : str
        ``pair``, ``columns`` or ``reference``.
    crossbar_size : int
        Rows, and columns, of a tile.
    dac_bits : int
        Bits of an input chunk; cut to the bits of the input.
    code_steps : str
        ``network`` or ``column``.
    blocks : int or None
        Blocks of a block-diagonal matrix: :py:`states` has the inputs of one block then.
    """
    config = chip.config
    level_bits = config.level_bits
    levels = weight_levels(states.T, bits, level_bits)
    if scheme == "reference":
        devices = levels[:, None]
    else:
        devices = np.stack([levels, config.levels - 1 - levels], axis=1)
    layer, array = write_devices(
        name,
        devices,
        slice_shift=tuple(range(0, bits, level_bits)),
        kind=kind,
        chip=chip,
        scheme=scheme,
        crossbar_size=crossbar_size,
        dac_bits=dac_bits,
        code_steps=code_steps,
        blocks=blocks,
    )
    # A value of 1 is one level between both devices, or half a level from the reference.
    unit = config.level_codes * (0.5 if scheme == "reference" else 1.0)
    return MappedLayer(layer, unit, devices, array)


def write_devices(
    name: str,
    devices: NDArray[np.integer],
    *,
    slice_shift: tuple[int, ...],
    kind: IntType,
    chip: Chip,
    scheme: str,
    crossbar_size: int,
    dac_bits: int,
    code_steps: str = "network",
    blocks: int | None = None,
) -> tuple[Dense, SampledArray]:
    """Write levels to the arrays :py:`name` of a chip; return the crossbars and what was read.

    Blocks of a block-diagonal matrix are packed (:mod:`~spintron_nn.converter.packing`).

    Parameters
    ----------
    devices : integer array of shape ``(slices, devices, rows, cols)``
        Level of every device.
    slice_shift : tuple of int
        Place of each slice, as a power of two.
    name ... blocks
        As for :func:`map_layer`.
    """
    config = chip.config
    levels, driven = (devices, None) if blocks is None else pack(devices, blocks, crossbar_size)
    array = chip.sample(
        name,
        levels,
        tile=crossbar_size,
        reference=scheme == "reference",
        per_column=code_steps == "column",
        driven=driven,
    )
    if blocks is not None:
        array = unpack(array, blocks, devices.shape[-2], devices.shape[-1] // blocks)
    reference: dict[str, Any] = {}
    if array.reference is not None:
        width = devices.shape[-1] // (blocks or 1)
        tile_cols = crossbar_size if blocks is None else min(crossbar_size, width)
        reference = {"reference": array.reference, "tile_cols": tile_cols}
    dac_bits = min(dac_bits, kind.bits)
    layer = Dense(
        codes=array.codes,
        cell_bits=config.cell_bits,
        scheme=scheme,
        input=kind,
        dac_bits=dac_bits,
        slice_shift=slice_shift,
        tile_rows=crossbar_size,
        bias=np.zeros(devices.shape[-1], dtype=np.int64),
        noise=None if chip.ideal else _noise(name, array, chip, scheme, dac_bits),
        blocks=blocks,
        **reference,
    )
    return layer, array


def _noise(name: str, array: SampledArray, chip: Chip, scheme: str, dac_bits: int) -> Noise | None:
    """Noise of a read: that of the amplifiers, and fast telegraph noise of the devices."""
    config = chip.config
    # At full voltage the largest chunk is applied, not the chunk 1.
    full = (1 << dac_bits) - 1
    variance = np.full((1, 1, 1, 1), (config.read_noise * config.range_codes * full) ** 2)
    if array.telegraph is not None:
        # Arrays of rows first, as converters are counted; a pair is subtracted before it.
        found = np.moveaxis(array.telegraph, -2, 0)
        found = found.sum(axis=2, keepdims=True) if scheme == "pair" else found
        variance = variance + found * full**2
    if not variance.any():
        return None
    amplitude = np.round(np.sqrt(variance) * NOISE_UNIT)
    if amplitude.max() >= 1 << 16:
        raise ParameterError(
            f"convert: noise of a read must stay below {(1 << 16) / NOISE_UNIT:.4g} codes, not "
            f"{np.sqrt(variance.max()):.4g}, on {config.cell_bits} cell bits with chunks of "
            f"{dac_bits} bits; give fewer of either"
        )
    return Noise(seed=chip.noise_seed(name), amplitude=amplitude.astype(np.uint16))
