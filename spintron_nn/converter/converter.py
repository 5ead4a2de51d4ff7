"""The converter: a trained PyTorch model onto one sampled chip, as integers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import ParameterError
from spintron_ir.errors import check_bool
from spintron_nn.core.chip import Chip
from spintron_nn.core.mtj_models import MTJConfig

from .files import read_real
from .graph import Model
from .lower import lower
from .model import SpintronicModel, by_name, check_shape, real_array
from .settings import Settings
from .trained import Trained

__all__ = ["SpintronConverter", "calibration_of", "graph_of"]

Reals = NDArray[np.float64]

NONE: Mapping[str, int] = {}
"""No bits of single layers."""


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
        calibration: Any = None,
        chip_seed: int = 0,
        wafer: int = 0,
        scheme: str = "pair",
        code_steps: str = "network",
        ideal: bool = False,
        classify: bool = True,
        recalibrate: bool = True,
        percentile: float | None = None,
        layer_bits: Mapping[str, int] = NONE,
        layer_activation_bits: Mapping[str, int] = NONE,
        trained: Trained | None = None,
        name: str = "network",
    ) -> SpintronicModel:
        """Put a trained model on one chip.

        The model is read as a graph of real operations; what cannot be converted is refused, all at
        once, before any work. Weights are quantised, written to the devices of the chip, and the
        calibration data run through it, layer by layer, as integers: that fixes the range of the
        converters, the statistics of batch normalisations and the activation scales.

        Parameters
        ----------
        quantization_bits ... layer_activation_bits
            Fields of :class:`~spintron_nn.converter.settings.Settings`, where they are explained.
        model : torch.nn.Module, ExportedProgram, path of a ``.pt2`` or ``.onnx`` file, or Model
            Trained model.
        calibration : array or tensor of shape ``(batch, *input)``
            Real inputs like those the model will see; some hundreds suffice. Of several inputs a
            dict by their names, or a tuple in their order.
        chip_seed : int, 0..2**64-1
            Which die of the technology.
        wafer : int, 0..2**64-1
            Which wafer the die is from.
        ideal : bool
            Nominal devices and lossless converters: what quantisation alone does.
        trained : Trained or None
            Scales and steps that training found, in place of those that calibration would choose.
        name : str
            Name of the network.

        Raises
        ------
        ConversionError
            If the model holds what cannot be converted; ``findings`` lists all of it.
        ParameterError
            If an argument is outside its range or the calibration data do not fit the model.
        """
        check_bool("convert", "ideal", ideal)
        settings = Settings(
            chip=Chip(self.mtj_config, seed=chip_seed, ideal=ideal, wafer=wafer),
            quantization_bits=quantization_bits,
            activation_bits=activation_bits,
            crossbar_size=crossbar_size,
            adc_bits=adc_bits,
            dac_bits=dac_bits,
            scheme=scheme,
            code_steps=code_steps,
            classify=classify,
            recalibrate=recalibrate,
            percentile=percentile,
            layer_bits=layer_bits,
            layer_activation_bits=layer_activation_bits,
        )
        if ideal:
            settings = replace(settings, adc_bits=None)
        data = calibration_of(calibration)
        graph = graph_of(model, data)
        return lower(graph, _by_input(graph, data), settings, name, trained)


def graph_of(model: Any, data: Any) -> Model:
    """Read a trained model once, for several conversions.

    Parameters
    ----------
    model : torch.nn.Module, exported program, path or Model
        As for :meth:`SpintronConverter.convert`.
    data : array, dict or tuple of such
        Real inputs that it takes.
    """
    if isinstance(model, Model):
        return model
    if isinstance(model, (str, Path)) and Path(model).suffix == ".onnx":
        return read_real(model)
    from .loading import program_of  # these two load torch, which nothing else here needs
    from .pytorch_front import parse

    return parse(program_of(model, data))


def calibration_of(value: Any) -> Any:
    """Arrays of numbers in place of calibration data, one or by name or in order."""
    if value is None:
        raise ParameterError(
            "convert: calibration must be given: some hundred real inputs, of shape "
            "(batch, *input); they fix the ranges of inputs, converters and activations"
        )
    if isinstance(value, Mapping):
        return {name: _array(f"calibration[{name!r}]", part) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(_array(f"calibration[{place}]", part) for place, part in enumerate(value))
    return _array("calibration", value)


def _array(name: str, value: Any) -> Reals:
    data = real_array("convert", name, value)
    if data.ndim < 2 or data.size == 0:
        raise ParameterError(
            f"convert: {name} must hold at least one input, as an array of shape "
            f"(batch, *input), not of shape {data.shape}"
        )
    return data


def _by_input(model: Model, data: Any) -> dict[str, Reals]:
    """Calibration data of each input of a model, as many of each."""
    names = list(model.inputs)
    given = by_name("convert", "calibration", data, names)
    for name, shape in model.inputs.items():
        title = "calibration" if len(names) == 1 else f"calibration[{name!r}]"
        check_shape("convert", title, given[name].shape, shape)
    counts = {len(found) for found in given.values()}
    if len(counts) > 1:
        raise ParameterError(
            "convert: calibration must have as many frames of each input, not "
            f"{', '.join(str(len(given[name])) for name in names)}"
        )
    return given
