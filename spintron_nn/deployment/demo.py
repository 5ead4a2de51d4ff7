"""The main job: train, put on sampled chips, verify every test frame in RTL, build a bitstream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.mtj_models import MTJConfig
from ..datasets import Dataset
from .flow import build_plan, plan_for, verify_plan

if TYPE_CHECKING:
    from torch import nn

    from ..converter.model import SpintronicModel

__all__ = ["DIGITS", "UNITS", "Job", "run_job"]

UNITS = {
    "accuracy": "share of test images, 0..1",
    "verify.vectors": "frames",
    "verify.mismatches": "values that differ, of outputs and streams between layers",
    "cycles": "clock cycles",
    "fpga.luts": "4-input look-up tables (other boards: their own)",
    "fpga.fmax_mhz": "MHz",
}

ORIGIN = {
    "accuracy.float": "measured: the trained PyTorch model",
    "accuracy.quantised": "measured: the integers on nominal devices with lossless converters",
    "accuracy.chip": "measured: the integers of the first sampled chip",
    "accuracy.chips": "measured: the integers of every sampled chip, by seed",
    "accuracy.rtl": "simulated: the emitted Verilog of the first chip, every test image",
    "verify": "simulated: the emitted Verilog against Network.trace, every stream",
    "cycles": "simulated, equal to the plan",
    "fpga": "synthesized, placed and routed by Yosys and nextpnr",
}

Stage = Callable[[str], AbstractContextManager[None]]
Advance = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Job:
    """What to do: a network, a technology, a board.

    Parameters
    ----------
    name : str
        Name of the network and of the top module.
    hidden : tuple of int
        Widths of the hidden layers, each Linear, BatchNorm1d, ReLU.
    mtj : MTJConfig
        Technology.
    weight_bits, activation_bits, adc_bits, dac_bits : int
        Bits of weights, activations, converters, and input bits a read.
    tile : int
        Rows and columns of a tile.
    chips : tuple of int
        Seeds of the chips; the first is verified and built.
    epochs, tune_epochs : int
        Passes over the data: in floating point, then on sampled chips.
    seed : int
        Seed of the training.
    calibration : int
        Training images that the converter measures ranges with.
    board : str
        Board to build for.
    body : str
        ``auto``, ``unrolled`` or ``folded``.
    interval : int or None
        Most cycles between frames; None: as fast as fits.
    engine : str
        Simulator of the verification.
    """

    name: str
    hidden: tuple[int, ...]
    mtj: MTJConfig
    weight_bits: int = 2
    activation_bits: int = 4
    adc_bits: int | None = 6
    dac_bits: int = 1
    tile: int = 64
    chips: tuple[int, ...] = (1, 2, 3, 4, 5)
    epochs: int = 40
    tune_epochs: int = 60
    seed: int = 0
    calibration: int = 1000
    board: str = "ulx3s-85f"
    body: str = "auto"
    interval: int | None = None
    engine: str = "cxxrtl"


DIGITS = Job(name="digits", hidden=(64,), mtj=MTJConfig(resistance_variation=0.1, levels=4))
"""Handwritten digits of scikit-learn on 64-row tiles, with 10 % resistance variation."""


@contextmanager
def _silent(name: str) -> Iterator[None]:
    yield


@contextmanager
def _one_thread() -> Iterator[None]:
    """Keep torch to one thread: for matrices this small more threads only wait for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def run_job(
    job: Job,
    data: Dataset,
    folder: Path,
    *,
    stage: Stage = _silent,
    progress: Advance | None = None,
) -> dict[str, Any]:
    """Do :py:`job` on :py:`data`; write network, design, bitstream and report to :py:`folder`.

    Parameters
    ----------
    job : Job
        What to do.
    data : Dataset
        Images to train on, and to verify with.
    folder : path
        Where to; made if need be.
    stage : callable
        Given the name of each stage, returns a context in which it runs.
    progress : callable, optional
        Called with the number of frames verified, now and then.

    Returns
    -------
    dict
        The report: accuracies, differences, cycles, FPGA resources, units and origins.

    Raises
    ------
    MappingError
        If the network does not fit the board.
    ToolError
        If a program that the job needs is missing or fails.
    """
    folder.mkdir(parents=True, exist_ok=True)
    accuracy, model = _on_chips(job, data, stage)
    model.network.save(folder / "network.safetensors")
    frames = model.quantise_input(_flat(data.test_x))
    np.save(folder / "test_x.npy", frames.astype(model.network.inputs[0].type.dtype))

    plan = plan_for(model.network, board=job.board, body=job.body, interval=job.interval)
    with stage(f"verify {len(frames):,} frames in RTL ({job.engine})"):
        checked = verify_plan(plan, frames, engine=job.engine, progress=progress)
    with stage(f"build for {job.board}"):
        fpga = build_plan(plan, job.board, folder)
    answers = checked.outputs["class"][:, 0]
    return {
        "name": job.name,
        "network": "network.safetensors",
        "digest": model.network.digest(),
        "accuracy": accuracy | {"rtl": float(np.mean(answers == data.test_y))},
        "verify": {
            "engine": checked.engine,
            "vectors": checked.vectors,
            "values": checked.values,
            "mismatches": checked.mismatches,
        },
        "cycles": {"latency": checked.latency, "interval": checked.interval},
        "fpga": fpga,
        "job": asdict(job),
        "units": UNITS,
        "origin": ORIGIN,
    }


