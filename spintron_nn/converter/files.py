"""Which front end reads a file: real or quantised, by what stands in it."""

from __future__ import annotations

from pathlib import Path

from spintron_ir import ConversionError

from .graph import Model

__all__ = ["is_quantised", "read_real"]

QUANTISERS = (
    "BipolarQuant", "ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear", "IntQuant",
    "MatMulInteger", "MultiThreshold", "QLinearConv", "QLinearMatMul", "Quant", "QuantizeLinear",
    "Trunc",
)  # fmt: skip
"""Operators of ONNX that only a quantised model has."""


def is_quantised(path: str | Path) -> bool:
    """Whether a file holds integers: a ``.tflite`` file, or an ``.onnx`` file with quantisers.

    Raises
    ------
    ConversionError
        If an ``.onnx`` file is damaged.
    """
    path = Path(path)
    if path.suffix != ".onnx":
        return path.suffix == ".tflite"
    from .onnx_front.reading import read_graph

    # Opsets and operators are for the front end to judge.
    graph = read_graph(path, opsets=range(1, 1 << 16))
    return any(operation.kind in QUANTISERS for operation in graph.operations)


def read_real(path: str | Path) -> Model:
    """Read a model of real numbers, ``.pt2`` or ``.onnx``.

    Raises
    ------
    ConversionError
        If the file is damaged, or holds what cannot be converted.
    """
    path = Path(path)
    if path.suffix == ".onnx":
        from .onnx_float import load_real_onnx

        try:
            return load_real_onnx(path)
        except ConversionError as error:
            if not is_quantised(path):
                raise
            raise ConversionError(
                [f"{path.name}: is quantised already; convert it with convert_quantised, and "
                 "--input-type on the command line"]
            ) from error  # fmt: skip
    from .loading import load_pt2  # these two load torch
    from .pytorch_front import parse

    return parse(load_pt2(path))
