"""From a network to a plan: chooses bodies, folding and lanes for a rate and a target."""

from __future__ import annotations

import math
from collections.abc import Sequence
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

from .estimate import estimate
from .folding import divisor_lanes, lanes_for, plan_dense
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

FULL = 0.9
"""Part that it may take where twice as many cycles do not bring it to :data:`SHARE`."""

SAVING = 0.05
"""Least part of a plan that twice as many cycles must save."""

PATIENCE = 2
"""Times that twice as many cycles may save less before the search ends."""

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
        takes at most two thirds of the target by the estimate. Memory of codes does not shrink:
        where doubling saves nothing more, the fastest plan that fits with a tenth to spare.
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
    return _balanced(network, target, body)


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


def _balanced(network: Network, target: Target, body: str) -> Plan:
    """The fastest plan that leaves room on the target, as far as more cycles save anything."""
    wished = max(
        *(math.prod(port.shape) for port in network.inputs),
        *(math.prod(node.layer.shape) for node in network.nodes),
        *_window_intervals(network),
    )
    least, saved_nothing = math.inf, 0
    found: list[tuple[float, Plan]] = []
    while wished <= SLOWEST and saved_nothing < PATIENCE:
        try:
            plan = _plan(network, target, wished, body)
        except MappingError:
            if wished * 2 > SLOWEST and not found:
                raise
        else:
            taken = _taken(plan, target)
            if taken <= SHARE:
                return plan
            found.append((taken, plan))
            saved_nothing = 0 if taken <= (1 - SAVING) * least else saved_nothing + 1
            least = min(least, taken)
        wished *= 2
    fitting = [plan for taken, plan in found if taken <= FULL]
    return fitting[0] if fitting else min(found, key=lambda pair: pair[0])[1]


def _taken(plan: Plan, target: Target) -> float:
    """Largest part of a target that a plan takes; its queues are reckoned only if they matter."""
    layers = max(estimate(plan.layers.values(), target).shares(target))
    return layers if layers > FULL else max(plan.resources.shares(target))


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
    least = divisor_lanes(run, run * interval // length, run)
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
        return divisor_lanes(layer.inputs, interval // positions, layer.rows)
    if isinstance(layer, Pool):
        if isinstance(source, WindowPlan) and layer.channels % source.o_lanes == 0:
            return source.o_lanes
        return divisor_lanes(layer.channels, interval // (length // layer.channels))
    if isinstance(layer, Quantise) and layer.requantise.cols < length:
        return _repeating_lanes(layer.requantise.cols, length, interval)
    return lanes_for(length, interval)


def _moves_nothing(layer: Any) -> bool:
    return isinstance(layer, Flatten) or (isinstance(layer, Gather) and is_wire(layer))


def _plan_node(
    name: str, layer: Any, target: Target, interval: int, body: str, i_lanes: int
) -> LayerPlan:
    if isinstance(layer, Dense):
        return plan_dense(name, layer, target, interval, body, i_lanes)
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
