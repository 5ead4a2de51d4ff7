"""Models that are integers already, on the devices of a chip."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import (
    Argmax,
    Dense,
    Flatten,
    Gather,
    IntType,
    Network,
    Node,
    Output,
    ParameterError,
    TopK,
)
from spintron_ir.layers import Layer
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

from .calibrate import fit_line
from .frames import Frames, input_codes
from .integers import IntegerGraph, IntegerNode, IntegerOutput, Matrix
from .mapping import MappedLayer, weight_levels, write_devices
from .model import SpintronicModel
from .moving import Line, moved, whole
from .real_adc import with_converters
from .report import ConversionReport, LayerReport, layer_report
from .scores import KEY
from .settings import Settings
from .wires import bias_error, tile_rule

__all__ = ["convert_quantised", "load_quantised", "place"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


def convert_quantised(
    mtj_config: MTJConfig,
    path: str | Path,
    *,
    input_type: IntType | Mapping[str, IntType] | None = None,
    input_scale: float | Mapping[str, float] = 1.0,
    crossbar_size: int = 128,
    adc_bits: int | None = 8,
    dac_bits: int = 1,
    scheme: str = "pair",
    code_steps: str = "network",
    chip_seed: int | None = None,
    wafer: int = 0,
    calibration: ArrayLike | Mapping[str, ArrayLike] | None = None,
    name: str = "network",
) -> SpintronicModel:
    """Put a quantised model of ONNX or TFLite on a chip.

    On an ideal chip the network computes exactly the integers that the graph means. On a sampled
    one each channel's thresholds are those of the straight line from the sums of its devices to
    the integers.

    Parameters
    ----------
    mtj_config : MTJConfig
        The technology.
    path : path
        An ``.onnx`` file with quantisers, or a ``.tflite`` file of 8 bits.
    input_type : IntType, at most 16 bits, dict of such by input, or None
        Integers that stand for real inputs; a TFLite file of integers needs none.
    input_scale : float, or dict of such
        Real value of one unit of an input.
    crossbar_size, adc_bits, dac_bits, scheme, code_steps
        Fields of :class:`~spintron_nn.converter.settings.Settings`; the scheme ``reference``, which
        has no zero weight, and the code steps ``column`` are refused.
    chip_seed : int or None
        Which die; None is an ideal chip with lossless converters.
    wafer : int, 0..2**64-1
        Which wafer the die is from.
    calibration : array of shape ``(batch, *input)``, dict of such by input, or None
        Integers of the input type, or real inputs; needed for the range of converters only.
    name : str
        Name of the network.

    Raises
    ------
    ConversionError
        If the file is damaged or holds what cannot be converted; ``findings`` lists all of it.
    ParameterError
        If an argument is outside its range.
    """
    if input_type is None and Path(path).suffix != ".tflite":
        raise ParameterError(
            "convert: input_type must be given for an ONNX model, the integers that stand for its "
            "input: IntType(8) for bytes, for example"
        )
    graph = load_quantised(path, input_type=input_type, input_scale=input_scale)
    settings = Settings(
        chip=Chip(mtj_config, seed=chip_seed or 0, ideal=chip_seed is None, wafer=wafer),
        quantization_bits=mtj_config.level_bits,
        crossbar_size=crossbar_size,
        adc_bits=None if chip_seed is None else adc_bits,
        dac_bits=dac_bits,
        scheme=scheme,
        code_steps=code_steps,
    )
    return place(graph, settings, calibration=calibration, name=name)


def load_quantised(
    path: str | Path,
    *,
    input_type: IntType | Mapping[str, IntType] | None = None,
    input_scale: float | Mapping[str, float] = 1.0,
) -> IntegerGraph:
    """Read a quantised model of ONNX or, where the file is named so, of TFLite.

    Parameters
    ----------
    path : path
        An ``.onnx`` or ``.tflite`` file.
    input_type, input_scale
        As for :func:`convert_quantised`.

    Raises
    ------
    ConversionError
        If the file is damaged or holds what cannot be converted; ``findings`` lists all of it.
    """
    if Path(path).suffix == ".tflite":
        from .tflite_front import load_tflite

        return load_tflite(path, input_type=input_type, input_scale=input_scale)
    from .onnx_front import load_onnx

    return load_onnx(path, input_type=input_type, input_scale=input_scale)


def place(
    graph: IntegerGraph,
    settings: Settings,
    *,
    calibration: ArrayLike | Mapping[str, ArrayLike] | None = None,
    name: str = "network",
) -> SpintronicModel:
    """Put a quantised model on a chip.

    On an ideal chip a code is one level of a device: sums of devices are the sums of integers, and
    every requantiser stays as it is. On a sampled one each column has the straight line from its
    sums to the integers, and requantisers are moved along it.

    Parameters
    ----------
    graph : IntegerGraph
        The model.
    settings : Settings
        Of these the chip, ``crossbar_size``, ``adc_bits``, ``dac_bits`` and ``scheme`` count.
    calibration : array of shape ``(batch, *input)``, dict of such by input, or None
        Integers of the input types, or real inputs; needed for the range of converters only.
    name : str
        Name of the network.

    Raises
    ------
    ParameterError
        If converters need a range and there are no calibration data.
    """
    if settings.scheme == "reference" or settings.code_steps != "network":
        raise ParameterError(
            "convert: a quantised model needs the scheme 'pair' or 'columns', which have a weight "
            "of zero, and code_steps='network'"
        )
    if settings.adc_bits is not None and calibration is None:
        raise ParameterError(
            f"convert: calibration must be given for converters of {settings.adc_bits} bits, whose "
            "range it fixes: some hundred inputs; or take lossless converters, adc_bits=None "
            "(--adc-bits 0), or an ideal chip"
        )
    codes, count, clipped = input_codes(graph.inputs, calibration)
    walk = _Walk(graph, settings, Frames(codes, 0 if settings.chip.ideal else count))
    nodes = [walk.node(node) for node in graph.nodes]
    lines = {output.name: walk.line(output) for output in graph.outputs}
    network = Network(
        name=name,
        inputs=graph.inputs,
        nodes=tuple(nodes),
        outputs=tuple(
            Output(name=output.name, node=output.node, scale=_scale(lines[output.name][0]))
            for output in graph.outputs
        ),
        metadata=_metadata(graph, settings, lines),
    )
    layers = [node.layer for node in nodes if isinstance(node.layer, Dense)]
    rule = tile_rule(settings.chip, layers, settings.crossbar_size) if layers else None
    return SpintronicModel(
        network, settings.chip, ConversionReport(tuple(walk.reports), clipped, count, rule)
    )


class _Walk:
    """The nodes of a model in order, put on a chip one by one."""

    def __init__(self, graph: IntegerGraph, settings: Settings, frames: Frames) -> None:
        self.settings, self.frames = settings, frames
        self.reports: list[LayerReport] = []
        self.types = {port.name: port.type for port in graph.inputs}
        self.slopes: dict[str, float] = {}
        self._last = {source: node.name for node in graph.nodes for source in node.inputs}
        takers: dict[str, list[IntegerNode]] = {}
        for node in graph.nodes:
            for source in node.inputs:
                takers.setdefault(source, []).append(node)
        # Sums of a last layer need not be integers of the model again: their scale is free.
        self._free: dict[str, bool] = {}
        for node in reversed(graph.nodes):
            self._free[node.name] = all(
                _keeps_order(taker.op) and self._free[taker.name]
                for taker in takers.get(node.name, ())
            )

    def node(self, node: IntegerNode) -> Node:
        """One node of the network."""
        layer: Any
        if isinstance(node.op, Matrix):
            layer = self._matrix(node, node.op)
        else:
            layer = node.op
            source = node.inputs[0]
            if source in self.slopes:
                layer = _of_type(layer, self.types[source])
                if not isinstance(layer, (Argmax, TopK)):
                    self.slopes[node.name] = self.slopes[source]
        self.types[node.name] = layer.type
        self.frames.add(node.name, layer, node.inputs)
        for source in node.inputs:
            if self._last[source] == node.name:
                self.frames.drop(source)
        return Node(name=node.name, layer=layer, inputs=node.inputs)

    def line(self, output: IntegerOutput) -> tuple[Reals, Reals]:
        """Gain and offset of what a network gives."""
        return output.gain * self.slopes.get(output.node, 1.0), output.offset

    def _matrix(self, node: IntegerNode, matrix: Matrix) -> Dense:
        """A matrix on the chip, with its requantiser."""
        settings, chip = self.settings, self.settings.chip
        levels, places, unit = _devices(matrix.weights, chip.config)
        layer, array = write_devices(
            node.name,
            levels,
            slice_shift=places,
            kind=matrix.input,
            chip=chip,
            scheme=settings.scheme,
            crossbar_size=settings.crossbar_size,
            dac_bits=settings.dac_bits,
            blocks=matrix.blocks,
        )
        beside = 0.0
        if chip.ideal:
            digits: Any = levels if chip.config.level_fractions is None else np.minimum(levels, 1)
            layer = replace(layer, codes=digits, cell_bits=max(int(digits.max()).bit_length(), 1))
            unit = 1
        vectors = self.frames.vectors(node.inputs[0], replace(layer, positions=matrix.positions))
        layer, choice = with_converters(node.name, layer, vectors, settings.adc_bits, chip)
        mapped = MappedLayer(layer, float(unit), levels, array)
        if len(vectors):
            beside = bias_error(node.name, mapped, chip, vectors)
        free = matrix.requantise is None and self._free[node.name]
        if choice is None:
            cols = np.ones(layer.cols)
            line = Line(cols / unit, 0 * cols, unit)
        else:
            line = _fitted(matrix, layer, vectors, choice.step / unit, per_channel=not free)
        layer = self._requantised(node.name, matrix, layer, line, free)
        self.reports.append(
            layer_report(node.name, mapped, choice, settings, weight_error=0.0, bias_error=beside)
        )
        return layer

    def _requantised(
        self, name: str, matrix: Matrix, layer: Dense, line: Line, free: bool
    ) -> Dense:
        """The layer with a requantiser and a bias, in units of its own sums."""
        requantise: Any = matrix.requantise
        bias: Any = matrix.bias
        if line.unit != 1:
            if requantise is not None:
                requantise, bias = moved(requantise, matrix.total, line, bias)
            elif free:
                slope = float(line.slope[0])
                bias = np.round((line.offset + bias) / slope).astype(np.int64)
                self.slopes[name] = slope
            else:
                requantise, bias = whole(matrix.total, line, bias)
        if np.abs(bias).max(initial=0) >= 1 << 31:
            raise ParameterError(
                f"convert: the bias of {name} must stay below 2**31 in units of its sums, not "
                f"reach {np.abs(bias).max()}: take fewer cell bits, or a bias of fewer bits"
            )
        return replace(layer, bias=bias, requantise=requantise, positions=matrix.positions)


def _keeps_order(op: Matrix | Layer) -> bool:
    """Whether an operation does the same to integers in any unit."""
    return isinstance(op, (Flatten, Argmax, TopK)) or (isinstance(op, Gather) and not op.pad_value)


def _of_type(layer: Any, kind: IntType) -> Any:
    """A layer that keeps the order of values, for values of another type."""
    field = "input" if isinstance(layer, (Argmax, TopK)) else "type"
    return replace(layer, **{field: kind})


def _scale(gain: Reals) -> float:
    """Real value of one unit of an output, where it is one for all."""
    flat = np.ravel(gain)
    return float(flat[0]) if (flat == flat[0]).all() and flat[0] > 0 else 1.0


def _devices(weights: Ints, config: MTJConfig) -> tuple[NDArray[np.integer], tuple[int, ...], int]:
    """Levels of the devices of integers, places of their slices, and the sum of the weight 1.

    The digits of a positive weight are levels of its first device, those of a negative one of its
    second; the other stays on the lowest level. Devices of uneven levels use the two ends alone.
    """
    even = config.level_fractions is None
    digit = config.level_bits if even else 1
    widest = int(np.abs(weights).max(initial=1)).bit_length()
    bits = -(-max(widest, 1) // digit) * digit
    parts = np.stack([np.maximum(weights, 0), np.maximum(-weights, 0)]).transpose(0, 2, 1)
    levels = weight_levels(parts, bits, digit)
    if not even:
        levels = levels * (config.levels - 1)
    unit = config.level_codes if even else config.range_codes
    return levels, tuple(range(0, bits, digit)), unit


def _fitted(
    matrix: Matrix, layer: Dense, vectors: Ints, nominal: float, *, per_channel: bool
) -> Line:
    """Straight line through the calibration data; one slope for all where sums are compared."""
    blocks = matrix.blocks or 1
    parts = vectors.reshape(len(vectors), blocks, -1).astype(np.float64)
    weights = matrix.weights.reshape(blocks, -1, matrix.weights.shape[1]).astype(np.float64)
    target = np.einsum("nbr,bcr->nbc", parts, weights, optimize=True)
    slope, offset = fit_line(
        layer.accumulate(vectors).astype(np.float64),
        target.reshape(len(vectors), -1),
        per_channel=per_channel,
        nominal=np.full(layer.cols, nominal),
    )
    return Line(slope, offset)


def _metadata(
    graph: IntegerGraph, settings: Settings, lines: dict[str, tuple[Reals, Reals]]
) -> dict[str, str]:
    chip = settings.chip
    made = {
        "crossbar_size": settings.crossbar_size,
        "adc_bits": settings.adc_bits,
        "dac_bits": settings.dac_bits,
        "scheme": settings.scheme,
    }
    found = {
        name: {"gain": gain.tolist(), "offset": offset.tolist()}
        for name, (gain, offset) in lines.items()
    }
    return {
        "mtj": chip.config.text,
        "chip": json.dumps(
            {"seed": chip.seed, "wafer": chip.wafer, "ideal": chip.ideal}, sort_keys=True
        ),
        "conversion": json.dumps(made, sort_keys=True),
        KEY: json.dumps(found, sort_keys=True),
        "notes": "\n".join(graph.notes),
    }
