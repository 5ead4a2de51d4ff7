"""Quantised ONNX models, read with the ``onnx`` package alone."""

from .model import MatrixStage, QuantisedModel, SingleStage
from .parse import load_onnx

__all__ = ["MatrixStage", "QuantisedModel", "SingleStage", "load_onnx"]
