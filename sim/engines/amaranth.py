"""Amaranth's own simulator: runs the component, not its Verilog."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from amaranth import ClockDomain, Module, Value
from amaranth.lib import wiring
from amaranth.sim import Simulator

from spintron_ir.errors import ParameterError

from .base import Engine, Step
from .loop import Loop
from .trace import RESET_CYCLES, Job

__all__ = ["AmaranthEngine"]


class AmaranthEngine(Engine):
    """Amaranth's simulator; needs ``design.component``, and is always there."""

    name = "amaranth"

    def unavailable(self) -> str | None:
        """Return :py:`None`: Amaranth brings its simulator along."""
        return None

    def _simulate(self, job: Job) -> Iterator[Step]:
        if job.design.component is None:
            raise ParameterError(
                f"{job.design.name}: engine amaranth runs the component, which Verilog text does "
                "not hold: take another engine, or make the design by design_of()"
            )
        component = job.design.component()
        loop = Loop(job)
        signals = [
            signal
            for name, port in loop.ports.items()
            for signal in _signals(component, name, tap=port.stream.role == "tap")
        ]

        domain = ClockDomain("sync")
        top = Module()
        top.domains += domain
        top.submodules.dut = component

        async def bench(ctx: Any) -> None:
            ctx.set(domain.rst, 1)
            for _ in range(RESET_CYCLES):
                await ctx.tick()
            ctx.set(domain.rst, 0)
            while not loop.over:
                for port in loop.plan():
                    ctx.set(_signals(component, port.stream.name)[2], port.payload)
                for name, port in loop.ports.items():
                    if port.stream.role == "input":
                        ctx.set(getattr(component, name).valid, port.active)
                    elif port.stream.role == "output":
                        ctx.set(getattr(component, name).ready, port.active)
                _, _, *sampled = await ctx.tick().sample(*signals)
                loop.observe(
                    {
                        name: (bool(valid), bool(ready), payload)
                        for name, valid, ready, payload in zip(
                            loop.ports, sampled[0::3], sampled[1::3], sampled[2::3], strict=True
                        )
                    }
                )

        simulator = Simulator(top)
        simulator.add_clock(1e-6)
        simulator.add_testbench(bench)
        simulator.run()
        yield loop.beats(), loop.total_cycles


def _signals(component: wiring.Component, name: str, tap: bool = False) -> list[Value]:
    """Return valid, ready and payload of stream :py:`name`, as plain unsigned values."""
    if tap:
        found = [getattr(component, f"{name}_{part}") for part in ("valid", "ready", "payload")]
    else:
        stream = getattr(component, name)
        found = [stream.valid, stream.ready, stream.payload]
    return [Value.cast(value).as_unsigned() for value in found]
