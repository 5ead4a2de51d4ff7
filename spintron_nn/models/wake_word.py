"""A wake word: was it spoken."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.mtj_models import MTJConfig

from .base import SpintronicNet
from .checks import technology_of
from .speech import speech_features, speech_layers, speech_shape

__all__ = ["Detection", "WakeWordDetector_Spintronic"]

LOUDEST = 30.0
"""Largest standardised coefficient that is taken for one: those of speech stay below 10."""


@dataclass(frozen=True, eq=False)
class Detection:
    """What a detector says.

    Attributes
    ----------
    probability : float, or float64 tensor of shape ``(batch,)``
        Of the wake word, 0..1: the softmax of both scores. A number for one clip.
    scores : float tensor of shape ``(batch, 2)``
        Of anything else, and of the wake word.
    """

    probability: float | Tensor
    scores: Tensor
