"""Quantised ONNX models, read with the ``onnx`` package alone."""

from .parse import load_onnx

__all__ = ["load_onnx"]
