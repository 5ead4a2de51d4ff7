"""ONNX models without quantisers, read with the ``onnx`` package alone."""

from .load import load_real_onnx

__all__ = ["load_real_onnx"]
