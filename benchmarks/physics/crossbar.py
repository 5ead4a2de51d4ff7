"""Crossbars with resistive wires beside badcrossbar and ngspice."""

from __future__ import annotations

import logging
import shutil
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.rows import Row, seconds
from spintron_ir.errors import MismatchError
from spintron_nn.core.nodal import (
    ProgrammedArray,
    TunnelJunctions,
    check_array,
    effective_conductance,
    operating_point,
    solve,
)

__all__ = ["rows"]

Reals = NDArray[np.float64]

WIRES = {"wire_word": 1.0, "wire_bit": 1.0}
LOW, HIGH, BIAS_HALF = 5e3, 1e4, 0.5
AGREEMENT = 1e-9
SPICE_AGREEMENT = 1e-6


def array(side: int, vectors: int = 1) -> tuple[Reals, Reals]:
    """Devices of 5 to 10 kohm and voltages (rows, vectors), the same in every run."""
    random = np.random.default_rng(side)
    return random.uniform(LOW, HIGH, (side, side)), random.uniform(0, 1, (side, vectors))


def error(found: Reals, expected: Reals, allowed: float) -> float:
    """Return the largest difference as a share of the largest value; refuse too large a one."""
    share = float(np.abs(found - expected).max() / np.abs(expected).max())
    if not share <= allowed:
        raise MismatchError(f"currents differ by {share:.1e} of the largest, not {allowed:.0e}")
    return share


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Time and result of one call; for peers that take seconds."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def badcrossbar() -> Callable[..., Any] | None:
    """Return the function of badcrossbar, None where it is not installed."""
    if find_spec("badcrossbar") is None or find_spec("pathvalidate") is None:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from badcrossbar.compute import compute
    logging.getLogger("badcrossbar").setLevel(logging.ERROR)
    return compute


def single(side: int, demanded: float) -> Row:
    """One solution of one array: all currents and all voltages."""
    resistance, applied = array(side)
    ours = seconds(lambda: solve(resistance, applied, **WIRES), least=0.1)
    name = f"one exact solution of {side} x {side}"
    row = {"name": name, "unit": "s", "peer": "badcrossbar", "demanded": demanded}
    compute = badcrossbar()
    if compute is None:
        return Row(**row, value=ours, note="badcrossbar is not installed")
    peer = compute(applied, resistance, 1.0)
    theirs = seconds(lambda: compute(applied, resistance, 1.0), repeats=3)
    found = solve(resistance, applied, **WIRES)
    pairs = (
        (found.output_current, peer.currents.output),
        (found.device_current, peer.currents.device),
        (found.word_line_current, peer.currents.word_line),
        (found.bit_line_current, peer.currents.bit_line),
        (found.word_line_voltage, peer.voltages.word_line),
        (found.bit_line_voltage, peer.voltages.bit_line),
    )
    worst = max(error(one, other, AGREEMENT) for one, other in pairs)
    note = f"all six arrays agree to {worst:.0e}"
    return Row(**row, value=ours, peer_value=theirs, ratio=theirs / ours, note=note)


def programmed(side: int, vectors: int) -> Row:
    """Many vectors on one array, the extraction of its effective conductances included."""
    resistance, applied = array(side, vectors)
    voltages = np.ascontiguousarray(applied.T)

    def ours() -> Reals:
        return ProgrammedArray(1 / resistance, **WIRES).read(voltages)

    value = seconds(ours)
    row = {
        "name": f"{vectors} vectors on one programmed {side} x {side}",
        "unit": "s",
        "peer": "badcrossbar, identity inputs and a product",
        "demanded": 6.0,
    }
    compute = badcrossbar()
    if compute is None:
        return Row(**row, value=value, note="badcrossbar is not installed")

    def clever() -> Reals:
        answer = compute(np.eye(side), resistance, 1.0, node_voltages=False, all_currents=False)
        return np.asarray(voltages @ answer.currents.output)

    expected = clever()
    theirs = seconds(clever, repeats=3)
    note = f"currents agree to {error(ours(), expected, AGREEMENT):.0e}"
    return Row(**row, value=value, peer_value=theirs, ratio=theirs / value, note=note)


