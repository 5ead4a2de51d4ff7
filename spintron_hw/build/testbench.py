"""A self-checking Verilog testbench of a design, for any simulator."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any

import jinja2
import numpy as np
from numpy.typing import ArrayLike

from spintron_ir.errors import ParameterError, check_int
from spintron_ir.files import inside, write_atomic

from ..mapping.ports import StreamPort
from .verilog import Design

__all__ = ["write_testbench"]

_RESET_CYCLES = 2


def write_testbench(
    design: Design,
    vectors_in: Mapping[str, ArrayLike],
    vectors_out: Mapping[str, ArrayLike],
    folder: str | os.PathLike[str],
    *,
    max_cycles: int | None = None,
) -> tuple[Path, ...]:
    """Write the Verilog of :py:`design`, a testbench and its vectors into :py:`folder`.

    The testbench sends every input as early as it can, always takes the outputs, and ends with one
    line that starts with ``PASS`` or ``FAIL`` and states counts. It needs Verilog-2005 and, since
    it reads its vectors by ``$readmemh``, to be run in that folder.

    Parameters
    ----------
    design : Design
        What is tested.
    vectors_in : dict of str to integers of shape ``(frames, length)``
        What is sent, by name of the input stream.
    vectors_out : dict of str to integers of shape ``(frames, length)``
        What must come, by name of the output stream or tap. Every output must be there; taps that
        are not are not looked at.
    folder : path
        Made where it is missing.
    max_cycles : int, optional
        When to give up. Derived from the latency and interval of the design if not given.

    Returns
    -------
    tuple of pathlib.Path
        Files written: the design, the testbench, then the vectors.

    Raises
    ------
    ParameterError
        If the vectors do not suit the design.
    """
    given = {
        name: np.asarray(values) for name, values in (*vectors_in.items(), *vectors_out.items())
    }
    frames = _check(design, vectors_in, vectors_out, given)
    limit = _limit(design, frames) if max_cycles is None else max_cycles
    limit = check_int("write_testbench", "max_cycles", limit, 1, (1 << 31) - 1)
    streams = [_stream(design, stream, given.get(stream.name)) for stream in design.streams]
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    template = files("spintron_hw.build").joinpath("templates/testbench.v.j2").read_text()
    text = environment.from_string(template).render(
        top=design.name,
        streams=streams,
        idle=design.idle_inputs().items(),
        warm_up=design.warm_up,
        reset_cycles=_RESET_CYCLES,
        limit=limit,
        awaited=sum(stream["beats"] for stream in streams if stream["role"] != "input"),
    )
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written = [
        write_atomic(inside(folder, f"{design.name}.v"), design.verilog),
        write_atomic(inside(folder, f"{design.name}_tb.v"), text),
    ]
    for stream, port in zip(streams, design.streams, strict=True):
        if port.name in given:
            lines = _hex_lines(port, given[port.name])
            written.append(write_atomic(inside(folder, stream["file"]), lines))
    return tuple(written)


def _check(
    design: Design,
    vectors_in: Mapping[str, ArrayLike],
    vectors_out: Mapping[str, ArrayLike],
    given: Mapping[str, np.ndarray],
) -> int:
    """Refuse vectors that do not suit the design; return the number of frames."""
    inputs = {stream.name for stream in design.of_role("input")}
    outputs = {stream.name for stream in design.of_role("output")}
    taps = {stream.name for stream in design.of_role("tap")}
    if set(vectors_in) != inputs or not outputs <= set(vectors_out) <= outputs | taps:
        raise ParameterError(
            f"{design.name}: vectors must be given for inputs {_names(inputs)} and for outputs "
            f"{_names(outputs)}, not for {_names(vectors_in)} and {_names(vectors_out)}"
        )
    for stream in design.streams:
        if stream.name in given:
            stream.check(given[stream.name])
    frames = {len(values) for values in given.values()}
    if len(frames) != 1 or not min(frames):
        raise ParameterError(
            f"{design.name}: all vectors must have the same number of frames, at least 1, "
            f"not {', '.join(map(str, sorted(frames)))}"
        )
    return frames.pop()


def _limit(design: Design, frames: int) -> int:
    """Cycles within which a design that works is done by far."""
    if design.latency is not None and design.interval is not None:
        needed = design.latency + design.interval * frames
    else:
        needed = 1000 * frames * sum(stream.beats for stream in design.streams)
    return min(design.warm_up + 4 * needed + 10_000, (1 << 31) - 1)


def _stream(design: Design, stream: StreamPort, values: np.ndarray | None) -> dict[str, Any]:
    """Return what the template needs of a stream."""
    return {
        "name": stream.name,
        "role": stream.role,
        "joint": "_" if stream.role == "tap" else "__",
        "width": stream.width,
        "beats": 0 if values is None else len(values) * stream.beats,
        "per_frame": stream.beats,
        "unused": (stream.beats * stream.lanes - stream.length) * stream.type.bits,
        "file": f"{design.name}_{stream.name}.hex",
    }


def _hex_lines(stream: StreamPort, values: np.ndarray) -> str:
    """Return the payloads of all beats as ``$readmemh`` reads them, one a line."""
    digits = -(-stream.width // 4)
    words = stream.pack(values).astype(">u4")[:, ::-1]
    return "".join(f"{row.tobytes().hex()[-digits:]}\n" for row in words)


def _names(names: object) -> str:
    return ", ".join(sorted(names)) or "none"  # type: ignore[call-overload]
