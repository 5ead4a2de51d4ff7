"""The main job: train, put on sampled chips, verify every test frame in RTL, build a bitstream."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any

import numpy as np

from ..core.technology import technology
from ..datasets import Dataset
from .flow import Advance, StepProgress, board_named, build_plan, fpga_facts, plan_for, verify_plan

if TYPE_CHECKING:
    from ..converter.model import SpintronicModel
    from ..training.recipes import Recipe

__all__ = ["ORIGIN", "UNITS", "Job", "digits_job", "run_job"]

UNITS = {
    "accuracy": "share of test images, 0..1",
    "effects": "shares of test images, 0..1; cost is what is lost against nominal devices",
    "verify.vectors": "frames",
    "verify.mismatches": "values that differ, of outputs and streams between layers",
    "cycles": "clock cycles",
    "fpga.luts": "4-input look-up tables (other boards: their own)",
    "fpga.fmax_mhz": "MHz",
    "fpga.clock_mhz": "MHz",
}

ORIGIN = {
    "accuracy.float": "measured: the trained PyTorch model",
    "accuracy.quantised": "measured: the integers on nominal devices with lossless converters",
    "accuracy.chip": "measured: the integers of the first sampled chip",
    "accuracy.chips": "measured: the integers of every sampled chip, by seed",
    "effects": "measured: the integers of chips with one non-ideality of the technology each",
    "design_rule": "computed: nodal solution of the worst column of a tile",
    "accuracy.rtl": "simulated: the emitted Verilog of the first chip, every verified image",
    "verify": "simulated: the emitted Verilog against Network.trace, every stream",
    "cycles": "simulated, equal to the plan",
    "fpga": "synthesized, placed and routed by Yosys and nextpnr",
}

DEMO_CARD = "sot-dw-high-ra"
"""Technology of the demo and of the examples: domain walls of four levels, megohms."""

Stage = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Job:
    """A training recipe, a technology, chips of it, and a board.

    Parameters
    ----------
    recipe : Recipe
        Network, training and conversion.
    technology : str
        Technology card: a name of :func:`spintron_nn.core.technology.technologies`, or a path.
    chips : tuple of int
        Seeds of the chips; the first is verified and built.
    seed : int
        Seed of the training.
    board : str
        Board to build for.
    body : str
        ``auto``, ``unrolled`` or ``folded``.
    interval : int or None
        Most cycles between frames; None: as fast as fits.
    engine : str
        Simulator of the verification.
    frames : int or None
        Test images that are verified, from the first on; None: all.
    effects : bool
        Whether the cost of each non-ideality of the technology is measured.
    build : bool
        Whether a bitstream is built.
    """

    recipe: Recipe
    technology: str
    chips: tuple[int, ...] = (1, 2, 3, 4, 5)
    seed: int = 0
    board: str = "ulx3s-85f"
    body: str = "auto"
    interval: int | None = None
    engine: str = "cxxrtl"
    frames: int | None = None
    effects: bool = True
    build: bool = True


def digits_job(**changed: Any) -> Job:
    """Handwritten digits on 64-row tiles: 2-bit weights on pairs with 10 % resistance variation.

    Each weight stands on one pair of four-level devices. A frame may take 500 cycles, far less
    than its way through the host link. Keyword arguments change a :class:`Job`.
    """
    from ..training.recipes import DIGITS

    settings: dict[str, Any] = {"recipe": DIGITS, "technology": DEMO_CARD, "interval": 500}
    return Job(**settings | changed)


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
    steps: StepProgress | None = None,
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
    steps : callable, optional
        Called with the step of the build and a line of what its program says.

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
    accuracy, effects, model = _on_chips(job, data, stage)
    model.network.save(folder / "network.safetensors")
    frames = model.quantise_input(data.test_x[: job.frames])
    np.save(folder / "test_x.npy", frames.astype(model.network.inputs[0].type.dtype))

    plan = plan_for(model.network, board=job.board, body=job.body, interval=job.interval)
    with stage(f"verify {len(frames):,} frames in RTL ({job.engine})"):
        checked = verify_plan(plan, frames, engine=job.engine, progress=progress)
    fpga: dict[str, Any] | None = None
    if job.build:
        to = folder / board_named(job.board).name
        with stage(f"build for {to.name}"):
            fpga = fpga_facts(build_plan(plan, job.board, to, progress=steps), to)
    answers = checked.outputs["class"][:, 0]
    return {
        "name": model.network.name,
        "network": "network.safetensors",
        "digest": model.network.digest(),
        "technology": job.technology,
        "accuracy": accuracy | {"rtl": float(np.mean(answers == data.test_y[: job.frames]))},
        "effects": effects,
        "design_rule": model.report.rule_facts(),
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


def _on_chips(
    job: Job, data: Dataset, stage: Stage
) -> tuple[dict[str, Any], list[dict[str, Any]], SpintronicModel]:
    """Train and put on chips; return accuracies, costs of effects and the first chip's model."""
    from ..training.ablation import EffectCost, cost_of_effects
    from ..training.recipes import float_accuracy

    mtj = technology(job.technology).mtj_config()
    with stage("train, in floating point and then on sampled chips"), _one_thread():
        trained = job.recipe.run(data, config=mtj, seed=job.seed)
    test = data.test_x, data.test_y
    with stage("convert, on nominal devices and on the chip that is built"):
        ideal = trained.on_chip(ideal=True).accuracy(*test)
        first = trained.on_chip(job.chips[0])
    costs: tuple[EffectCost, ...] = ()
    if job.effects:
        with stage(f"{len(mtj.effects())} non-idealities one by one, on {len(job.chips)} chips"):
            costs = cost_of_effects(trained, job.chips)
        chips = costs[-1].accuracies
    else:
        with stage(f"{len(job.chips)} chips"):
            chips = trained.accuracies(job.chips)
    accuracy = {
        "float": float_accuracy(trained.float_model, data),
        "quantised": ideal,
        "chip": chips[0],
        "chips": list(chips),
        "chip_mean": fmean(chips),
        "chip_worst": min(chips),
        "chip_spread": pstdev(chips),
    }
    return accuracy, [cost.as_dict() for cost in costs], first
