"""Models that are integers already, on the devices of a chip."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import (
    Argmax,
    Dense,
    Flatten,
    IntType,
    Network,
    Node,
    Output,
    ParameterError,
    Port,
    Quantise,
    Thresholds,
)
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

from .calibrate import fit_line
from .mapping import MappedLayer, weight_levels, write_devices
from .model import SpintronicModel, real_array
from .onnx_front import MatrixStage, QuantisedModel, load_onnx
from .quantise import codes_of
from .real_adc import with_converters
from .report import ConversionReport, LayerReport, layer_report
from .scores import KEY
from .settings import Settings
from .wires import bias_error, tile_rule

__all__ = ["convert_onnx", "place_model"]

Ints = NDArray[np.int64]
Reals = NDArray[np.float64]


def convert_onnx(
    mtj_config: MTJConfig,
    path: str | Path,
    *,
    input_type: IntType,
    input_scale: float = 1.0,
    crossbar_size: int = 128,
    adc_bits: int | None = 8,
    dac_bits: int = 1,
    scheme: str = "pair",
    code_steps: str = "network",
    chip_seed: int | None = None,
    wafer: int = 0,
    calibration: ArrayLike | None = None,
    name: str = "network",
) -> SpintronicModel:
    """Put a quantised ONNX model on a chip.

    On an ideal chip the network computes exactly the integers that the graph means. On a sampled
    one each channel's thresholds are those of the straight line from the sums of its devices to
    the integers.

    Parameters
    ----------
    mtj_config : MTJConfig
        The technology.
    path : path
        An ``.onnx`` file with Quant, or with QuantizeLinear and DequantizeLinear.
    input_type : IntType, at most 16 bits
        Integers that stand for the real input.
    input_scale : float
        Real value of one unit of the input.
    crossbar_size, adc_bits, dac_bits, scheme, code_steps
        Fields of :class:`~spintron_nn.converter.settings.Settings`; the scheme ``reference``, which
        has no zero weight, and the code steps ``column`` are refused.
    chip_seed : int or None
        Which die; None is an ideal chip with lossless converters.
    wafer : int, 0..2**64-1
        Which wafer the die is from.
    calibration : array of shape ``(batch, *input)`` or None
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
    model = load_onnx(path, input_type=input_type, input_scale=input_scale)
    settings = Settings(
        chip=Chip(mtj_config, seed=chip_seed or 0, ideal=chip_seed is None, wafer=wafer),
        quantization_bits=mtj_config.level_bits,
        crossbar_size=crossbar_size,
        adc_bits=None if chip_seed is None else adc_bits,
        dac_bits=dac_bits,
        scheme=scheme,
        code_steps=code_steps,
        classify=model.classify,
    )
    return place_model(model, settings, calibration=calibration, name=name)


