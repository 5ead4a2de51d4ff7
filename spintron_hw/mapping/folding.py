"""How a dense layer is built: its body, and how many rows and columns are read in a cycle."""

from __future__ import annotations

from collections.abc import Iterator

from spintron_ir import Dense
from spintron_ir.errors import MappingError

from .dense import DensePlan
from .estimate import estimate_layer
from .target import Target

__all__ = ["divisor_lanes", "lanes_for", "plan_dense"]


def lanes_for(length: int, interval: int) -> int:
    """Least lanes, a power of two or the whole vector, that move a vector in :py:`interval`.

    >>> lanes_for(784, 1000), lanes_for(784, 500), lanes_for(10, 1)
    (1, 2, 10)
    """
    lanes = 1
    while -(-length // lanes) > interval:
        lanes *= 2
    return min(lanes, length)


def divisor_lanes(length: int, interval: int, part: int | None = None) -> int:
    """Least power of two that divides a vector and moves it in :py:`interval`, or the largest.

    Vectors one after the other then have no gaps between them, nor have parts of a vector.
    """
    lanes, part = 1, length if part is None else part
    while part % (2 * lanes) == 0 and length > interval * lanes:
        lanes *= 2
    return lanes


def plan_dense(
    name: str, layer: Dense, target: Target, interval: int, body: str, i_lanes: int
) -> DensePlan:
    """The cheapest body and folding that take a frame in an interval.

    Raises
    ------
    MappingError
        If there is none.
    """
    candidates: list[DensePlan | None] = []
    share = interval // (layer.positions or 1)
    if body != "folded" and layer.chunks <= share:
        candidates.append(_unrolled(name, layer, target, share, i_lanes))
    if body != "unrolled":
        candidates.append(_folded(name, layer, target, share, i_lanes))
    reached = [plan for plan in candidates if plan and plan.interval <= interval]
    if not reached:
        raise MappingError(
            f"{name}: {_size(layer)} with {layer.chunks} chunks cannot be read in "
            f"{interval} cycles as {body}: allow at least {_fastest(layer, body)} cycles, "
            "or more dac_bits"
        )
    return min(reached, key=lambda plan: _cost(plan, target))


def _size(layer: Dense) -> str:
    if layer.blocks is None:
        return f"{layer.rows} x {layer.cols}"
    return f"{layer.blocks} blocks of {layer.rows} x {layer.block_cols}"


def _fastest(layer: Dense, body: str) -> int:
    reads = layer.chunks
    if body == "folded":
        reads *= layer.groups * layer.slices * layer.converters * (layer.blocks or 1)
        reads = max(reads, layer.inputs // _part_lanes(layer))
    return reads * (layer.positions or 1)


def _part_lanes(layer: Dense) -> int:
    """Most lanes of a folded body that split no row group but the last."""
    lanes = layer.inputs if layer.groups == 1 else layer.tile_rows & -layer.tile_rows
    return lanes if (layer.blocks or 1) == 1 else min(lanes, layer.rows & -layer.rows)


def _cost(plan: DensePlan, target: Target) -> float:
    """Shares of all resources together: much of one is not spent to save a little of another."""
    return sum(estimate_layer(plan, target).shares(target))


def _o_lanes(layer: Dense, interval: int, part: int) -> int:
    if layer.positions is None and part == layer.cols:
        return lanes_for(layer.cols, interval)
    return divisor_lanes(layer.cols, interval, part)


def _unrolled(name: str, layer: Dense, target: Target, interval: int, i_lanes: int) -> DensePlan:
    if layer.positions is not None:  # what leaves must not hold up what comes
        interval = max(layer.chunks, -(-layer.inputs // i_lanes))
    return DensePlan(
        node=name,
        layer=layer,
        body="unrolled",
        i_lanes=i_lanes,
        o_lanes=_o_lanes(layer, interval, layer.cols),
        row_parallel=min(layer.tile_rows, layer.rows),
        col_parallel=layer.cols,
        group_size=min(target.lut_inputs, layer.tile_rows, layer.rows),
        bank_bits=target.bram_width,
    )


def _foldings(layer: Dense, interval: int, lanes: int, o_lanes: int) -> Iterator[tuple[int, int]]:
    """Pairs of row_parallel and col_parallel that reach the interval, the least rows for each."""
    sizes = [stop - start for start, stop in layer.row_groups]
    reads = layer.slices * layer.converters * layer.chunks
    interval //= layer.blocks or 1
    for passes in range(1, layer.block_cols + 1):
        cols = -(-layer.block_cols // passes)
        if cols % o_lanes and cols != layer.block_cols:
            cols += o_lanes - cols % o_lanes
        passes_used = -(-layer.block_cols // cols)
        if passes_used != passes or passes * len(sizes) * reads > interval:
            continue
        for rows in range(lanes, max(sizes) + lanes, lanes):
            steps = sum(-(-size // rows) for size in sizes)
            if passes * steps * reads <= interval:
                if -(-cols // o_lanes) <= steps * reads:
                    yield rows, cols
                break


def _folded(name: str, layer: Dense, target: Target, interval: int, lanes: int) -> DensePlan | None:
    lanes = min(lanes, _part_lanes(layer))
    if -(-layer.inputs // lanes) > interval:
        return None
    o_lanes = _o_lanes(layer, interval, layer.block_cols)
    best: tuple[float, DensePlan] | None = None
    for rows, cols in _foldings(layer, interval, lanes, o_lanes):
        plan = DensePlan(
            node=name,
            layer=layer,
            body="folded",
            i_lanes=lanes,
            o_lanes=o_lanes,
            row_parallel=rows,
            col_parallel=cols,
            group_size=1,
            bank_bits=target.bram_width,
        )
        cost = _cost(plan, target)
        if best is None or cost < best[0]:
            best = cost, plan
    return best[1] if best else None