def in_ngspice(
    side: int, applied: Reals, device: Callable[[int, int, str, str], str]
) -> tuple[float, str, Reals]:
    """Run one operating point: time of the whole process, its own figure, output currents."""
    from tests.spintron_nn.core.nodal.netlist import netlist

    with tempfile.TemporaryDirectory() as folder:
        deck = Path(folder) / "crossbar.cir"
        lines = [
            *netlist(applied, device, (side, side), **WIRES),
            ".control",
            "set numdgt=15",
            "op",
            *(f"print i(vout{column})" for column in range(side)),
            "rusage time",
            "quit",
            ".endc",
            ".end",
        ]
        deck.write_text("\n".join(lines) + "\n", encoding="utf8")
        taken, done = timed(
            lambda: subprocess.run(
                ["ngspice", "-b", str(deck)], capture_output=True, text=True, timeout=600
            )
        )
    printed = dict(line.split(" = ", 1) for line in done.stdout.splitlines() if " = " in line)
    found = np.array([float(printed[f"i(vout{column})"]) for column in range(side)])
    own = printed.get("Total analysis time (seconds)", "not given")
    return taken, own, found


def resistors_in_ngspice(side: int) -> Row:
    """The operating point of an array of resistors."""
    resistance, applied = array(side)
    voltages = applied[:, 0]
    value = seconds(lambda: solve(resistance, voltages, **WIRES), least=0.2)
    row = {
        "name": f"operating point of {side} x {side}, resistors",
        "value": value,
        "unit": "s",
        "peer": "ngspice, whole process",
        "demanded": 1000.0,
    }
    if shutil.which("ngspice") is None:
        return Row(**row, note="ngspice is not installed")

    def device(r: int, c: int, word: str, bit: str) -> str:
        return f"R{r}_{c} {word} {bit} {float(resistance[r, c])!r}"

    theirs, own, expected = min(
        (in_ngspice(side, voltages, device) for _ in range(2)), key=lambda found: found[0]
    )
    worst = error(solve(resistance, voltages, **WIRES).output_current, expected, SPICE_AGREEMENT)
    note = f"currents agree to {worst:.0e}; its analysis alone {own.strip()} s; its best of 2"
    return Row(**row, peer_value=theirs, ratio=theirs / value, note=note)


def junctions_in_ngspice(side: int) -> Row:
    """The operating point where the magnetoresistance falls with the voltage of each device."""
    resistance, applied = array(side)
    voltages = applied[:, 0]
    junctions = TunnelJunctions(resistance, resistance_low=LOW, bias_half=BIAS_HALF)
    value = seconds(lambda: operating_point(junctions, voltages, **WIRES))
    row = {
        "name": f"operating point of {side} x {side}, bias-dependent junctions",
        "value": value,
        "unit": "s",
        "peer": "ngspice with B sources, whole process",
    }
    if shutil.which("ngspice") is None:
        return Row(**row, note="ngspice is not installed")

    def device(r: int, c: int, word: str, bit: str) -> str:
        across, ratio = f"(v({word})-v({bit}))", float(resistance[r, c] / LOW - 1)
        return (
            f"B{r}_{c} {word} {bit} I={across}/({LOW}*(1+{ratio!r}/(1+({across}/{BIAS_HALF})^2)))"
        )

    theirs, own, expected = in_ngspice(side, voltages, device)
    found = operating_point(junctions, voltages, **WIRES)
    worst = error(found.solution.output_current, expected, SPICE_AGREEMENT)
    note = (
        f"{found.steps} Newton steps; currents agree to {worst:.0e}; its analysis {own.strip()} s"
    )
    return Row(**row, peer_value=theirs, ratio=theirs / value, note=note)


def extraction(side: int) -> Row:
    """Effective conductances of one array, beside the time that a chip of many tiles allows."""
    resistance, _ = array(side)
    value = seconds(lambda: effective_conductance(1 / resistance, **WIRES))
    limit = 0.05 * (side / 128) ** 4
    return Row(
        name=f"effective conductances of {side} x {side}",
        value=value,
        unit="s",
        peer="limit",
        peer_value=limit,
        ratio=limit / value,
        note="the limit is 50 ms at 128 x 128",
    )


def rule(side: int) -> Row:
    """The design rule, with all that it proposes."""

    def judge() -> Any:
        return check_array(resistance_low=LOW, resistance_high=HIGH, rows=side, cols=side, **WIRES)

    return Row(
        name=f"design rule of {side} x {side}",
        value=seconds(judge),
        unit="s",
        peer="none",
        note=judge().message,
    )


def rows(quick: bool) -> Iterator[Row]:
    """Yield the rows; :py:`quick` takes small arrays and tells whether it runs, not how fast."""
    small, large, vectors = (8, 16, 32) if quick else (64, 128, 1024)
    with threadpool_limits(1):
        yield single(small, 60.0)
        yield single(large, 50.0)
        yield programmed(large, vectors)
        yield extraction(large)
        yield resistors_in_ngspice(small)
        yield junctions_in_ngspice(small)
        yield rule(large)
