"""From a network to a plan: chooses bodies, folding and lanes for a rate and a target."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from spintron_ir import (
    Argmax,
    Concat,
    Dense,
    Flatten,
    Gather,
    Join,
    Network,
    Pool,
    Quantise,
    Softmax,
    TopK,
    Window,
)
from spintron_ir.errors import MappingError, check_choice, check_int

from .dense import DensePlan
from .estimate import Resources, estimate, estimate_layer
from .gather import GatherPlan, is_wire, plan_gather
from .join import ConcatPlan, JoinPlan
from .plan import LayerPlan, Plan
from .simple import ArgmaxPlan, CellPlan, PoolPlan, QuantisePlan, WirePlan
from .target import Target
from .vectors import SoftmaxPlan, TopKPlan
from .window import WindowPlan, plan_window

__all__ = ["lanes_for", "map_network"]

SHARE = 2 / 3
"""Part of the target that a plan may take by the estimate where no interval is wished."""

SLOWEST = 1 << 24
"""Interval at which the search for a plan that fits gives up."""


def map_network(
    network: Network, target: Target, *, interval: int | None = None, body: str = "auto"
) -> Plan:
    """Map :py:`network` for :py:`target`.

    Parameters
    ----------
    network : Network
        What is to be built.
    target : Target
        What it is built for.
    interval : int or None
        Cycles between frames that must be reached. None: as many as the longest vector has
        elements, since the streams then carry one element a cycle; doubled until the plan
        takes at most two thirds of the target by the estimate.
    body : str
        ``unrolled``, ``folded``, or ``auto``: the smaller by the estimate, for each layer.

    Returns
    -------
    Plan

    Raises
    ------
    MappingError
        If the wished interval cannot be reached.
    """
    check_choice("map_network", "body", body, ("auto", "unrolled", "folded"))
    if interval is not None:
        wished = check_int("map_network", "interval", interval, 1, SLOWEST)
        return _reached(network, target, wished, body)
    longest = max(
        *(math.prod(port.shape) for port in network.inputs),
        *(math.prod(node.layer.shape) for node in network.nodes),
        *_window_intervals(network),
    )
    wished, plan = longest, None
    while wished <= SLOWEST:
        try:
            plan = _plan(network, target, wished, body)
        except MappingError:
            if wished * 2 > SLOWEST:
                raise
        else:
            if _fits(plan, target) or wished > _least_work(network):
                break
        wished *= 2
    assert plan is not None
    return plan


def _fits(plan: Plan, target: Target) -> bool:
    """Whether a plan takes no more than its share; its queues are reckoned last."""
    layers = estimate(plan.layers.values(), target)
    return layers.within(target, SHARE) and plan.resources.within(target, SHARE)


def _reached(network: Network, target: Target, wished: int, body: str) -> Plan:
    """A plan that reaches an interval, by faster layers where they wait for each other."""
    plan, inner = _plan(network, target, wished, body), wished
    while plan.interval > wished:
        slow, inner = plan, inner * wished // plan.interval
        try:
            plan = _plan(network, target, max(inner, 1), body)
        except MappingError:
            inner = 0
        if inner == 0:
            raise MappingError(
                f"map_network: the layers wait for each other and cannot reach {wished} cycles: "
                f"allow at least {slow.interval} cycles"
            )
    return plan


def _window_intervals(network: Network) -> list[int]:
    """Intervals of line buffers and gathers with one lane."""
    plans: list[WindowPlan | GatherPlan] = []
    for node in network.nodes:
        name, layer = node.name, node.layer
        if isinstance(layer, Window):
            plans.append(WindowPlan(node=name, layer=layer, i_lanes=1, o_lanes=1))
        elif isinstance(layer, Gather) and not is_wire(layer):
            plans.append(GatherPlan(node=name, layer=layer, i_lanes=1, o_lanes=1))
    return [plan.interval for plan in plans]


def _least_work(network: Network) -> int:
    """Cycles of the slowest folding, beyond which more cycles save nothing."""
    dense = [node.layer for node in network.nodes if isinstance(node.layer, Dense)]
    return max((layer.weights.size * layer.chunks for layer in dense), default=1)


def _plan(network: Network, target: Target, interval: int, body: str) -> Plan:
    layers: dict[str, LayerPlan] = {}
    for node in network.nodes:
        length = math.prod(node.layer.in_ports[0][0])
        sources = [layers.get(source) for source in node.inputs]
        if isinstance(node.layer, (Join, Concat)):
            layers[node.name] = _plan_meeting(node.name, node.layer, interval, sources)
            continue
        i_lanes = _i_lanes(node.layer, length, interval, sources[0])
        layers[node.name] = _plan_node(node.name, node.layer, target, interval, body, i_lanes)
    return Plan(network=network, target=target, layers=layers)


def _plan_meeting(
    name: str, layer: Join | Concat, interval: int, sources: Sequence[LayerPlan | None]
) -> LayerPlan:
    """A join or concatenation, with the lanes of its inputs where they agree and are enough."""
    length = math.prod(layer.shape)
    given = {source.o_lanes for source in sources if source is not None}
    if isinstance(layer, Join):
        lanes = next((n for n in given if len(given) == 1 and length <= n * interval), 0)
        lanes = lanes or _repeating_lanes(layer.channels, length, interval)
        return JoinPlan(node=name, layer=layer, i_lanes=lanes, o_lanes=lanes)
    run = math.gcd(*(math.prod(shape[layer.axis :]) for shape in layer.in_shapes))
    least = _divisor_lanes(run, run * interval // length, run)
    lanes = next((n for n in given if len(given) == 1 and run % n == 0 and n > least), least)
    plan = ConcatPlan(node=name, layer=layer, i_lanes=lanes, o_lanes=lanes)
    if plan.interval > interval:
        raise MappingError(
            f"{name}: {length} values cannot be put together in {interval} cycles: allow at least "
            f"{plan.interval} cycles, or more values that follow each other in every input, with a "
            "higher power of two in their number"
        )
    return plan


def _repeating_lanes(channels: int, length: int, interval: int) -> int:
    """Like :func:`lanes_for`, if it can be lanes after which channels come round with a frame."""
    least = lanes_for(length, interval)
    lanes = 1 << (least - 1).bit_length()
    while lanes < length and length % math.lcm(lanes, channels):
        lanes *= 2
    return lanes if lanes < min(length, 4 * least) else least


def _i_lanes(layer: Any, length: int, interval: int, source: LayerPlan | None) -> int:
    """Lanes that a layer takes: those of the stream where it changes none or windows come in."""
    positions = layer.positions if isinstance(layer, Dense) else None
    if source and (_moves_nothing(layer) or (positions and isinstance(source, WindowPlan))):
        return source.o_lanes
    if positions:
        return _divisor_lanes(layer.inputs, interval // positions, layer.rows)
    if isinstance(layer, Pool):
        if isinstance(source, WindowPlan) and layer.channels % source.o_lanes == 0:
            return source.o_lanes
        return _divisor_lanes(layer.channels, interval // (length // layer.channels))
    if isinstance(layer, Quantise) and layer.requantise.cols < length:
        return _repeating_lanes(layer.requantise.cols, length, interval)
    return lanes_for(length, interval)


def _moves_nothing(layer: Any) -> bool:
    return isinstance(layer, Flatten) or (isinstance(layer, Gather) and is_wire(layer))


def _divisor_lanes(length: int, interval: int, part: int | None = None) -> int:
    """Least power of two that divides a vector and moves it in :py:`interval`, or the largest.

    Vectors one after the other then have no gaps between them, nor have parts of a vector.
    """
    lanes, part = 1, length if part is None else part
    while part % (2 * lanes) == 0 and length > interval * lanes:
        lanes *= 2
    return lanes


def _plan_node(
    name: str, layer: Any, target: Target, interval: int, body: str, i_lanes: int
) -> LayerPlan:
    if isinstance(layer, Dense):
        return _plan_dense(name, layer, target, interval, body, i_lanes)
    if _moves_nothing(layer):
        return WirePlan(node=name, layer=layer, i_lanes=i_lanes, o_lanes=i_lanes)
    if isinstance(layer, Window):
        return plan_window(name, layer, interval)
    if isinstance(layer, Gather):
        return plan_gather(name, layer, interval)
    if isinstance(layer, Pool):
        return _plan_pool(name, layer, interval, i_lanes)
    if isinstance(layer, (Softmax, TopK)):
        return _plan_vectors(name, layer, interval)
    if isinstance(layer, Argmax):
        return ArgmaxPlan(node=name, layer=layer, i_lanes=i_lanes, o_lanes=1)
    if isinstance(layer, Quantise):
        return QuantisePlan(node=name, layer=layer, i_lanes=i_lanes, o_lanes=i_lanes)
    if layer.kind == "cell":
        length = math.prod(layer.shape)
        cell = layer.instance
        return CellPlan(
            node=name,
            layer=layer,
            i_lanes=math.prod(layer.in_shape),
            o_lanes=length,
            latency=cell.latency,
            cell_interval=cell.interval,
        )
    raise MappingError(
        f"{name}: there is no hardware for a layer of kind {layer.kind!r}; "
        "give its Python class a plan and gateware, or leave the layer to the host"
    )


def _plan_vectors(name: str, layer: Softmax | TopK, interval: int) -> SoftmaxPlan | TopKPlan:
    """A layer that takes one element a cycle, whatever the interval."""
    make = SoftmaxPlan if isinstance(layer, Softmax) else TopKPlan
    plan = make(node=name, layer=layer)
    if plan.interval > interval:
        raise MappingError(
            f"{name}: vectors along {layer.in_shape} take {plan.interval} cycles one element at a "
            f"time, more than the {interval} cycles of a frame: allow as many"
        )
    return plan


def _plan_pool(name: str, layer: Pool, interval: int, lanes: int) -> PoolPlan:
    plan = PoolPlan(node=name, layer=layer, i_lanes=lanes, o_lanes=lanes)
    if plan.interval > interval:
        raise MappingError(
            f"{name}: windows of {layer.in_shape[0]} x {layer.in_shape[1]} values cannot pass in "
            f"{interval} cycles: allow at least {plan.interval} cycles, or more channels, with a "
            "higher power of two in their number"
        )
    return plan


def lanes_for(length: int, interval: int) -> int:
    """Least lanes, a power of two or the whole vector, that move a vector in :py:`interval`.

    >>> lanes_for(784, 1000), lanes_for(784, 500), lanes_for(10, 1)
    (1, 2, 10)
    """
    lanes = 1
    while -(-length // lanes) > interval:
        lanes *= 2
    return min(lanes, length)


def _plan_dense(
    name: str, layer: Dense, target: Target, interval: int, body: str, i_lanes: int
) -> DensePlan:
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
    """Largest share of a resource that the plan takes."""
    used: Resources = estimate_layer(plan, target)
    return max(
        used.luts / target.luts,
        used.ffs / target.ffs,
        used.brams / max(target.brams, 1),
        used.dsps / max(target.dsps, 1),
    )


def _o_lanes(layer: Dense, interval: int, part: int) -> int:
    if layer.positions is None and part == layer.cols:
        return lanes_for(layer.cols, interval)
    return _divisor_lanes(layer.cols, interval, part)


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
