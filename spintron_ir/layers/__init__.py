"""Layers: one frozen record a kind, with its fields, checks, shapes and numbers."""

from .argmax import Argmax
from .base import Layer
from .cell import Cell
from .dense import Adc, Dense, Noise
from .flatten import Flatten
from .pool import Pool
from .quantise import Quantise
from .window import Window

__all__ = [
    "Adc",
    "Argmax",
    "Cell",
    "Dense",
    "Flatten",
    "Layer",
    "Noise",
    "Pool",
    "Quantise",
    "Window",
]
