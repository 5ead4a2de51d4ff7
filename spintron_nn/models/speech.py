"""What the networks for speech share: features of fixed scale, and convolutions over time."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from spintron_ir import ParameterError
from spintron_nn.datasets.features import Features

__all__ = ["FEATURES", "speech_features", "speech_layers", "speech_shape", "standardised"]

FEATURES = Features(coefficients=10)
"""Ten cepstral coefficients of a frame every 20 ms."""

CENTRES = (-80.0, 19.0, 6.6, -1.0, 0.2, 0.4, 0.6, 1.3, 0.9, 0.5)
SPREADS = (76.0, 23.0, 13.0, 15.0, 12.0, 10.0, 8.5, 7.0, 6.5, 6.4)
"""Mean and standard deviation of each coefficient in dB, over the keywords that were spoken for
training."""


def speech_shape(seconds: float) -> tuple[int, int, int]:
    """Shape of one input of so many seconds: one channel, frames, coefficients.

    Examples
    --------
    >>> speech_shape(1.0)
    (1, 49, 10)
    """
    return (1, *FEATURES.shape(round(seconds * FEATURES.rate)))


def speech_features(owner: str, sound: Tensor, seconds: float) -> Tensor:
    """Return the standardised coefficients of sound at 16 kHz.

    Parameters
    ----------
    owner : str
        Who asks, for messages.
    sound : float tensor of shape ``(samples,)`` or ``(batch, samples)``
        In units of full scale.
    seconds : float
        Its length, exactly.

    Returns
    -------
    float32 tensor of shape ``(batch, 1, frames, 10)``

    Raises
    ------
    ParameterError
        If the sound has another length.
    """
    samples = round(seconds * FEATURES.rate)
    if sound.ndim not in (1, 2) or sound.shape[-1] != samples:
        raise ParameterError(
            f"{owner}: sound must have the shape ({samples},) or (batch, {samples}), {seconds:g} s "
            f"at {FEATURES.rate} Hz, not {tuple(sound.shape)}; cut it, or bring it to the rate "
            "with spintron_nn.datasets.wav.resample"
        )
    found = FEATURES(sound.reshape(-1, samples))
    return standardised(found[:, None])


def standardised(features: Tensor) -> Tensor:
    """Return coefficients in dB, the last axis, in units of their spread about their mean."""
    centres, spreads = (
        torch.tensor(numbers, device=features.device) for numbers in (CENTRES, SPREADS)
    )
    return (features - centres) / spreads


def speech_layers(widths: Sequence[int], classes: int) -> nn.Sequential:
    """Convolutions over time, each halving it but the last; a mean over time and one matrix.

    The first reads 6 frames of ten coefficients each: 60 rows of a tile.

    Source
    ------
    Choi et al., "Temporal convolution for real-time keyword spotting on mobile devices",
    Interspeech 2019: coefficients are channels, and kernels span time only.
    """
    first, second, third = widths
    layers: list[nn.Module] = []
    for inputs, outputs, size, stride, padding in (
        (1, first, (6, 10), 2, (2, 0)),
        (first, second, (5, 1), 2, (2, 0)),
        (second, third, (3, 1), 1, (1, 0)),
    ):
        conv = nn.Conv2d(inputs, outputs, size, (stride, 1), padding=padding, bias=False)
        layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(third, classes)]
    return nn.Sequential(*layers)
