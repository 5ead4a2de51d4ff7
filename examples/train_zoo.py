"""Train a network of the zoo, in floating point and then on sampled chips, and write its weights.

    python examples/train_zoo.py NAME [--out FILE] [--work DIR] [--quick]

With --work an interrupted training goes on from there, and ends the same. The figures of the model
card are measured on what was written and read back. --quick only shows that it runs.
"""

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import click
import torch
from torch import Tensor, nn

from spintron_nn.datasets import Dataset, SpokenWords
from spintron_nn.datasets.corpora import KEYWORDS, OTHER_PHRASES, WAKE_WORD
from spintron_nn.models import (
    KeywordSpottingNet_Spintronic,
    MicroNet_Spintronic,
    MobileNetV2_Spintronic,
    SpintronicNet,
    TinyConvNet_Spintronic,
    VisionSpintronNet,
    WakeWordDetector_Spintronic,
)
from spintron_nn.models.data import zoo_data
from spintron_nn.models.figures import counts, float_hits, hits
from spintron_nn.models.files import floating_weights
from spintron_nn.models.speech_data import augmented, keyword_data, wake_word_data
from spintron_nn.training import Fit, Progress, accuracy, warm_up
from spintron_nn.training.chip_model import ChipModel
from spintron_nn.training.robust import loss_over_chips, metric_over_chips

FASHION = (
    "Fashion-MNIST (Xiao et al., arXiv:1708.07747), 60,000 pictures to train and 10,000 held out"
)

JUDGED = 1000
"""Held-out inputs, the first ones, that chips are judged by: a test does it again."""

