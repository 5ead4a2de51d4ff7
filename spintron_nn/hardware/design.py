"""A design folder: network, Verilog, self-checking testbench, vectors and manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spintron_hw.build.manifest import write_manifest
from spintron_hw.build.testbench import write_testbench
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.plan import Plan

__all__ = ["write_design"]


def write_design(
    plan: Plan,
    folder: Path,
    *,
    name: str,
    frames: Any,
    command: Sequence[str],
    seeds: Mapping[str, int] | None = None,
) -> tuple[Path, ...]:
    """Write everything that checking :py:`plan` with another simulator takes.

    Parameters
    ----------
    plan : Plan
        What to write.
    folder : Path
        Where to; made if need be.
    name : str
        Name of the top module.
    frames : integers of shape ``(frames, *shape)``, or dict of such by input
        What the testbench sends. It compares every output and every stream between layers.
    command : sequence of str
        What asked for it, for the manifest.
    seeds : dict of str to int, optional
        Seeds of the frames, for the manifest.

    Returns
    -------
    tuple of Path
        Files written, the manifest last.
    """
    network = plan.network
    given = frames if isinstance(frames, Mapping) else {network.inputs[0].name: frames}
    known = {**given, **network.trace(given)}
    design = design_of(plan, name)
    vectors = {
        stream.name: np.reshape(known[stream.node], (-1, stream.length))
        for stream in design.streams
    }
    sent = {stream.name: vectors.pop(stream.name) for stream in design.of_role("input")}
    folder.mkdir(parents=True, exist_ok=True)
    network.save(folder / "network.safetensors")
    made = (folder / "network.safetensors", *write_testbench(design, sent, vectors, folder))
    manifest = write_manifest(
        folder,
        [path.name for path in made],
        command=command,
        seeds=seeds,
        inputs={"network": network.digest()},
    )
    return (*made, manifest)
