"""Accuracies of trained networks on chips that were not trained on, beside what was asked for.

Every accuracy is that of the integers that the hardware computes, on held-out data and on chips of
the seeds 100 and up. Networks are trained in floating point first; that is the one they are
compared with.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.rows import Row
from spintron_ir import SpintronError
from spintron_nn import MTJConfig
from spintron_nn.converter.model import SpintronicModel
from spintron_nn.datasets import Dataset, digits, fashion_mnist
from spintron_nn.models import KeywordSpottingNet_Spintronic
from spintron_nn.models.data import zoo_data
from spintron_nn.simulation.chips import accuracies
from spintron_nn.training import ChipModel, Fit, SpintronicTrainer, VariationAwareTraining
from spintron_nn.training.networks import lenet, mlp

__all__ = ["rows"]

Pair = tuple[Tensor, Tensor]
Reals = NDArray[np.float64]

LOSS = nn.CrossEntropyLoss(label_smoothing=0.05)
"""Of the training in floating point."""

FIRST_CHIP = 100
"""Seed of the first chip that is measured on."""

TEN = 10

SPREAD = {"resistance": {"mean": 1.0, "std": 0.1}}
"""10 % from device to device."""

ROOM = 25.0, 25.0
HOT = 85.0

LENET = 8, 16, 112, 84, 10
"""58,448 weights."""

SMALL_LENET = 2, 4, 16, 16, 10
"""For a quick run."""


@dataclass(frozen=True, eq=False)
class Task:
    """Data, a network that was trained on them in floating point, and how it goes onto chips.

    Attributes
    ----------
    name : str
        Network and data.
    train, test : (inputs, labels)
        Data.
    network : torch.nn.Module
        The trained network.
    config : MTJConfig
        Technology.
    choices : dict
        Choices of the conversion.
    floating : float, 0..1
        Accuracy of the network itself.
    """

    name: str
    train: Pair
    test: Pair
    network: nn.Module
    config: MTJConfig
    choices: dict[str, Any]
    floating: float

    @classmethod
    def trained(
        cls,
        name: str,
        data: Dataset,
        network: nn.Module,
        *,
        config: MTJConfig,
        choices: dict[str, Any],
        sizes: tuple[int | None, int | None],
        **fit: Any,
    ) -> Task:
        """Train a network in floating point on the first so many inputs of each part."""
        some, few = sizes
        train = torch.from_numpy(data.train_x)[:some], torch.from_numpy(data.train_y)[:some]
        test = torch.from_numpy(data.test_x)[:few], torch.from_numpy(data.test_y)[:few]
        Fit(loss=LOSS, **fit).run(network, train)
        with torch.no_grad():
            found = float((network.eval()(test[0]).argmax(dim=1) == test[1]).double().mean())
        return cls(name, train, test, network, config, choices, found)

    def on(self, models: list[SpintronicModel]) -> Reals:
        """Accuracies of models on the held-out data."""
        return accuracies(models, self.test[0].numpy(), self.test[1].numpy())

    def on_chips(self, chips: ChipModel, count: int, **changed: Any) -> Reals:
        """Accuracies on the first chips that are measured on."""
        seeds = range(FIRST_CHIP, FIRST_CHIP + count)
        return self.on([chips.convert(chip_seed=one, wafer=one, **changed) for one in seeds])

    def aware(self, **fit: Any) -> ChipModel:
        """Train a copy of the network on chips of 10 % variation."""
        trainer = VariationAwareTraining(
            copy.deepcopy(self.network), SPREAD, 1, config=self.config, **self.choices
        )
        trainer.train(self.train, robustness_weight=0.0, floating_epochs=0, **fit)
        assert trainer.chips is not None
        return trainer.chips


def _percent(value: float) -> float:
    return 100 * float(value)


def _row(name: str, value: float, least: float, note: str, *, peer: str = "least") -> Row:
    """An accuracy, 0..1, and the least one that was asked for."""
    return Row(
        name=name,
        value=_percent(value),
        unit="%",
        peer=peer,
        peer_value=_percent(least),
        ratio=value / least,
        demanded=1.0,
        note=note,
    )


def _digits(quick: bool) -> Task:
    return Task.trained(
        "MLP 64-64-32-10, digits, 4 levels",
        digits(),
        mlp((64, 64, 32, 10)),
        config=MTJConfig(levels=4),
        choices={"crossbar_size": 64, "adc_bits": 6},
        sizes=(300, 100) if quick else (None, None),
        epochs=2 if quick else 20,
        learning_rate=1e-2,
    )


def _mlp(data: Dataset, quick: bool) -> Task:
    return Task.trained(
        "MLP 784-128-10, Fashion-MNIST",
        data,
        mlp((784, 128, 10), dropout=0.1),
        config=MTJConfig(),
        choices={"adc_bits": 6},
        sizes=(1000, 200) if quick else (None, None),
        epochs=1 if quick else 12,
        batch_size=128,
        learning_rate=5e-3,
    )


def _lenet(data: Dataset, quick: bool) -> Task:
    network = lenet(SMALL_LENET if quick else LENET, dropout=0.1)
    weights = sum(part.numel() for part in network.parameters() if part.ndim > 1)
    return Task.trained(
        f"LeNet of {weights:,} weights, Fashion-MNIST",
        data,
        network,
        config=MTJConfig(),
        # Reading every bit through converters would take ten times as long as training without.
        choices={"adc_bits": None},
        sizes=(512, 64) if quick else (None, None),
        epochs=1 if quick else 8,
        batch_size=128,
        learning_rate=5e-3,
    )


def _digit_rows(task: Task, quick: bool) -> Iterator[Row]:
    """Mean and 5th percentile, beside plain training."""
    count = 3 if quick else 100
    plain = ChipModel(task.network, task.config, task.train[0][:512], **task.choices)
    before = task.on_chips(plain, count)
    chips = task.aware(epochs=1 if quick else 30, lr=1e-2)
    found = task.on_chips(chips, count)
    note = (
        f"floating point {_percent(task.floating):.2f} %; {count} chips: worst "
        f"{_percent(found.min()):.2f} %, deviation {_percent(found.std()):.2f}"
    )
    yield _row(f"{task.name}: mean", found.mean(), 0.965, note)
    low = float(np.percentile(found, 5))
    yield _row(f"{task.name}: 5th percentile of chips", low, 0.94, note)
    yield Row(
        name=f"{task.name}: mean after plain training",
        value=_percent(before.mean()),
        unit="%",
        peer="trained on chips",
        peer_value=_percent(found.mean()),
        note=f"quantised as it is; 5th percentile {_percent(np.percentile(before, 5)):.2f} %, "
        f"worst {_percent(before.min()):.2f} %",
    )


def _within_rows(
    task: Task, chips: ChipModel, points: tuple[float, float | None], count: int, note: str
) -> Iterator[Row]:
    """Mean and worst chip beside the network in floating point."""
    found = task.on_chips(chips, count, adc_bits=6)
    note = f"floating point {_percent(task.floating):.2f} %, {count} chips; {note}"
    for what, value, below in zip(
        ("mean", "worst chip"), (found.mean(), found.min()), points, strict=True
    ):
        name = f"{task.name}: {what}"
        if below is None:
            yield Row(name=name, value=_percent(value), unit="%", peer="", note=note)
        else:
            least, peer = task.floating - below / 100, f"{below:g} points below floating point"
            yield _row(name, float(value), least, note, peer=peer)


def _robust_row(task: Task, quick: bool, smoothing: float, demanded: float | None) -> Row:
    """What training on chips wins back of what training without devices loses.

    Both have the same loss. Smoothed labels alone make a network more robust, so that there is less
    to win back.
    """
    hot = replace(
        task.config,
        resistance_variation=0.2,
        ageing=replace(task.config.ageing, temperature=HOT),
    )
    made = []
    for variation, temperatures in ((0.0, ROOM), (0.2, (HOT, HOT))):
        trainer = SpintronicTrainer(
            copy.deepcopy(task.network), variation, temperatures,
            monte_carlo_samples=4 if variation else 1, config=task.config, **task.choices,
        )  # fmt: skip
        trainer.train(
            task.train,
            epochs=1 if quick else 60,
            lr=1e-2,
            floating_epochs=0,
            loss=nn.CrossEntropyLoss(label_smoothing=smoothing),
        )
        assert trainer.chips is not None
        made.append(trainer.chips)
    plain, aware = made
    ideal = float(task.on([plain.convert(ideal=True)])[0])
    count = 3 if quick else TEN
    before, after = (task.on_chips(one, count, config=hot, adc_bits=6) for one in made)
    lost = ideal - before.mean()
    share = float((after.mean() - before.mean()) / lost) if lost > 0 else 1.0
    return Row(
        name=f"{task.name}: won back of what plain QAT loses at 20 % and 85 C"
        + (f", labels smoothed by {smoothing:g}" if smoothing else ""),
        value=_percent(share),
        unit="%",
        peer="least",
        peer_value=50.0,
        ratio=share / 0.5,
        demanded=demanded,
        note=f"plain QAT: ideal chip {_percent(ideal):.2f} %, {count} chips mean "
        f"{_percent(before.mean()):.2f} %, worst {_percent(before.min()):.2f} %; trained on chips: "
        f"mean {_percent(after.mean()):.2f} %, worst {_percent(after.min()):.2f} %",
    )


def _fashion_rows(quick: bool) -> Iterator[Row]:
    try:
        data = fashion_mnist()
    except SpintronError as error:
        yield Row(name="Fashion-MNIST", value=None, unit="%", peer="", note=str(error))
        return
    count = 3 if quick else TEN
    task = _mlp(data, quick)
    start = time.perf_counter()
    chips = task.aware(epochs=1 if quick else 6, lr=3e-3, batch_size=128)
    note = f"2-bit weights, trained on chips for {time.perf_counter() - start:.0f} s"
    yield from _within_rows(task, chips, (1.5, 3.0), count, note)
    task = _lenet(data, quick)
    yield _row(f"{task.name}: floating point", task.floating, 0.91, "one network, no augmentation")
    start = time.perf_counter()
    chips = task.aware(epochs=1 if quick else 6, lr=3e-3, batch_size=128)
    note = f"2-bit weights, trained on chips for {time.perf_counter() - start:.0f} s"
    yield from _within_rows(task, chips, (2.0, None), count, note)


def _keyword_rows(quick: bool) -> Iterator[Row]:
    """The weights that the package has; speakers that were held out wholly say it again."""
    name, kind = "keyword_spotting", KeywordSpottingNet_Spintronic
    try:
        data = zoo_data(name)
    except SpintronError as error:
        yield Row(name="keyword spotting", value=None, unit="%", peer="", note=str(error))
        return
    net, layers = kind.from_pretrained(name), kind.from_pretrained(name, floating=True).eval()
    test = torch.from_numpy(data.test_x), torch.from_numpy(data.test_y)
    with torch.no_grad():
        found = float((layers(test[0]).argmax(dim=1) == test[1]).double().mean())
    assert net.chips is not None
    title = f"keyword spotting, 10 words, {len(test[0])} new clips of unseen speakers"
    task = Task(title, test, test, layers, net.config, net.choices, found)
    card = net.facts["card"]
    share = 100 / card["inputs"]
    note = (
        f"weights of the package, 2 bits, 64-row tiles; its card has {card['inputs']} other clips: "
        f"floating point {card['float'] * share:.2f} %, ten chips mean "
        f"{np.mean(card['chips']) * share:.2f} %, worst {min(card['chips']) * share:.2f} %"
    )
    yield from _within_rows(task, net.chips, (2.0, None), 3 if quick else TEN, note)


def rows(quick: bool) -> Iterator[Row]:
    """Digits, what variations cost, keywords, then Fashion-MNIST."""
    task = _digits(quick)
    yield from _digit_rows(task, quick)
    yield _robust_row(task, quick, 0.0, 1.0)
    yield _robust_row(task, quick, 0.1, None)
    yield from _keyword_rows(quick)
    yield from _fashion_rows(quick)
