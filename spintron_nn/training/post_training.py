"""Quantisation after training: scales and steps from calibration data alone."""

from __future__ import annotations

from typing import Any

from spintron_nn.converter.converter import SpintronConverter
from spintron_nn.converter.trained import Trained
from spintron_nn.core.mtj_models import MTJConfig

__all__ = ["post_training"]


def post_training(model: Any, config: MTJConfig, calibration: Any, **choices: Any) -> Trained:
    """Find scales of activations and steps of weights for a trained model.

    They are those of the least squared error, each for the values that arrive through the quantised
    layers before it, or of a :py:`percentile`, 100 for the largest value. A conversion to a chip
    finds them anew for what that chip computes; given as ``trained=``, all chips have the same.
    Biases need no correction of their own: on every chip a line is fitted for each output, and
    takes up what quantised weights shift.

    Parameters
    ----------
    model : torch.nn.Module, exported program, path or Model
        Trained model, as for ``SpintronConverter.convert``.
    config : MTJConfig
        Technology, whose levels are those of the weights.
    calibration : array, tensor, dict or tuple
        Inputs like those to come; some hundreds.
    **choices
        Arguments of ``SpintronConverter.convert``: ``quantization_bits``, ``layer_bits``,
        ``percentile`` and the others.

    Raises
    ------
    ConversionError
        If the model holds what cannot be converted.
    ParameterError
        If an argument is outside its range.

    Source
    ------
    Nagel et al., "A white paper on neural network quantization", arXiv:2106.08295, 2021, section
    3.1: ranges by least squared error and by largest value.

    Examples
    --------
    >>> import numpy as np
    >>> from torch import nn
    >>> found = post_training(nn.Linear(4, 2), MTJConfig(), np.eye(4), percentile=100)
    >>> {name: round(scale * 15, 9) for name, scale in found.scales.items()}
    {'input': 1.0}
    """
    made = SpintronConverter(config).convert(model, calibration=calibration, ideal=True, **choices)
    return made.report.quantisers
