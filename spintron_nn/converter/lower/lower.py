"""A model of real operations onto a chip."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_ir import ConversionError, IntType, Network, ParameterError, Port

from ..graph import (
    Add,
    Affine,
    ArgmaxOf,
    Concatenate,
    Conv,
    Function,
    Linear,
    Model,
    Mul,
    Norm,
    Pad,
    Permute,
    PoolOf,
    Reshape,
    Slice,
    SoftmaxOf,
    TopKOf,
    Upsample,
)
from ..model import SpintronicModel
from ..quantise import codes_of
from ..report import ConversionReport
from ..settings import Settings
from ..trained import Trained
from ..wires import tile_rule
from .check import check
from .ending import argmax, outputs_of, softmax, top
from .joins import add, concatenate, met_only, multiply
from .matrices import conv, linear, scores_of
from .named import bits_of, check_matrices, check_tensors, scale_of
from .pools import pool
from .rewrite import simplified, uses_of
from .values import affine, function, norm, pad, permute, reshape, sliced, upsample
from .work import Signal, Work

__all__ = ["lower"]

Reals = NDArray[np.float64]

_MAKERS: dict[type, Callable[..., Any]] = {
    Add: add,
    Affine: affine,
    ArgmaxOf: argmax,
    Concatenate: concatenate,
    Conv: conv,
    Function: function,
    Linear: linear,
    Mul: multiply,
    Norm: norm,
    Pad: pad,
    Permute: permute,
    PoolOf: pool,
    Reshape: reshape,
    Slice: sliced,
    SoftmaxOf: softmax,
    TopKOf: top,
    Upsample: upsample,
}


def lower(
    model: Model,
    data: Mapping[str, Reals],
    settings: Settings,
    name: str = "network",
    trained: Trained | None = None,
) -> SpintronicModel:
    """Put a model of real operations on a chip.

    Parameters
    ----------
    model : Model
        The model.
    data : dict of str to float64 array of shape ``(frames, *input)``
        Calibration data of every input, as many frames of each.
    settings : Settings
        Choices of the conversion.
    name : str
        Name of the network.
    trained : Trained or None
        Quantisers that are not to be found from the data.

    Raises
    ------
    ConversionError
        If the model holds what cannot be converted; ``findings`` lists all of it, before any work.
    ParameterError
        If bits or quantisers are given for names that the model has not.
    """
    findings = check(model, settings)
    if findings:
        raise ConversionError(findings)
    model = simplified(model)
    frames = len(next(iter(data.values())))
    trained = Trained() if trained is None else trained
    if not isinstance(trained, Trained):
        raise ParameterError(f"convert: trained must be a Trained, not {trained!r}")
    check_matrices(model, settings, trained)
    work = Work(settings, frames, _joins(model), uses_of(model), scores_of(model), trained)
    work.given.update(model.outputs.values())
    work.met.update(met_only(model))
    ports, clipped = _ports(work, model, data)
    for step in model.steps:
        work.values[step.name] = _MAKERS[type(step.operation)](work, step, step.operation)
        for source in step.inputs:
            work.uses[source] -= 1
            if not work.uses[source]:
                del work.values[source]
    outputs = outputs_of(work, model, classify=settings.classify)
    check_tensors(work)
    network = Network(
        name=name,
        inputs=tuple(ports),
        nodes=tuple(work.nodes),
        outputs=tuple(outputs),
        metadata=_metadata(settings),
    )
    layers = work.dense_layers()
    rule = tile_rule(settings.chip, layers, settings.crossbar_size) if layers else None
    report = ConversionReport(
        tuple(work.layers),
        clipped,
        frames,
        rule,
        tuple(work.stages),
        Trained(work.scales, work.steps, work.adc_steps),
    )
    return SpintronicModel(network, settings.chip, report)


def _joins(model: Model) -> bool:
    """Whether a model is more than a chain of matrices, whose scales are left as they are found."""
    plain = Linear, Norm, Reshape
    return any(
        not isinstance(step.operation, plain) and step.operation != Function("relu")
        for step in model.steps
    )


def _ports(work: Work, model: Model, data: Mapping[str, Reals]) -> tuple[list[Port], float]:
    """Inputs as codes, and the share of the data that was cut."""
    ports, cut, total = [], 0, 0
    for given, shape in model.inputs.items():
        name = given if len(model.inputs) > 1 else "x"
        flat = np.asarray(data[given], dtype=np.float64).reshape(work.frames, -1)
        bits = bits_of(work, (given,), work.settings.activation_bits)
        kind = IntType(bits, signed=bool(flat.min() < 0))
        scale = scale_of(work, (given,), flat, kind)
        codes = codes_of(flat, scale, kind).astype(kind.dtype)
        beyond = (flat > (kind.high + 0.5) * scale) | (flat < (kind.low - 0.5) * scale)
        cut, total = cut + int(beyond.sum()), total + flat.size
        work.ports[name] = shape, kind
        index = np.arange(flat.shape[1]).reshape(shape)
        work.values[given] = Signal(name, codes, kind, scale, index)
        ports.append(Port(name=name, shape=shape, type=kind, scale=scale))
    work.inputs.update(port.name for port in ports)
    return ports, cut / total


def _metadata(settings: Settings) -> dict[str, str]:
    chip = settings.chip
    made: dict[str, Any] = {
        "quantization_bits": settings.quantization_bits,
        "activation_bits": settings.activation_bits,
        "crossbar_size": settings.crossbar_size,
        "adc_bits": settings.adc_bits,
        "dac_bits": settings.dac_bits,
        "scheme": settings.scheme,
        "code_steps": settings.code_steps,
        "recalibrate": settings.recalibrate,
    }
    for title in ("layer_bits", "layer_activation_bits"):
        if bits := getattr(settings, title):
            made[title] = {name: int(count) for name, count in bits.items()}
    if settings.percentile is not None:
        made["percentile"] = settings.percentile
    return {
        "mtj": chip.config.text,
        "chip": json.dumps(
            {"seed": chip.seed, "wafer": chip.wafer, "ideal": chip.ideal}, sort_keys=True
        ),
        "conversion": json.dumps(made, sort_keys=True),
    }
