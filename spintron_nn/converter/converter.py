"""The converter: a trained PyTorch model onto one sampled chip, as integers."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import Argmax, Dense, Flatten, IntType, Network, Node, Output, ParameterError, Port
from spintron_ir.errors import check_bool
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

from .calibrate import Signal, convert_last, convert_stage
from .model import SpintronicModel, real_array
from .quantise import best_scale, codes_of
from .report import ConversionReport, LayerReport
from .settings import Settings
from .stack import Stack
from .wires import tile_rule

__all__ = ["SpintronConverter"]

Reals = NDArray[np.float64]


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
        wafer: int = 0,
        scheme: str = "pair",
        code_steps: str = "network",
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
        quantization_bits ... recalibrate
            Fields of :class:`~spintron_nn.converter.settings.Settings`, where they are explained.
        model : torch.nn.Module, torch.export.ExportedProgram or path of a ``.pt2`` file
            Trained model.
        calibration : array or tensor of shape ``(batch, *input)``
            Real inputs like those the model will see; some hundreds suffice.
        chip_seed : int, 0..2**64-1
            Which die of the technology.
        wafer : int, 0..2**64-1
            Which wafer the die is from.
        ideal : bool
            Nominal devices and lossless converters: what quantisation alone does.
        name : str
            Name of the network.

        Raises
        ------
        ConversionError
            If the model holds what cannot be converted; ``findings`` lists all of it.
        ParameterError
            If an argument is outside its range or the calibration data do not fit the model.
        """
        settings = Settings(
            chip=Chip(
                self.mtj_config,
                seed=chip_seed,
                ideal=check_bool("convert", "ideal", ideal),
                wafer=wafer,
            ),
            quantization_bits=quantization_bits,
            activation_bits=activation_bits,
            crossbar_size=crossbar_size,
            adc_bits=adc_bits,
            dac_bits=dac_bits,
            scheme=scheme,
            code_steps=code_steps,
            classify=classify,
            recalibrate=recalibrate,
        )
        if ideal:
            settings = replace(settings, adc_bits=None)
        data = _calibration(calibration)
        stack = _stack_of(model, data)
        return _assemble(stack, data, settings, name)


def _stack_of(model: Any, data: Reals) -> Stack:
    from .loading import program_of  # these two load torch, which nothing else here needs
    from .pytorch_parser import parse

    stack = parse(program_of(model, data))
    if data.shape[1:] != stack.input_shape:
        raise ParameterError(
            "convert: calibration must have the shape (batch, "
            f"{', '.join(str(size) for size in stack.input_shape)}), not {data.shape}"
        )
    return stack


def _calibration(value: Any) -> Reals:
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


def _assemble(stack: Stack, data: Reals, settings: Settings, name: str) -> SpintronicModel:
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
    if settings.classify:
        best = add("argmax", Argmax(input=last.type, length=last.cols))
        outputs.append(Output(name="class", node=best))
    network = Network(
        name=name,
        inputs=(port,),
        nodes=tuple(nodes),
        outputs=tuple(outputs),
        metadata=_metadata(settings),
    )
    layers = [node.layer for node in nodes if isinstance(node.layer, Dense)]
    rule = tile_rule(settings.chip, layers, settings.crossbar_size)
    return SpintronicModel(
        network, settings.chip, ConversionReport(tuple(reports), clipped, len(data), rule)
    )


def _metadata(settings: Settings) -> dict[str, str]:
    chip = settings.chip
    made = {
        "quantization_bits": settings.quantization_bits,
        "activation_bits": settings.activation_bits,
        "crossbar_size": settings.crossbar_size,
        "adc_bits": settings.adc_bits,
        "dac_bits": settings.dac_bits,
        "scheme": settings.scheme,
        "code_steps": settings.code_steps,
        "recalibrate": settings.recalibrate,
    }
    return {
        "mtj": json.dumps(chip.config.as_dict(), sort_keys=True),
        "chip": json.dumps(
            {"seed": chip.seed, "wafer": chip.wafer, "ideal": chip.ideal}, sort_keys=True
        ),
        "conversion": json.dumps(made, sort_keys=True),
    }