def place_model(
    model: QuantisedModel,
    settings: Settings,
    *,
    calibration: ArrayLike | None = None,
    name: str = "network",
) -> SpintronicModel:
    """Put integers on a chip.

    Parameters
    ----------
    model : QuantisedModel
        Its integers.
    settings : Settings
        Of these the chip, ``crossbar_size``, ``adc_bits``, ``dac_bits`` and ``scheme`` count.
    calibration, name
        As for :func:`convert_onnx`.

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
    codes, clipped = _codes(model, calibration)
    port = Port(name="x", shape=model.input_shape, type=model.input_type, scale=model.input_scale)
    nodes: list[Node] = []
    reports: list[LayerReport] = []

    def add(wanted: str, layer: Any) -> None:
        nodes.append(Node(name=wanted, layer=layer, inputs=(nodes[-1].name if nodes else "x",)))

    if len(model.input_shape) > 1:
        add("flatten", Flatten(in_shape=model.input_shape, type=model.input_type))
    count, kind, line = int(np.prod(model.input_shape)), model.input_type, _Line(1.0, 0.0)
    for stage in model.stages:
        layer: Dense | Quantise
        if isinstance(stage, MatrixStage):
            layer, line, report = _matrix(stage, codes, settings)
            reports.append(report)
        else:
            layer = Quantise(in_shape=(count,), input=kind, requantise=stage.thresholds)
            line = _Line(1.0, 0.0)
        add(stage.name, layer)
        codes = layer.run(codes)
        count, kind = layer.shape[0], layer.type
    gain, offset = model.gain * line.slope, model.gain * line.offset + model.offset
    if model.classify:
        add(_free("argmax", nodes), Argmax(input=kind, length=count))
        gain, offset = np.ones(1), np.zeros(1)
    title = "class" if model.classify else "scores"
    scale = float(gain[0]) if (gain == gain[0]).all() else 1.0
    network = Network(
        name=name,
        inputs=(port,),
        nodes=tuple(nodes),
        outputs=(Output(name=title, node=nodes[-1].name, scale=scale),),
        metadata=_metadata(model, settings, title, gain, offset),
    )
    layers = [node.layer for node in nodes if isinstance(node.layer, Dense)]
    rule = tile_rule(settings.chip, layers, settings.crossbar_size) if layers else None
    return SpintronicModel(
        network, settings.chip, ConversionReport(tuple(reports), clipped, len(codes), rule)
    )


def _free(wanted: str, nodes: Sequence[Node]) -> str:
    while any(node.name == wanted for node in nodes):
        wanted += "_"
    return wanted


def _codes(model: QuantisedModel, calibration: Any) -> tuple[Ints, float]:
    """Calibration data as integers of the input, flat, and the share that was cut."""
    count, kind = int(np.prod(model.input_shape)), model.input_type
    if calibration is None:
        return np.zeros((0, count), dtype=np.int64), 0.0
    data = real_array("convert", "calibration", calibration)
    if data.shape[1:] != model.input_shape or data.ndim < 2 or not data.size:
        sizes = ", ".join(map(str, model.input_shape))
        raise ParameterError(
            f"convert: calibration must have the shape (batch, {sizes}), not {data.shape}"
        )
    flat = data.reshape(len(data), count)
    scale = 1.0 if np.asarray(calibration).dtype.kind in "iu" else model.input_scale
    beyond = (flat > (kind.high + 0.5) * scale) | (flat < (kind.low - 0.5) * scale)
    return codes_of(flat, scale, kind), float(np.mean(beyond))


@dataclass(frozen=True, eq=False)
class _Line:
    """From the sums of devices to the integers that they stand for."""

    slope: Any
    offset: Any


def _devices(weights: Ints, config: MTJConfig) -> tuple[Ints, tuple[int, ...], int]:
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


def _matrix(
    stage: MatrixStage, codes: Ints, settings: Settings
) -> tuple[Dense, _Line, LayerReport]:
    """A matrix on the chip, with the thresholds of its sums."""
    chip, name = settings.chip, stage.name
    levels, places, unit = _devices(stage.weights, chip.config)
    layer, array = write_devices(
        name,
        levels,
        slice_shift=places,
        kind=stage.kind,
        chip=chip,
        scheme=settings.scheme,
        crossbar_size=settings.crossbar_size,
        dac_bits=settings.dac_bits,
    )
    layer, choice = with_converters(name, layer, codes, settings.adc_bits, chip)
    line = _Line(1.0 / unit, 0.0)
    if choice is not None:
        line = _fitted(stage, layer, codes, choice.step / unit)
    mapped = MappedLayer(layer, float(unit), levels, array)
    beside = bias_error(name, mapped, chip, codes) if len(codes) else 0.0
    if stage.thresholds is not None:
        found = _thresholds(stage, line, unit if choice is None else None)
        layer = replace(layer, requantise=found)
        slope: Any = 1.0
    elif choice is None:
        bias: Any = stage.bias * unit
        layer, slope = replace(layer, bias=bias), line.slope
    else:
        slope = line.slope[0]
        bias = np.round((line.offset + stage.bias) / slope).astype(np.int64)
        layer = replace(layer, bias=bias)
    report = layer_report(name, mapped, choice, settings, weight_error=0.0, bias_error=beside)
    return layer, _Line(slope, 0.0), report


def _fitted(stage: MatrixStage, layer: Dense, codes: Ints, nominal: float) -> _Line:
    """Straight line through the calibration data; one slope for all where scores are compared."""
    slope, offset = fit_line(
        layer.accumulate(codes).astype(np.float64),
        (codes @ stage.weights.T).astype(np.float64),
        per_channel=stage.thresholds is not None,
        nominal=np.full(layer.cols, nominal),
    )
    return _Line(slope, offset)


def _thresholds(stage: MatrixStage, line: _Line, unit: int | None) -> Thresholds:
    """Thresholds of the sums of devices: halfway between two integers."""
    given = stage.thresholds
    assert given is not None
    sign = given.sign.astype(np.int64)[:, None]
    wanted = given.thresholds - sign * stage.bias[:, None]
    if unit is not None:
        moved = -((1 - 2 * wanted) * unit // 2)
    else:
        slope, offset = line.slope[:, None], line.offset[:, None]
        moved = np.ceil((wanted - 0.5 - sign * offset) / slope).astype(np.int64)
    return replace(given, thresholds=moved)


def _metadata(
    model: QuantisedModel, settings: Settings, title: str, gain: Reals, offset: Reals
) -> dict[str, str]:
    chip = settings.chip
    made = {
        "crossbar_size": settings.crossbar_size,
        "adc_bits": settings.adc_bits,
        "dac_bits": settings.dac_bits,
        "scheme": settings.scheme,
    }
    lines = {title: {"gain": gain.tolist(), "offset": offset.tolist()}}
    return {
        "mtj": json.dumps(chip.config.as_dict(), sort_keys=True),
        "chip": json.dumps(
            {"seed": chip.seed, "wafer": chip.wafer, "ideal": chip.ideal}, sort_keys=True
        ),
        "conversion": json.dumps(made, sort_keys=True),
        KEY: json.dumps(lines, sort_keys=True),
        "notes": "\n".join(model.notes),
    }
