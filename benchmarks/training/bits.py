"""Bits searched for each layer beside two bits for all, on as many devices at most.

A LeNet-like network on Fashion-MNIST: quantised after training, and trained on chips with these
bits. What is searched on the ideal chip is measured there, what is searched on two sampled chips on
ten others: there, where devices vary, fewer of them do as well, and nothing more is demanded.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from benchmarks.rows import Row
from spintron_ir import SpintronError
from spintron_nn import MTJConfig, SpintronConverter
from spintron_nn.datasets import fashion_mnist
from spintron_nn.training import MixedPrecision, post_training, search_bits
from spintron_nn.training.networks import lenet

from .figures import FIRST_CHIP, LENET, SMALL_LENET, TEN, Reals, Task

__all__ = ["rows"]

FRAMES = 512
"""Inputs that the search looks at."""

SEARCHED = 0, 1
"""Chips that it looks at."""

ADC_BITS = 6


def _quantised(task: Task, bits: dict[str, int], count: int) -> Reals:
    """Accuracies after training in floating point: on chips, or on the ideal one for a count of 0.

    All chips have the same quantisers.
    """
    data = task.train[0][:FRAMES]
    given = post_training(task.network, task.config, data, layer_bits=bits)
    places = [
        {"chip_seed": seed, "wafer": seed, "adc_bits": ADC_BITS}
        for seed in range(FIRST_CHIP, FIRST_CHIP + count)
    ]
    converter = SpintronConverter(task.config)
    return task.on(
        [
            converter.convert(
                task.network, calibration=data, layer_bits=bits, trained=given, **place
            )
            for place in places or [{"ideal": True}]
        ]
    )


def _trained(task: Task, bits: dict[str, int], count: int, epochs: int) -> Reals:
    """Accuracies after training on chips."""
    choices = task.choices | {"layer_bits": bits}
    chips = replace(task, choices=choices).aware(epochs=epochs, lr=1e-3, batch_size=128)
    if not count:
        return task.on([chips.convert(ideal=True)])
    return task.on_chips(chips, count, adc_bits=ADC_BITS)


def _row(
    name: str,
    found: MixedPrecision,
    mixed: Reals,
    uniform: Reals,
    budget: int,
    demanded: float | None = None,
) -> Row:
    """Accuracies of both; what one makes of errors less is the ratio."""
    chosen = ", ".join(f"{layer} {bits}" for layer, bits in found.bits.items())
    return Row(
        name=name,
        value=100 * float(mixed.mean()),
        unit="%",
        peer="2 bits for all",
        peer_value=100 * float(uniform.mean()),
        ratio=float((1 - uniform.mean()) / (1 - mixed.mean())),
        demanded=demanded,
        note=f"{chosen}; {found.cost} of {budget} devices; worst chip "
        f"{100 * mixed.min():.2f} %, of 2 bits {100 * uniform.min():.2f} %",
    )


def rows(quick: bool) -> Iterator[Row]:
    """On the ideal chip, then on sampled ones."""
    try:
        data = fashion_mnist()
    except SpintronError as error:
        yield Row(name="Fashion-MNIST", value=None, unit="%", peer="", note=str(error))
        return
    task = Task.trained(
        "LeNet, Fashion-MNIST",
        data,
        lenet(SMALL_LENET if quick else LENET, dropout=0.1),
        config=MTJConfig(),
        choices={"adc_bits": None},
        sizes=(512, 64) if quick else (None, None),
        epochs=1 if quick else 6,
        batch_size=128,
        learning_rate=5e-3,
    )
    some = slice(64 if quick else FRAMES)
    inputs, labels = task.train[0][some], task.train[1][some]
    budget = (
        SpintronConverter(task.config)
        .convert(task.network, calibration=inputs, ideal=True)
        .report.devices
    )
    many = 3 if quick else TEN
    for what, chips, count in (("ideal chip", None, 0), (f"{many} chips", SEARCHED, many)):
        found = search_bits(
            task.network, task.config, inputs, labels, budget=budget, chips=chips,
            choices=(1, 2, 4) if quick else range(1, 7), adc_bits=ADC_BITS,
        )  # fmt: skip
        least = None if count else 1.0
        both = [_quantised(task, bits, count) for bits in (found.bits, {})]
        yield _row(f"{task.name}, quantised, {what}", found, *both, budget, least)
        epochs = 1 if quick else 2
        both = [_trained(task, bits, count, epochs) for bits in (found.bits, {})]
        yield _row(f"{task.name}, trained, {what}", found, *both, budget, least)
