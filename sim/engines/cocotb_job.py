"""A job and its answer as files, between this process and the simulator that cocotb runs in."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from spintron_hw.build.verilog import Design
from spintron_hw.mapping.ports import StreamPort
from spintron_ir.errors import MismatchError
from spintron_ir.types import IntType

from .trace import Beats, Job

__all__ = ["read_answer", "read_job", "write_answer", "write_job"]

_JOB, _ANSWER, _META = "job.npz", "answer.npz", "meta"


def write_job(job: Job, folder: Path) -> None:
    """Write all of :py:`job` but the Verilog."""
    meta = {
        "name": job.design.name,
        "warm_up": job.design.warm_up,
        "idle": list(job.design.idle_inputs()),
        "streams": [asdict(stream) for stream in job.design.streams],
        **{name: getattr(job, name) for name in ("frames", "max_cycles", "quiet", "stall", "seed")},
    }
    _write(folder / _JOB, meta, job.inputs)


def read_job(folder: Path) -> tuple[Job, list[str]]:
    """Read what :func:`write_job` wrote: the job, and the input ports to hold at 0."""
    meta, inputs = _read(folder / _JOB)
    streams = tuple(
        StreamPort(**{**fields, "type": IntType(**fields["type"])})
        for fields in meta.pop("streams")
    )
    design = Design(meta.pop("name"), streams, verilog="", warm_up=meta.pop("warm_up"))
    idle = meta.pop("idle")
    return Job(design=design, inputs=inputs, **meta), idle


def write_answer(
    folder: Path, beats: Mapping[str, Beats], total_cycles: int, error: str | None
) -> None:
    """Write what passed, or what went wrong."""
    arrays: dict[str, np.ndarray] = {}
    for name, of_stream in beats.items():
        arrays[f"words {name}"], arrays[f"cycles {name}"] = of_stream.words, of_stream.cycles
    _write(folder / _ANSWER, {"total_cycles": total_cycles, "error": error}, arrays)


def read_answer(folder: Path) -> tuple[dict[str, Beats], int] | None:
    """Read what :func:`write_answer` wrote; :py:`None` if it did not.

    Raises
    ------
    MismatchError
        If something went wrong.
    """
    if not (folder / _ANSWER).exists():
        return None
    meta, arrays = _read(folder / _ANSWER)
    if meta["error"] is not None:
        raise MismatchError(meta["error"])
    names = [name.removeprefix("words ") for name in arrays if name.startswith("words ")]
    return (
        {name: Beats(arrays[f"words {name}"], arrays[f"cycles {name}"]) for name in names},
        meta["total_cycles"],
    )


def _write(path: Path, meta: dict[str, object], arrays: Mapping[str, np.ndarray]) -> None:
    temporary = path.with_name(f"part-{path.name}")
    named: dict[str, Any] = {_META: np.array(json.dumps(meta)), **arrays}
    np.savez(temporary, **named)
    temporary.rename(path)


def _read(path: Path) -> tuple[dict, dict[str, np.ndarray]]:
    with np.load(path, allow_pickle=False) as file:
        arrays = {name: file[name] for name in file.files}
    return json.loads(str(arrays.pop(_META))), arrays
