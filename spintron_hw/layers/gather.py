"""A layer that moves values: streamed, out of a buffer, or as wires."""

from __future__ import annotations

from typing import Any

from amaranth.lib import wiring

from ..cells.gather_buffer import GatherBuffer
from ..cells.gather_stream import GatherStream
from ..cells.gather_wires import GatherWires
from ..mapping.gather import GatherPlan

__all__ = ["gather_layer"]


def gather_layer(plan: GatherPlan) -> wiring.Component:
    """Return the cell of a gather: its vectors are the blocks of a frame."""
    words, index = plan.block
    common: dict[str, Any] = {
        "type": plan.layer.type,
        "index": index,
        "pad_value": plan.layer.pad_value,
    }
    if plan.body == "wires":
        return GatherWires(**common, length=words)
    cell = GatherStream if plan.body == "stream" else GatherBuffer
    return cell(**common, lanes=plan.i_lanes, words=words)
