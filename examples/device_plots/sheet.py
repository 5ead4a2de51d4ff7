"""What all pictures share: style, amount of work, and the form of a key figure."""

import io
from dataclasses import dataclass
from typing import Any

from spintron_ir.errors import ToolError

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
"""Okabe and Ito's: told apart by the colour-blind, too."""


@dataclass(frozen=True)
class Size:
    """How much is computed."""

    devices: int  # of a loop, and of a staircase
    dwell: float  # at each field or voltage of a loop, s
    points: int  # of a quarter of a loop
    shots: int  # of each probability


FULL = Size(devices=6, dwell=4e-9, points=30, shots=16384)
QUICK = Size(devices=2, dwell=2e-9, points=10, shots=512)


def sheet(*labels: tuple[str, str]) -> tuple[Any, Any]:
    """Return an empty picture in the style of all, with one panel for each pair of axis labels."""
    try:
        from matplotlib import rcParams
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ToolError(
            f"matplotlib must be installed for pictures ({error}); "
            "pip install spintron-nn-kit[plots]"
        ) from error
    rcParams.update({"axes.titlesize": 10, "axes.grid": True, "grid.color": "#e8e8e8"})
    figure = Figure(figsize=(9.2 if len(labels) > 1 else 6.4, 4.0), dpi=100, layout="constrained")
    panels = figure.subplots(1, len(labels), squeeze=False)[0]
    for axes, (across, up) in zip(panels, labels):
        axes.set_xlabel(across)
        axes.set_ylabel(up)
    return figure, panels


def png(picture: Any) -> bytes:
    """Return a picture as a file of 128 colours: a third of the size, and the same each time."""
    from PIL import Image  # matplotlib needs it, too

    full, small = io.BytesIO(), io.BytesIO()
    picture.savefig(full, format="png")
    image = Image.open(full).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    image.save(small, format="png", optimize=True)
    return small.getvalue()


def known(value: Any, unit: str, origin: str) -> dict[str, Any]:
    """Return a key figure of the report: plain value, unit, where it comes from."""
    value = value.tolist() if hasattr(value, "tolist") else value
    return {"value": value, "unit": unit, "origin": origin}
