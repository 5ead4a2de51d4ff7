"""Energy of an inference against accuracy, as training and bits trade them.

Two technologies of a binary junction: megohms, where converters take nearly all of the energy, so
that their bits and those of the activations save most; and kilohms, where devices do, so that the
weight of the energy in the loss does.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from benchmarks.rows import Row
from spintron_nn import MTJConfig
from spintron_nn.datasets import Dataset, digits, fashion_mnist
from spintron_nn.training import ChipModel, EnergyOptimizedTraining, Fit
from spintron_nn.training.energy_front import ParetoFront
from spintron_nn.training.networks import mlp

__all__ = ["rows"]

KILOHM = MTJConfig(resistance_low=5e3, resistance_high=11e3)
"""UT-Austin stochastic MTJ parameter set: TMR 120 %."""

BITS = ((5, 4), (4, 4), (4, 3), (3, 3), (3, 2), (2, 2))
"""Bits of converters and of activations; the model that is given has 6 and 4."""

POINTS = 5
"""Points that a front must have."""

LOSS = 0.01
"""Accuracy that may be given away."""

WEIGHTS = (0.0, 0.2, 0.4, 0.6, 0.7, 0.8, 0.9, 0.95)
"""Of the energy in the loss."""

CALIBRATION = 512

PART = 25_600
"""Inputs that each point of a front over bits is trained on."""

Pair = tuple[Tensor, Tensor]


def _tensors(data: Dataset) -> tuple[Pair, Pair]:
    return (
        (torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)),
        (torch.from_numpy(data.test_x), torch.from_numpy(data.test_y)),
    )


def _fashion() -> tuple[tuple[Pair, Pair], str, tuple[int, ...]]:
    return _tensors(fashion_mnist()), "Fashion-MNIST 784-128-10", (784, 128, 10)


def _start(
    config: MTJConfig, train: Pair, widths: tuple[int, ...], epochs: int, adc_bits: int
) -> ChipModel:
    """A network that was trained without regard to energy, first in floating point."""
    module = mlp(widths)
    Fit(epochs=epochs, learning_rate=0.01, batch_size=256).run(module, train)
    model = ChipModel(module, config, train[0][:CALIBRATION], adc_bits=adc_bits)
    trainer = EnergyOptimizedTraining(model, 0.0, 1.0)
    trainer.train(train, epochs=max(1, epochs // 2), lr=5e-3, batch_size=256)
    return model


def _rows(name: str, front: ParetoFront) -> Iterator[Row]:
    points = front.points + front.dominated
    start = next(point for point in points if point.weight == 0 and not point.choices)
    for point in reversed(front.points):
        changed = ", ".join(f"{key} {value}" for key, value in point.choices.items())
        yield Row(
            name=f"{name}: {100 * point.accuracy:.2f} %, worst chip {100 * point.worst:.2f} %",
            value=point.energy_j * 1e12,
            unit="pJ",
            peer="no energy in the loss, bits as given",
            peer_value=start.energy_j * 1e12,
            ratio=start.energy_j / point.energy_j,
            note=f"reads {point.read_j * 1e12:.4g} pJ, weight {point.weight:g}, "
            + (changed or "bits as given"),
        )
    least = min(p.energy_j for p in points if p.accuracy >= start.accuracy - LOSS)
    yield Row(
        name=f"{name}: at most {100 * LOSS:g} point below the {100 * start.accuracy:.2f} % of it",
        value=least * 1e12,
        unit="pJ",
        peer="no energy in the loss, bits as given",
        peer_value=start.energy_j * 1e12,
        ratio=start.energy_j / least,
    )
    yield Row(
        name=f"{name}: points of the front",
        value=float(len(front.points)),
        unit="",
        peer="points asked for",
        peer_value=float(POINTS),
        ratio=len(front.points) / POINTS,
        demanded=1.0,
        note=f"of {len(points)}",
    )


def rows(quick: bool) -> Iterator[Row]:
    """Rows of two fronts: over bits, of Fashion-MNIST unless quick, and over weights, of digits."""
    some, wide = _tensors(digits()), (64, 64, 64, 10)
    data, name, widths = (some, "digits 64-32-10", (64, 32, 10)) if quick else _fashion()
    train, test = data
    part = train[0][:PART], train[1][:PART]
    epochs = 6 if quick else 4
    chips = 3 if quick else 10
    choices = [{"adc_bits": adc, "activation_bits": bits} for adc, bits in BITS]
    megohm = EnergyOptimizedTraining(_start(MTJConfig(), train, widths, epochs, 6))
    front = megohm.front(
        part,
        test,
        weights=(0.0, 0.5),
        choices=[{}, *choices],
        epochs=1,
        lr=5e-3,
        chips=chips,
        batch_size=64 if quick else 256,
    )
    yield from _rows(f"{name}, megohms, 6-bit converters", front)
    kilohm = EnergyOptimizedTraining(_start(KILOHM, some[0], wide, 6 if quick else 16, 4))
    front = kilohm.front(
        *some,
        weights=WEIGHTS,
        choices=[{}],
        epochs=2 if quick else 8,
        lr=0.01,
        chips=chips,
    )
    yield from _rows("digits 64-64-64-10, kilohms, 4-bit converters", front)
