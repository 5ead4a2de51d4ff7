"""Train for the chip: for variation and temperature, for stated variations, for energy.

    python examples/train_for_the_chip.py [--out DIR] [--quick] [--json]

Handwritten digits, which come with scikit-learn, stand in for your own data; the vision network
sees them enlarged to 16 x 16. Each part ends on sampled chips, in the integers of the hardware.
--quick takes a few of the pictures and smaller networks: it shows that everything runs.
"""

import json
from pathlib import Path
from statistics import fmean
from typing import Any

import click
import torch
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

from spintron_ir.files import write_atomic
from spintron_nn import MTJConfig
from spintron_nn.cli import main
from spintron_nn.cli.console import Console
from spintron_nn.datasets import digits
from spintron_nn.models import MobileNetV2_Spintronic
from spintron_nn.training import (
    ChipModel,
    EnergyOptimizedTraining,
    Fit,
    SpintronicTrainer,
    VariationAwareTraining,
    progress_bar,
)
from spintron_nn.training.networks import mlp

CHIPS = (1, 2, 3, 4, 5)
SHORT = {"stages": ((1, 16, 1, 1), (4, 24, 1, 2), (4, 32, 1, 2)), "head": 128}
"""Few stages: enough for digits."""

SHORTEST = {"stages": ((1, 16, 1, 1), (4, 16, 1, 2)), "head": 32}
"""For --quick."""

UNITS = {
    "accuracy": "share of held-out pictures, 0..1",
    "energy_j": "joule an inference, of reads and conversions",
    "power.total_j": "joule a frame, of reads and conversions",
}
ORIGIN = {
    "accuracy.float": "measured: the network in floating point",
    "accuracy.quantised": "measured: the integers on nominal devices",
    "accuracy.chips": "measured: the integers of sampled chips, by seed",
    "energy_j": "modelled: spintron_nn.core.energy, on held-out pictures",
    "power": "modelled: spintron_nn.core.energy, on pictures of the calibration",
}


def loaders(quick: bool, *, image: int | None = None) -> tuple[DataLoader, DataLoader]:
    """Digits as (batch, 64), or as pictures of three channels and so many pixels a side."""
    data = digits()
    found = []
    for x, y in ((data.train_x, data.train_y), (data.test_x, data.test_y)):
        inputs, labels = torch.as_tensor(x).float(), torch.as_tensor(y).long()
        if quick:
            inputs, labels = inputs[:256], labels[:256]
        if image is not None:
            small = inputs.reshape(-1, 1, 8, 8)
            inputs = functional.interpolate(small, size=(image, image)).repeat(1, 3, 1, 1)
        found.append(DataLoader(TensorDataset(inputs, labels), batch_size=64))
    return found[0], found[1]


def on_chips(chips: ChipModel, val_loader: DataLoader) -> dict[str, Any]:
    """Accuracy on nominal devices and on sampled chips."""
    x, y = val_loader.dataset.tensors
    ideal = chips.convert(ideal=True).accuracy(x, y)
    found = [chips.convert(chip_seed=seed, wafer=seed).accuracy(x, y) for seed in CHIPS]
    mean, worst = fmean(found), min(found)
    return {"quantised": ideal, "chips": found, "chip_mean": mean, "chip_worst": worst}


def vision(out: Path, quick: bool) -> dict[str, Any]:
    """Train a vision network for 10 % variation and 0 to 85 Celsius; write its hardware."""
    train_loader, val_loader = loaders(quick, image=8 if quick else 16)

    model = MobileNetV2_Spintronic(
        num_classes=10,
        input_size=(8, 8) if quick else (16, 16),
        mtj_precision=3,  # 3-bit weights
        **(SHORTEST if quick else SHORT),
    )
    trainer = SpintronicTrainer(
        model,
        device_variations=0.1,  # 10% MTJ variation
        temperature_range=(0, 85),  # operating temperature in Celsius
        monte_carlo_samples=1,
    )
    with progress_bar("vision") as show:
        trainer.train(
            train_loader,
            val_loader,
            epochs=1 if quick else 8,
            lr=0.003,
            floating_epochs=1 if quick else 15,
            progress=show,
        )
    hardware_package = model.export_to_hardware(
        out / "vision", include_testbench=True, power_analysis=True
    )
    return {
        "accuracy": on_chips(trainer.chips, val_loader),
        "files": sorted(path.name for path in hardware_package.files),
        "power": {"total_j": hardware_package.power.total_j},
    }


