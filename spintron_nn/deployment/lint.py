"""Everything that stands in the way of a model, found before any work."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from spintron_ir import Dense, IntType, MulShift, Network, Table, TFLite, arith
from spintron_ir.errors import ConversionError, MappingError, NetworkError, ParameterError

from .flow import plan_for, target_named

if TYPE_CHECKING:
    from spintron_hw.mapping.plan import Plan
    from spintron_nn.converter.graph import Model

__all__ = ["Lint", "lint_model", "lint_network"]

FRAMES = 4
"""Made-up inputs of a trial conversion: they fix ranges, which change no size."""

WIDE = 62
"""Bits in which nothing saturates."""


@dataclass(frozen=True)
class Lint:
    """What a look at a model found.

    Attributes
    ----------
    findings : tuple of str
        What cannot be converted or does not fit, with a way out each.
    notes : tuple of str
        What is worth knowing: values that saturate, buffers that branches need.
    """

    findings: tuple[str, ...]
    notes: tuple[str, ...] = ()


def lint_model(
    path: Path,
    *,
    board: str | None = None,
    input_type: IntType | None = None,
    input_scale: float = 1.0,
) -> Lint:
    """Look at a model, ``.pt2``, ``.onnx`` or ``.tflite``.

    The whole graph is walked first. Where nothing stands in the way it is put on an ideal chip,
    and that network is looked at.

    Parameters
    ----------
    path : path
        The model.
    board : str or None
        Board that it is to fit.
    input_type, input_scale
        Integers that stand for the input of a quantised model, and the real value of one;
        8 bits unsigned where no type is given.
    """
    from spintron_nn.converter.files import is_quantised

    try:
        if is_quantised(path):
            network = _quantised(path, input_type, input_scale)
        else:
            network = _real(path)
    except ConversionError as error:
        return Lint(tuple(error.findings))
    except (ParameterError, NetworkError) as error:
        return Lint((f"{path.name}: {error}",))
    return lint_network(network, board=board)


def lint_network(network: Network, *, board: str | None = None) -> Lint:
    """Look at a network: whether it fits a board, what saturates, and what branches need.

    Parameters
    ----------
    network : Network
        The network.
    board : str or None
        Board that it is to fit.
    """
    from spintron_hw.mapping.capacity import check_capacity

    notes = [*_kept(network), *_saturating(network)]
    try:
        plan = plan_for(network, board=board)
        notes += _buffers(plan)
        check_capacity(plan.resources, target_named(board))
    except MappingError as error:
        return Lint((str(error),), tuple(notes))
    return Lint((), tuple(notes))


def _quantised(path: Path, kind: IntType | None, scale: float) -> Network:
    from spintron_nn.converter.quantised import convert_quantised
    from spintron_nn.core.mtj_models import MTJConfig

    if kind is None and path.suffix != ".tflite":
        kind = IntType(8)
    return convert_quantised(MTJConfig(), path, input_type=kind, input_scale=scale).network


def _real(path: Path) -> Network:
    from spintron_nn.converter.converter import SpintronConverter
    from spintron_nn.converter.files import read_real
    from spintron_nn.converter.lower import check
    from spintron_nn.core.mtj_models import MTJConfig

    model = read_real(path)
    found = check(model)
    if found:
        raise ConversionError(found)
    converter = SpintronConverter(MTJConfig())
    return converter.convert(model, calibration=_inputs(model), ideal=True).network


def _inputs(model: Model) -> dict[str, Any]:
    random = np.random.default_rng(0)
    return {name: random.uniform(-1, 1, (FRAMES, *shape)) for name, shape in model.inputs.items()}


def _kept(network: Network) -> Iterator[str]:
    """Notes of the conversion itself."""
    yield from (line for line in network.metadata.get("notes", "").splitlines() if line)


def _saturating(network: Network) -> Iterator[str]:
    """Matrices whose sums can leave the range of their codes."""
    for node in network.nodes:
        layer = node.layer
        if not isinstance(layer, Dense):
            continue
        scaled = layer.requantise.code if isinstance(layer.requantise, Table) else layer.requantise
        if not isinstance(scaled, (MulShift, TFLite)):
            continue
        total = layer.ranges.total
        ends = np.stack([_unlimited(scaled, end) for end in (total.low, total.high)])
        low, high = int(ends.min()), int(ends.max())
        if low < scaled.type.low or high > scaled.type.high:
            yield (
                f"{node.name}: sums of {total.low}..{total.high} scale to {low}..{high} and "
                f"saturate to {scaled.type.low}..{scaled.type.high}, as the model says"
            )


def _unlimited(scaled: MulShift | TFLite, total: int) -> Any:
    acc = np.full(scaled.cols, total)
    fields: dict[str, Any] = {
        "multiplier": scaled.multiplier,
        "shift": scaled.shift,
        "zero_point": scaled.zero_point,
    }
    if isinstance(scaled, TFLite):
        return arith.tflite(acc, **fields, low=-(1 << WIDE), high=1 << WIDE)
    return arith.mulshift(acc, **fields, bits=WIDE, signed=True)


def _buffers(plan: Plan) -> Iterator[str]:
    """FIFOs that branches need."""
    for edge in plan.edges.values():
        if len(edge.feeds) < 2:
            continue
        for feed in edge.feeds:
            beats = feed.depth + feed.depth_behind
            if beats:
                yield (
                    f"{edge.source}: goes {len(edge.feeds)} ways; before {feed.sink} a buffer of "
                    f"{beats} beats holds what the others lag behind"
                )
