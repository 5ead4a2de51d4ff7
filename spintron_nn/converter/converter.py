"""The converter: a trained PyTorch model onto one sampled chip, as integers."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from spintron_ir import Argmax, Flatten, IntType, Network, Node, Output, ParameterError, Port
from spintron_ir.errors import check_bool, check_choice, check_int
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

from .calibrate import Signal, StageSettings, convert_last, convert_stage
from .mapping import check_bits
from .model import SpintronicModel, real_array
from .quantise import best_scale, codes_of
from .report import ConversionReport, LayerReport
from .stack import Stack

__all__ = ["SpintronConverter"]

SCHEMES = ("pair", "columns", "reference")


class SpintronConverter:
    """Converts trained models for one device technology.

    Parameters
    ----------
    mtj_config : MTJConfig
        The technology.
    """

    def __init__(self, mtj_config: MTJConfig) -> None:
        if not isinstance(mtj_config, MTJConfig):
            raise ParameterError(
                f"SpintronConverter: mtj_config must be an MTJConfig, not {mtj_config!r}"
            )
        self.mtj_config = mtj_config

    def convert(
        self,
        model: Any,
        *,
        quantization_bits: int = 2,
        activation_bits: int = 4,
        crossbar_size: int = 128,
        adc_bits: int | None = 8,
        dac_bits: int = 1,
        calibration: ArrayLike | None = None,
        chip_seed: int = 0,
        scheme: str = "pair",
        ideal: bool = False,
        classify: bool = True,
        recalibrate: bool = True,
        name: str = "network",
    ) -> SpintronicModel:
        """Put a trained model on one chip.

        The model is read as a stack of Linear, BatchNorm1d and ReLU layers; everything else is
        refused, all at once, before any work. Weights are quantised, written to the devices of the
        chip, and the calibration data run through it, layer by layer, as integers: that fixes the
        range of the converters, the statistics of batch normalisations and the activation scales.

        Parameters
        ----------
        model : torch.nn.Module, torch.export.ExportedProgram or path of a ``.pt2`` file
            Trained model.
        quantization_bits : int, 1..8
            Bits of a weight; the levels are the odd integers, there is no zero.
        activation_bits : int, 1..8
            Bits of inputs and activations.
        crossbar_size : int, 2..4096
            Rows and columns of a tile.
        adc_bits : int, 1..16, or None
            Bits of a column converter: one is a sense amplifier, None is lossless.
        dac_bits : int, 1..8
            Input bits applied in one read; cut to the bits of the input.
        calibration : array or tensor of shape ``(batch, *input)``
            Real inputs like those the model will see; some hundreds suffice.
        chip_seed : int, 0..2**64-1
            Which die of the technology.
        scheme : str
            ``pair``: two devices a weight, currents subtracted. ``columns``: the two digitized each.
            ``reference``: one device a weight and a reference column a tile.
        ideal : bool
            Nominal devices and lossless converters: what quantisation alone does.
        classify : bool
            Add an output ``class``, the index of the largest score, next to ``scores``.
        recalibrate : bool
            Measure the statistics of batch normalisations on the chip, rather than keep the
            model's.
        name : str
            Name of the network.

        Raises
        ------
        ConversionError
            If the model holds what cannot be converted; ``findings`` lists all of it.
        ParameterError
            If an argument is outside its range or the calibration data do not fit the model.
        """
        check_int("convert", "quantization_bits", quantization_bits, 1, 8)
        check_int("convert", "activation_bits", activation_bits, 1, 8)
        check_int("convert", "crossbar_size", crossbar_size, 2, 4096)
        check_int("convert", "dac_bits", dac_bits, 1, 8)
        check_choice("convert", "scheme", scheme, SCHEMES)
        if adc_bits is not None:
            check_int("convert", "adc_bits", adc_bits, 1, 16)
        for key, value in (("ideal", ideal), ("classify", classify), ("recalibrate", recalibrate)):
            check_bool("convert", key, value)
        check_bits(self.mtj_config, quantization_bits, scheme)
        data = _calibration(calibration)

        from .loading import program_of
        from .pytorch_parser import parse

        stack = parse(program_of(model, data))
        if data.shape[1:] != stack.input_shape:
            raise ParameterError(
                f"convert: calibration must have the shape (batch, "
                f"{', '.join(str(size) for size in stack.input_shape)}), not {data.shape}"
            )
        settings = StageSettings(
            quantization_bits=quantization_bits,
            activation_bits=activation_bits,
            crossbar_size=crossbar_size,
            adc_bits=None if ideal else adc_bits,
            dac_bits=dac_bits,
            scheme=scheme,
            recalibrate=recalibrate,
            chip=Chip(self.mtj_config, seed=chip_seed, ideal=ideal),
        )
        return _assemble(stack, data, settings, classify=classify, name=name)


def _calibration(value: Any) -> Any:
    if value is None:
        raise ParameterError(
            "convert: calibration must be given: some hundred real inputs, of shape "
            "(batch, *input); they fix the ranges of inputs, converters and activations"
        )
    data = real_array("convert", "calibration", value)
    if data.ndim < 2 or data.size == 0:
        raise ParameterError(
            "convert: calibration must hold at least one input, as an array of shape "
            f"(batch, *input), not of shape {data.shape}"
        )
    return data


def _assemble(
    stack: Stack, data: Any, settings: StageSettings, *, classify: bool, name: str
) -> SpintronicModel:
    """Convert stage by stage and join the layers."""
    flat = data.reshape(len(data), -1)
    kind = IntType(settings.activation_bits, signed=bool(flat.min() < 0))
    scale = best_scale(flat, kind)
    signal = Signal(codes_of(flat, scale, kind), kind, scale)
    clipped = float(np.mean((flat > (kind.high + 0.5) * scale) | (flat < (kind.low - 0.5) * scale)))
    port = Port(name="x", shape=stack.input_shape, type=kind, scale=scale)
    taken = {"x"}
    nodes: list[Node] = []
    reports: list[LayerReport] = []

    def add(wanted: str, layer: Any) -> str:
        free = wanted
        while free in taken:
            free += "_"
        taken.add(free)
        nodes.append(Node(name=free, layer=layer, inputs=(nodes[-1].name if nodes else "x",)))
        return free

    if len(stack.input_shape) > 1:
        add("flatten", Flatten(in_shape=stack.input_shape, type=kind))
    for stage in stack.stages[:-1]:
        layer, signal, report = convert_stage(stage, signal, settings)
        add(stage.name, layer)
        reports.append(report)
    last, score_scale, report = convert_last(stack.stages[-1], signal, settings)
    reports.append(report)
    scores = add(stack.stages[-1].name, last)
    outputs = [Output(name="scores", node=scores, scale=score_scale)]
    if classify:
        best = add("argmax", Argmax(input=last.type, length=last.cols))
        outputs.append(Output(name="class", node=best))
    network = Network(
        name=name,
        inputs=(port,),
        nodes=tuple(nodes),
        outputs=tuple(outputs),
        metadata=_metadata(settings),
    )
    return SpintronicModel(
        network, settings.chip, ConversionReport(tuple(reports), clipped, len(data))
    )


def _metadata(settings: StageSettings) -> dict[str, str]:
    chip = settings.chip
    made = {
        "quantization_bits": settings.quantization_bits,
        "activation_bits": settings.activation_bits,
        "crossbar_size": settings.crossbar_size,
        "adc_bits": settings.adc_bits,
        "dac_bits": settings.dac_bits,
        "scheme": settings.scheme,
        "recalibrate": settings.recalibrate,
    }
    return {
        "mtj": json.dumps(asdict(chip.config), sort_keys=True),
        "chip": json.dumps({"seed": chip.seed, "ideal": chip.ideal}, sort_keys=True),
        "conversion": json.dumps(made, sort_keys=True),
    }
