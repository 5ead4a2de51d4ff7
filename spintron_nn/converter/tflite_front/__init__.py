"""TFLite models of 8 bits, read with the ``tflite`` package alone."""

from .parse import load_tflite

__all__ = ["load_tflite"]
