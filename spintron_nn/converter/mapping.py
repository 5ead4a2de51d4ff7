"""Quantised weights on the devices of a chip."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import Dense, IntType, Noise, ParameterError
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

__all__ = ["MappedLayer", "map_layer", "weight_levels"]

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
    stuck, saturated : int
        Devices that did not take their level, and those beyond the largest code.
    """

    layer: Dense
    unit: float
    stuck: int
    saturated: int


def weight_levels(odd: Ints, bits: int, level_bits: int) -> Ints:
    """Levels of the positive device of each slice.

    An odd weight is ``sum((2 * level[s] - n + 1) << (level_bits * s))``, ``n = 2**level_bits``.

    Parameters
    ----------
    odd : array of odd integers in ``-(2**bits - 1) .. 2**bits - 1``
        Weights.
    bits, level_bits : int
        Bits of a weight and of a device; the second divides the first.

    Returns
    -------
    array of shape ``(bits // level_bits, *odd.shape)``, ``0 .. 2**level_bits - 1``

    Examples
    --------
    >>> weight_levels(np.array([-3, -1, 1, 3]), 2, 1).tolist()
    [[0, 1, 0, 1], [0, 0, 1, 1]]
    """
    digits = (odd + (1 << bits) - 1) >> 1
    shifts = range(0, bits, level_bits)
    return np.stack([(digits >> shift) & ((1 << level_bits) - 1) for shift in shifts])


def map_layer(
    name: str,
    odd: Ints,
    *,
    bits: int,
    kind: IntType,
    chip: Chip,
    scheme: str,
    crossbar_size: int,
    dac_bits: int,
) -> MappedLayer:
    """Write a matrix of odd weights to the arrays :py:`name` of a chip.

    Parameters
    ----------
    name : str
        Name of the arrays: two layers of one network must differ in it.
    odd : int64 array of shape ``(outputs, inputs)``
        Weights.
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
    """
    config = chip.config
    level_bits = config.level_bits
    levels = weight_levels(odd.T, bits, level_bits)
    reference: dict[str, Any] = {}
    stuck = saturated = 0
    if scheme == "reference":
        devices = levels[:, None]
        tiles = -(-odd.shape[0] // crossbar_size)
        cells = chip.sample_reference(f"{name}/reference", (len(levels), odd.shape[1], tiles))
        reference = {"reference": cells.codes, "tile_cols": crossbar_size}
        stuck, saturated = cells.stuck, cells.saturated
    else:
        devices = np.stack([levels, config.levels - 1 - levels], axis=1)
    array = chip.sample(name, devices)
    noise = None
    if config.read_noise > 0 and not chip.ideal:
        noise = Noise(
            seed=chip.noise_seed(name), amplitude=_amplitude(config, min(dac_bits, kind.bits))
        )
    layer = Dense(
        codes=array.codes,
        cell_bits=config.cell_bits,
        scheme=scheme,
        input=kind,
        dac_bits=min(dac_bits, kind.bits),
        slice_shift=tuple(range(0, bits, level_bits)),
        tile_rows=crossbar_size,
        bias=np.zeros(odd.shape[0], dtype=np.int64),
        noise=noise,
        **reference,
    )
    # A weight of 1 is one level up on one device and one down on the other.
    unit = config.level_codes * (0.5 if scheme == "reference" else 1.0)
    return MappedLayer(layer, unit, array.stuck + stuck, array.saturated + saturated)


def _amplitude(config: MTJConfig, dac_bits: int) -> NDArray[np.uint16]:
    """Noise of a read; at full voltage the largest chunk is applied, not the chunk 1."""
    codes = config.range_codes * ((1 << dac_bits) - 1)
    amplitude = round(config.read_noise * codes * NOISE_UNIT)
    if amplitude >= 1 << 16:
        raise ParameterError(
            f"convert: read_noise must stay below {(1 << 16) / NOISE_UNIT / codes:.4g} on "
            f"{config.cell_bits} cell bits with chunks of {dac_bits} bits, not "
            f"{config.read_noise:g}; give fewer of either"
        )
    return np.full((1, 1, 1, 1), amplitude, dtype=np.uint16)