SPOKEN = (
    "spoken by espeak-ng 1.51 in 7 accents of 55 timbres, in noise 5 to 30 dB below the speech; "
    "10 timbres, 70 speakers, are held out wholly"
)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Parameters
    ----------
    build : callable
        Makes the network; torch's generator is seeded before.
    purpose, data : str
        What it is for and learns from, for the model card.
    float_epochs : int
        Passes over the data in floating point.
    chip_epochs, chip_inputs : int
        Passes on chips over so many of the data, the first ones.
    float_rate, chip_rate : float
        Largest learning rates of both.
    batch_size : int
        Inputs a step.
    samples : int
        Chips a step.
    smoothing : float
        Label smoothing.
    speak : callable or None
        Makes the data in a folder, where they are not those of ``zoo_data``: a card then has the
        figures of both, and chips are judged by all of them.
    corpora : tuple of SpokenWords
        What is spoken there, for the model card.
    converters : bool
        Whether the reads of training go by way of converters, too.
    augment : callable
        What is done to the inputs of every step, ``augment(x, random)``.
    """

    build: Callable[[], SpintronicNet]
    purpose: str
    data: str
    float_epochs: int
    chip_epochs: int
    chip_inputs: int = 20_000
    float_rate: float = 4e-3
    chip_rate: float = 2e-3
    batch_size: int = 128
    samples: int = 1
    smoothing: float = 0.0
    speak: Callable[[Path], Dataset] | None = None
    corpora: tuple[SpokenWords, ...] = ()
    converters: bool = False
    augment: Callable[[Tensor, torch.Generator], Tensor] = lambda x, _: x


RECIPES = {
    "hey_assistant": Recipe(
        WakeWordDetector_Spintronic,
        'The wake word "hey assistant" in 1.4 s of sound: class 1.',
        f'"hey assistant" and 22 other phrases {SPOKEN}; and noise',
        float_epochs=5,
        chip_epochs=5,
        chip_inputs=100_000,
        chip_rate=3e-3,
        smoothing=0.05,
        speak=wake_word_data,
        corpora=(WAKE_WORD, OTHER_PHRASES),
        converters=True,
        augment=augmented,
    ),
    "keyword_spotting": Recipe(
        KeywordSpottingNet_Spintronic,
        "Ten words in one second of sound: yes, no, up, down, left, right, on, off, stop, go.",
        f"ten words {SPOKEN}",
        float_epochs=15,
        chip_epochs=10,
        float_rate=6e-3,
        chip_inputs=100_000,
        chip_rate=3e-3,
        smoothing=0.05,
        speak=keyword_data,
        corpora=(KEYWORDS,),
        converters=True,
        augment=augmented,
    ),
    "micronet_digits": Recipe(
        MicroNet_Spintronic,
        "Handwritten digits of 8x8 pixels.",
        "handwritten digits of scikit-learn (UCI Optical Recognition of Handwritten Digits), "
        "1,257 to train and 540 held out",
        float_epochs=60,
        chip_epochs=60,
        batch_size=32,
    ),
    "tinyconvnet_fashion": Recipe(
        TinyConvNet_Spintronic,
        "Pictures of clothes with a black edge of two pixels.",
        FASHION,
        float_epochs=10,
        chip_epochs=10,
        chip_inputs=60_000,
    ),
    "vision_fashion": Recipe(
        VisionSpintronNet,
        "Pictures of clothes.",
        FASHION,
        float_epochs=10,
        chip_epochs=8,
        chip_inputs=60_000,
    ),
    "mobilenetv2_fashion": Recipe(
        partial(
            MobileNetV2_Spintronic,
            input_size=(28, 28),
            channels=1,
            stages=((1, 16, 1, 1), (4, 24, 2, 2), (4, 32, 2, 2)),
            head=128,
        ),
        "Pictures of clothes, by a short MobileNetV2.",
        FASHION,
        float_epochs=8,
        chip_epochs=8,
        chip_inputs=60_000,
    ),
}


def train(recipe: Recipe, data: Dataset, work: Path | None, out: Path) -> SpintronicNet:
    """Train in floating point, then on chips; write the weights without a card."""
    torch.manual_seed(0)
    net = recipe.build()
    inputs = torch.from_numpy(data.train_x), torch.from_numpy(data.train_y)
    loss = nn.CrossEntropyLoss(label_smoothing=recipe.smoothing)

    def fit(phase: str, epochs: int, rate: float, **more: Any) -> Fit:
        def tell(state: Progress) -> None:
            accuracies = f"{100 * state.accuracy:.2f} %"
            print(
                f"{phase} {state.epoch}/{epochs}: loss {state.loss:.4f}, {accuracies}", flush=True
            )

        return Fit(
            epochs=epochs,
            learning_rate=rate,
            batch_size=recipe.batch_size,
            optimiser=partial(torch.optim.AdamW, weight_decay=1e-4),
            schedule=warm_up(0.1, "cosine"),
            checkpoint=None if work is None else work / f"{phase}.safetensors",
            progress=tell,
            **more,
        )

    net.network.train()
    fit("float", recipe.float_epochs, recipe.float_rate, loss=loss).run(
        net.network, inputs, forward=lambda x, random: net.network(recipe.augment(x, random))
    )
    net.network.eval()
    floating = floating_weights(net)
    chips = net.prepare(inputs[0])
    trained = chips
    if not recipe.converters:
        # Reads by way of converters take longer and at 8 bits change little: they come last.
        lossless = net.choices | {"adc_bits": None}
        trained = ChipModel(net.network, net.config, net.frames, **lossless)
    on_chips = fit(
        "chips",
        recipe.chip_epochs,
        recipe.chip_rate,
        loss=loss_over_chips(loss),
        metrics={"accuracy": metric_over_chips(accuracy)},
    )
    some = inputs[0][: recipe.chip_inputs], inputs[1][: recipe.chip_inputs]
    on_chips.run(
        trained,
        some,
        forward=lambda x, random: trained.on_chips(
            recipe.augment(x, random), recipe.samples, random
        ),
    )
    if trained is not chips:
        learned = {key: part for key, part in trained.state_dict().items() if key != "sizes.ranges"}
        chips.load_state_dict(chips.state_dict() | learned)
    chips.calibrate()
    net.save(out, floating=floating)
    return net


def write_card(name: str, recipe: Recipe, data: Dataset, out: Path) -> Mapping[str, Any]:
    """Measure what is in the file and write it again with a card."""
    net = SpintronicNet.from_pretrained(out)
    floating = SpintronicNet.from_pretrained(out, floating=True)
    reads = "in every step" if recipe.converters else "calibrated at the end"
    judged = JUDGED if recipe.speak is None else len(data.test_y)
    x, y = data.test_x[:judged], data.test_y[:judged]
    facts = counts(hits(net, floating, x, y)) | {
        "held_out": len(data.test_y),
        "float_held_out": int(float_hits(floating, data.test_x, data.test_y).sum()),
        "purpose": recipe.purpose,
        "data": recipe.data,
        "weights": sum(part.numel() for part in net.network.parameters() if part.ndim > 1),
        "training": f"{recipe.float_epochs} epochs in floating point; {recipe.chip_epochs} with "
        f"{min(recipe.chip_inputs, len(data.train_y)):,} of the inputs, {recipe.samples} fresh "
        f"chip{'s' * (recipe.samples > 1)} a step with every effect of the technology, and "
        f"converters {reads}.",
        "command": f"python examples/train_zoo.py {name}",
        **net.choices,
    }
    if recipe.speak is not None:
        again = zoo_data(name)
        facts["corpora"] = [asdict(corpus) for corpus in recipe.corpora]
        facts["again"] = counts(hits(net, floating, again.test_x, again.test_y))
    net.save(out, floating=floating_weights(floating), card=facts)
    return facts


@click.command()
@click.argument("name", type=click.Choice(sorted(RECIPES)))
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="File of weights.")
@click.option("--work", type=click.Path(file_okay=False, path_type=Path), help="Checkpoints.")
@click.option("--quick", is_flag=True, help="Few inputs and one epoch each.")
def command(name: str, out: Path | None, work: Path | None, quick: bool) -> None:
    """Train a network of the zoo and write its weights."""
    recipe = RECIPES[name]
    if recipe.speak is None or quick:
        data = zoo_data(name)
    else:
        with tempfile.TemporaryDirectory() as folder:
            data = recipe.speak(work or Path(folder))
    if quick:
        recipe = replace(recipe, float_epochs=1, chip_epochs=1)
        data = replace(
            data,
            train_x=data.train_x[:256],
            train_y=data.train_y[:256],
            test_x=data.test_x[:64],
            test_y=data.test_y[:64],
        )
    if work is not None:
        work.mkdir(parents=True, exist_ok=True)
    out = Path(f"{name}.safetensors") if out is None else out
    train(recipe, data, work, out)
    for key, value in write_card(name, recipe, data, out).items():
        print(f"{key}: {value}")


if __name__ == "__main__":
    command()
