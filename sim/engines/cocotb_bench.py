"""The cocotb test of any design: reads a job, runs the test loop, writes the answer.

Runs inside the simulator; environment variable ``SPINTRON_COCOTB_JOB`` names the folder.
"""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

from .cocotb_job import read_job, write_answer
from .loop import Loop, Port
from .trace import RESET_CYCLES

__all__ = ["run_job"]

_HALF_CYCLE = 5
"""Nanoseconds."""


async def run_job(dut: Any) -> None:
    """Run the job on :py:`dut`, the top module in the simulator."""
    folder = Path(os.environ["SPINTRON_COCOTB_JOB"])
    job, idle = read_job(folder)
    loop = Loop(job)
    wires = {name: _Wires(dut, port) for name, port in loop.ports.items()}
    error = None
    for name in idle:
        getattr(dut, name).value = 0
    try:
        await _reset(dut, wires)
        while not loop.over:
            for port in loop.plan():
                wires[port.stream.name].payload.value = port.payload
            for of_stream in wires.values():
                of_stream.drive()
            await _edge(dut, rising=False)
            loop.observe({name: of_stream.sample() for name, of_stream in wires.items()})
            await _edge(dut, rising=True)
        error = None if loop.error is None else str(loop.error)
    except ValueError as unknown:  # a bit is neither 0 nor 1
        error = f"cycle {loop.cycle}: the streams must carry 0 and 1, but {unknown}"
    write_answer(folder, {} if error else loop.beats(), loop.total_cycles, error)


async def _reset(dut: Any, wires: dict[str, _Wires]) -> None:
    """Clock the design under reset, with idle streams."""
    dut.rst.value = 1
    for of_stream in wires.values():
        of_stream.clear()
    for _ in range(RESET_CYCLES):
        await _edge(dut, rising=False)
        await _edge(dut, rising=True)
    dut.rst.value = 0


async def _edge(dut: Any, rising: bool) -> None:
    """Change the clock, and let half a cycle pass."""
    from cocotb.triggers import Timer

    dut.clk.value = int(rising)
    await Timer(_HALF_CYCLE, unit="ns")


class _Wires:
    """Ports of one stream in the simulator."""

    def __init__(self, dut: Any, port: Port) -> None:
        joint = "_" if port.stream.role == "tap" else "__"
        self.payload, self.valid, self.ready = (
            getattr(dut, f"{port.stream.name}{joint}{member}")
            for member in ("payload", "valid", "ready")
        )
        self._port = port
        self._driven = {"input": self.valid, "output": self.ready}.get(port.stream.role)
        self._last: bool | None = None

    def clear(self) -> None:
        """Set what the bench drives to 0."""
        if self._driven is not None:
            self._driven.value = 0
        if self._port.stream.role == "input":
            self.payload.value = 0

    def drive(self) -> None:
        """Set valid of an input, or ready of an output, where it changes."""
        if self._driven is not None and self._last != self._port.active:
            self._driven.value = int(self._port.active)
            self._last = self._port.active

    def sample(self) -> tuple[bool, bool, int]:
        """Return valid, ready and, where a beat of an output passes, the payload."""
        valid, ready = (_bit(wire) for wire in (self.valid, self.ready))
        passes = valid and ready and self._port.stream.role != "input"
        return valid, ready, _number(self.payload) if passes else 0


def _bit(wire: Any) -> bool:
    """Return the value of a wire of one bit."""
    return bool(_number(wire))


def _number(wire: Any) -> int:
    """Return the value of a wire as an unsigned number."""
    try:
        return int(wire.value)
    except ValueError:
        raise ValueError(f"{wire._name} is {wire.value}") from None


if importlib.util.find_spec("cocotb") is not None:
    import cocotb

    test_job = cocotb.test()(run_job)
