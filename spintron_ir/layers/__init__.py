"""Layers: one frozen record a kind, with its fields, checks, shapes and numbers."""

from .argmax import Argmax
from .base import Layer
from .cell import Cell
from .concat import Concat
from .dense import Adc, Dense, Noise
from .flatten import Flatten
from .gather import Gather
from .join import Join
from .pool import Pool
from .quantise import Quantise
from .softmax import Softmax
from .topk import TopK
from .window import Window

__all__ = [
    "Adc",
    "Argmax",
    "Cell",
    "Concat",
    "Dense",
    "Flatten",
    "Gather",
    "Join",
    "Layer",
    "Noise",
    "Pool",
    "Quantise",
    "Softmax",
    "TopK",
    "Window",
]
