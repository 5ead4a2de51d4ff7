"""Crossbars as netlists for ngspice, and its answers: the outside solver of these tests."""

import subprocess

import numpy as np

__all__ = ["netlist", "simulate"]

# A linear circuit is solved once, to double precision; the rest is for devices that are no
# resistors. gmin would put a conductance of its own to ground.
OPTIONS = ".options reltol=1e-9 abstol=1e-18 vntol=1e-15 gmin=1e-20 itl1=500 noacct"


def _wire(name, one, other, resistance):
    """A segment; a source of 0 V where it has no resistance."""
    kind, value = ("R", f"{resistance!r}") if resistance else ("V", "DC 0")
    return f"{kind}{name} {one} {other} {value}"


def netlist(applied, device, shape, *, wire_word, wire_bit, driver=0.0, sense=0.0):
    """Write the deck; `device(row, column, word, bit)` gives the line of one device or None."""
    rows, cols = shape
    lines = ["crossbar", OPTIONS]
    for row in range(rows):
        lines.append(f"Vin{row} in{row} 0 DC {float(applied[row])!r}")
        before = f"in{row}"
        for column in range(cols):
            node = f"w{row}_{column}"
            wire = wire_word + (driver if column == 0 else 0.0)
            lines.append(_wire(f"w{row}_{column}", before, node, wire))
            before = node
    for column in range(cols):
        for row in range(rows):
            node = f"b{row}_{column}"
            after = f"b{row + 1}_{column}" if row < rows - 1 else f"out{column}"
            wire = wire_bit + (sense if row == rows - 1 else 0.0)
            lines.append(_wire(f"b{row}_{column}", node, after, wire))
            lines.append(device(row, column, f"w{row}_{column}", node) or "*")
        lines.append(f"Vout{column} out{column} 0 DC 0")
    return lines


def simulate(lines, shape, folder):
    """Return output currents (cols,), and word-line and bit-line voltages (rows, cols)."""
    rows, cols = shape
    outputs = [f"i(vout{column})" for column in range(cols)]
    nodes = [f"v({kind}{r}_{c})" for kind in "wb" for r in range(rows) for c in range(cols)]
    deck = [
        *lines,
        ".control",
        "set numdgt=15",
        "op",
        *(f"print {name}" for name in outputs + nodes),
        "quit",
        ".endc",
        ".end",
    ]
    path = folder / "crossbar.cir"
    path.write_text("\n".join(deck) + "\n", encoding="utf8")
    done = subprocess.run(
        ["ngspice", "-b", str(path)], capture_output=True, text=True, timeout=120, cwd=folder
    )
    values = {}
    for line in done.stdout.splitlines():
        name, equal, value = line.partition(" = ")
        if equal and name.startswith(("i(", "v(")):
            values[name] = float(value)
    found = np.array([values[name] for name in outputs + nodes])
    word, bit = found[cols:].reshape(2, rows, cols)
    return found[:cols], word, bit
