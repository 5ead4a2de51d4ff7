"""Energy of reads in training: the value of EnergyModel, with a gradient."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spintron_ir import Dense, IntType, arith
from spintron_nn.core.energy import EnergyModel
from spintron_nn.core.mtj_models import MTJConfig

__all__ = ["conversion_energy", "read_energy"]

Reals = NDArray[np.float64]


def _envelope(values: Reals) -> Reals:
    """Slopes of the least concave function that is nowhere below the values, at each of them.

    Where the slope changes it is the mean of both sides; at an end it is that of the only side.
    """
    top = [0]
    for place in range(1, len(values)):
        while len(top) > 1:
            (a, b) = top[-2:]
            if (values[b] - values[a]) * (place - a) > (values[place] - values[a]) * (b - a):
                break
            top.pop()
        top.append(place)
    held = np.interp(np.arange(len(values)), top, values[top])
    return np.gradient(held) if len(values) > 1 else np.zeros(1)


@cache
def _tables(kind: IntType, dac_bits: int) -> tuple[Reals, Reals]:
    """Square of the voltages that each code applies, over a full read, and its slope."""
    codes = np.arange(kind.low, kind.high + 1)
    chunks = arith.chunks(codes, bits=kind.bits, signed=kind.signed, dac_bits=dac_bits)
    squares = (chunks.astype(np.float64) ** 2).sum(axis=0) / ((1 << dac_bits) - 1) ** 2
    if len(chunks) == 1:
        return squares, 2.0 * codes / ((1 << dac_bits) - 1) ** 2
    zero = -kind.low
    below, above = _envelope(squares[: zero + 1]), _envelope(squares[zero:])
    # At a minimum, which zero is with codes on both sides, nothing pulls.
    return squares, np.concatenate([below[:-1], [0.0] if zero else above[:1], above[1:]])


@cache
def _state_codes(config: MTJConfig, scheme: str, slices: int) -> tuple[Reals, Reals]:
    """Conductance codes of all devices of a weight in each of its states, and the slope."""
    codes = np.array(config.nominal_codes, dtype=np.float64)
    states = np.arange(config.levels**slices)
    held = np.zeros(len(states))
    for index in range(slices):
        digit = states // config.levels**index % config.levels
        held += codes[digit]
        if scheme != "reference":
            held += codes[config.levels - 1 - digit]
    return held, np.gradient(held)


def _looked_up(table: Reals, slope: Reals, at: Tensor, low: int) -> Tensor:
    """Values of a table at whole numbers, with a gradient that is a slope."""
    place = at.detach().long() - low
    found = torch.as_tensor(table, dtype=torch.float32, device=at.device)[place]
    if not at.requires_grad:
        return found
    pull = torch.as_tensor(slope, dtype=torch.float32, device=at.device)[place]
    return found + pull * (at - at.detach())


def read_energy(energy: EnergyModel, layer: Dense, codes: Tensor, states: Tensor) -> Tensor:
    """Energy of the devices and word lines of a matrix, of one inference, joule.

    The value is that of :meth:`EnergyModel.of_layer` on nominal devices. Its gradient in the
    states is that of the conductances, by central differences over neighbouring states; none where
    both devices of a pair have even levels, whose sum does not depend on the weight. Bits that are
    set in a code rise and fall with it, so the gradient in the codes is straight-through: the slope
    of the least concave function above the energies of all codes, on each side of zero. With
    one bit a chunk that function joins 1, 3, 7, 15, so that small codes are pulled most, and to
    zero. An input that is applied in one chunk has the gradient of its square.

    Parameters
    ----------
    energy : EnergyModel
        What a read costs.
    layer : Dense
        Sizes, scheme and input of the matrix; its codes do not count.
    codes : Tensor of shape ``(vectors, layer.inputs)``
        Inputs, whole numbers of the type of the input. Vectors are those of all frames.
    states : Tensor of shape ``(layer.cols, layer.rows)``
        States of the weights, whole numbers.
    """
    blocks, config = layer.blocks or 1, energy.config
    squares = _looked_up(*_tables(layer.input, layer.dac_bits), codes, layer.input.low)
    drive = squares.reshape(-1, layer.inputs).sum(dim=0).double()
    table = _state_codes(config, layer.scheme, layer.slices)
    held = _looked_up(*table, states, 0).double()
    cells = held.reshape(blocks, layer.block_cols, layer.rows).sum(dim=1).reshape(-1)
    segments = layer.slices * layer.codes.shape[1] * layer.block_cols
    if layer.reference is not None:
        count = layer.slices * layer.reference.shape[2] // blocks
        cells, segments = cells + count * _reference_codes(config), segments + count
    one_code = float(energy.device_read_j(config.conductance_step))
    share = (layer.positions or 1) / (codes.numel() // layer.inputs)
    return (drive @ cells * one_code + drive.sum() * (segments * energy.line_j)) * share


def _reference_codes(config: MTJConfig) -> float:
    """Codes of a nominal reference cell, two devices at half the voltage: half of their mean."""
    mean = (config.conductance_ap + config.conductance_p) / 2
    return float(np.floor(mean / config.conductance_step + 0.5 + 1e-9)) / 2


def conversion_energy(energy: EnergyModel, layer: Dense) -> float:
    """Energy of the converters of a matrix, of one inference, joule: nothing in it is trained."""
    bits = layer.ranges.level.type.bits if layer.adc is None else layer.adc.bits
    count = layer.groups * layer.slices * layer.converters * layer.cols * layer.chunks
    return (layer.positions or 1) * count * energy.conversion_j(bits)