def _on_chips(job: Job, data: Dataset, stage: Stage) -> tuple[dict[str, Any], SpintronicModel]:
    """Train and put on chips; return the accuracies and the model on the first chip."""
    with stage("train in floating point"), _one_thread():
        trained = _train(job, data)
    with stage("fine-tune on sampled chips"), _one_thread():
        tuned = _fine_tune(job, trained, data)
    test = _flat(data.test_x)
    with stage(f"convert on {len(job.chips)} sampled chips"):
        ideal = _convert(job, tuned, data, chip=0, ideal=True).accuracy(test, data.test_y)
        first, *others = (_convert(job, tuned, data, chip=chip) for chip in job.chips)
        chips = [model.accuracy(test, data.test_y) for model in (first, *others)]
    accuracy = {
        "float": _float_accuracy(trained, data),
        "quantised": ideal,
        "chip": chips[0],
        "chips": chips,
        "chip_mean": float(np.mean(chips)),
    }
    return accuracy, first


def _flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1)


def _train(job: Job, data: Dataset) -> nn.Module:
    import torch
    from torch import nn

    from ..training.qat import train

    torch.manual_seed(job.seed)
    layers: list[nn.Module] = []
    width = int(np.prod(data.train_x.shape[1:]))
    for hidden in job.hidden:
        layers += [nn.Linear(width, hidden, bias=False), nn.BatchNorm1d(hidden), nn.ReLU()]
        width = hidden
    model = nn.Sequential(*layers, nn.Linear(width, data.classes))
    return train(model, (_flat(data.train_x), data.train_y), epochs=job.epochs, seed=job.seed)


def _fine_tune(job: Job, model: nn.Module, data: Dataset) -> nn.Module:
    from ..training.qat import fine_tune

    return fine_tune(
        model,
        (_flat(data.train_x), data.train_y),
        config=job.mtj,
        weight_bits=job.weight_bits,
        activation_bits=job.activation_bits,
        epochs=job.tune_epochs,
        seed=job.seed,
    )


def _convert(
    job: Job, model: nn.Module, data: Dataset, *, chip: int, ideal: bool = False
) -> SpintronicModel:
    from ..converter.converter import SpintronConverter

    return SpintronConverter(job.mtj).convert(
        model,
        quantization_bits=job.weight_bits,
        activation_bits=job.activation_bits,
        crossbar_size=job.tile,
        adc_bits=job.adc_bits,
        dac_bits=job.dac_bits,
        calibration=_flat(data.train_x)[: job.calibration],
        chip_seed=chip,
        ideal=ideal,
        name=job.name,
    )


def _float_accuracy(model: nn.Module, data: Dataset) -> float:
    import torch

    with torch.no_grad():
        scores = model.eval()(torch.from_numpy(_flat(data.test_x)))
    return float(np.mean(scores.argmax(dim=1).numpy() == data.test_y))
