"""``spintron demo``: the main job on bundled real data, start to end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spintron_ir.errors import MismatchError

from .console import Console
from .options import board_option, command_words, json_option

if TYPE_CHECKING:
    from ..datasets import Dataset
    from ..deployment.demo import Job

__all__ = ["demo", "effect_rows", "present", "report_rows"]


@click.command()
@click.option(
    "--out",
    "folder",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("build/demo"),
    show_default=True,
    help="Where everything goes.",
)
@board_option(default="ulx3s-85f")
@json_option
def demo(folder: Path, board: str, as_json: bool) -> None:
    """Do the main job on real data, start to end.

    A small network is trained on the digits that scikit-learn ships and put on five sampled chips
    with 10 % resistance variation. Every held-out image runs through the hardware of the first
    chip, and the bitstream is built. It takes some minutes.
    """
    from ..datasets import digits
    from ..deployment.demo import digits_job

    present(Console(as_json), digits_job(board=board), digits(), folder)


def present(console: Console, job: Job, data: Dataset, folder: Path) -> None:
    """Do :py:`job` on :py:`data`, write ``report.json`` to :py:`folder`, print its table.

    Raises
    ------
    MismatchError
        If the hardware differs from the golden integers.
    """
    from spintron_hw.build.manifest import write_manifest

    from ..deployment.demo import run_job
    from .files import made_folder, write_json

    made_folder(folder)
    with console.progress("frames", len(data.test_x[: job.frames])) as advance:
        report = run_job(
            job, data, folder, stage=console.stage, progress=advance, steps=console.steps()
        )
    path = write_json(folder / "report.json", report)
    write_manifest(
        folder,
        ["network.safetensors", "report.json", "test_x.npy"],
        command=command_words(),
        seeds={"training": job.seed} | {f"chip {n}": chip for n, chip in enumerate(job.chips)},
        inputs={data.name: data.digest()},
    )
    console.result(report)
    if job.effects:
        console.table(
            f"what it costs, one by one, on {len(job.chips)} chips",
            ("non-ideality", "accuracy, mean", "worst chip", "cost"),
            effect_rows(report),
        )
    console.table(f"{data.name} on sampled chips", ("what", "value", "note"), report_rows(report))
    console.text(f"everything lies in {folder}, the figures in {path}")
    if report["verify"]["mismatches"]:
        raise MismatchError(
            f"{report['verify']['mismatches']} values of the hardware differ from the golden "
            f"integers; see spintron verify {folder / 'network.safetensors'}"
        )


def report_rows(report: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of the closing table of a job's report."""
    accuracy, verify = report["accuracy"], report["verify"]
    cycles, fpga = report["cycles"], report["fpga"]
    chips = len(accuracy["chips"])
    return [
        ("accuracy, float", f"{accuracy['float']:.2%}", "PyTorch, test images"),
        ("accuracy, quantised", f"{accuracy['quantised']:.2%}", "nominal devices"),
        ("accuracy, chip", f"{accuracy['chip']:.2%}", "the chip that is built"),
        (
            "accuracy, chips",
            f"{accuracy['chip_mean']:.2%}",
            f"mean of {chips} sampled chips, standard deviation {accuracy['chip_spread']:.2%}, "
            f"worst {accuracy['chip_worst']:.2%}",
        ),
        ("accuracy, RTL", f"{accuracy['rtl']:.2%}", f"simulated with {verify['engine']}"),
        ("differences", f"{verify['mismatches']:,}", f"{verify['vectors']:,} frames, every layer"),
        ("latency", f"{cycles['latency']:,} cycles", "first input to last output"),
        ("interval", f"{cycles['interval']:,} cycles", "between frames"),
        *((("design rule", *_rule(report["design_rule"])),) if report["design_rule"] else ()),
        *(_built(fpga) if fpga else ()),
    ]


def _built(fpga: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Rows of what a build came to."""
    return [
        *(
            (title, f"{fpga[name]:,}", f"of {fpga['capacity'][name]:,} on {fpga['board']}")
            for name, title in (
                ("luts", "look-up tables"),
                ("ffs", "flip-flops"),
                ("brams", "block RAMs"),
            )
        ),
        ("clock", *_clock(fpga)),
        ("bitstream", str(fpga["bitstream"] or "none"), fpga["note"]),
    ]


def _rule(rule: dict[str, Any]) -> tuple[str, str]:
    """Share of the ideal current, and what follows from it."""
    return f"{rule['worst_share']:.1%}", rule["message"]


def effect_rows(report: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """Rows of the table of non-idealities."""
    return [
        (
            row["name"],
            f"{row['mean']:.2%}",
            f"{row['worst']:.2%}",
            f"{100 * row['cost']:+.2f} points",
        )
        for row in report["effects"]
    ]


def _clock(fpga: dict[str, Any]) -> tuple[str, str]:
    if fpga["fmax_mhz"] is None:
        return "unknown", "no open place-and-route for this part"
    return f"{fpga['fmax_mhz']:g} MHz", f"the board has {fpga['clock_mhz']:g} MHz"