def classifier(train_loader: DataLoader, val_loader: DataLoader, quick: bool) -> tuple[Any, float]:
    """Train 64-32-10 in floating point; return it with its accuracy."""
    model = mlp((64, 32, 10), seed=0)
    fit = Fit(epochs=2 if quick else 20, learning_rate=0.01)
    x, y = val_loader.dataset.tensors
    fit.run(model, train_loader.dataset.tensors)
    with torch.no_grad():
        return model, float((model(x).argmax(1) == y).double().mean())


def variation(quick: bool) -> dict[str, Any]:
    """Train for stated variations of resistance, switching voltage and retention."""
    train_loader, val_loader = loaders(quick)
    model, floating = classifier(train_loader, val_loader, quick)

    variation_model = {
        "resistance": {"mean": 1.0, "std": 0.1},
        "switching_voltage": {"mean": 0.3, "std": 0.05},
        "retention_time": {"mean": 10, "std": 2},  # years
    }
    var_trainer = VariationAwareTraining(
        model, variation_model, monte_carlo_samples=4 if quick else 100, adc_bits=6
    )
    with progress_bar("variation") as show:
        var_trainer.train(
            train_loader,
            epochs=1 if quick else 10,
            robustness_weight=0.1,
            floating_epochs=0,
            progress=show,
        )
    return {"accuracy": {"float": floating} | on_chips(var_trainer.chips, val_loader)}


def energy(quick: bool) -> dict[str, Any]:
    """Train with a loss of one's own, then trace energy against accuracy."""
    train_loader, val_loader = loaders(quick)
    mtj_config = MTJConfig(levels=4)
    energy_weight = 0.3
    network, floating = classifier(train_loader, val_loader, quick)
    model = ChipModel(network, mtj_config, train_loader.dataset.tensors[0], adc_bits=6)
    energy_trainer = EnergyOptimizedTraining(model, energy_weight=0.3, accuracy_weight=0.7)

    def energy_loss(model: ChipModel, input: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        output = model(input)
        accuracy_loss = functional.cross_entropy(output, target)

        # Energy of writing what has changed, in nanojoule so that it weighs like the loss.
        weight_changes = model.get_weight_updates()
        switching_energy = mtj_config.estimate_switching_energy(weight_changes) * 1e9

        return accuracy_loss + energy_weight * switching_energy

    energy_trainer.set_custom_loss(energy_loss)
    with progress_bar("cheap writes") as show:
        energy_trainer.train(train_loader, val_loader, epochs=1 if quick else 5, progress=show)
    written = on_chips(model, val_loader)

    front = EnergyOptimizedTraining(model).front(
        train_loader, val_loader, epochs=1 if quick else 5, chips=2 if quick else 5
    )
    return {"accuracy": {"float": floating} | written, "front": front.as_dict()}


@click.command()
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/train_for_the_chip"),
    show_default=True,
    help="Where everything goes.",
)
@click.option("--quick", is_flag=True, help="Small sizes: whether it runs.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def command(out: Path, quick: bool, as_json: bool) -> None:
    """Train for variation and temperature, for stated variations, and for energy."""
    out.mkdir(parents=True, exist_ok=True)
    console = Console(as_json)
    report: dict[str, Any] = {"name": "train_for_the_chip", "quick": quick}
    with console.stage("vision"):
        report["vision"] = vision(out, quick)
    with console.stage("variation"):
        report["variation"] = variation(quick)
    with console.stage("energy"):
        report["energy"] = energy(quick)
    report |= {"units": UNITS, "origin": ORIGIN}
    write_atomic(out / "report.json", json.dumps(report, indent=2) + "\n")
    console.result(report)
    names = ("quantised", "chip_mean", "chip_worst")
    rows = [
        (part, *(100 * report[part]["accuracy"][name] for name in names))
        for part in ("vision", "variation", "energy")
    ]
    console.table("Accuracy, %", ("part", "nominal devices", "chips", "worst chip"), rows)
    points = report["energy"]["front"]["points"]
    rows = [(1e12 * point["energy_j"], 100 * point["accuracy"]) for point in points]
    console.table("Energy against accuracy", ("pJ an inference", "%"), rows)


if __name__ == "__main__":
    main(command=command, name="train_for_the_chip.py")
