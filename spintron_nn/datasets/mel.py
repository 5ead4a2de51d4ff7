"""The mel scale, its filters, and the cosine transform that cepstra need."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spintron_ir import ParameterError
from spintron_ir.errors import check_choice

__all__ = ["cosine_matrix", "hz_to_mel", "mel_filters", "mel_to_hz"]

Reals = NDArray[np.float64]

SCALES = ("htk", "slaney")
HEIGHTS = ("peak", "area")

# Slaney's scale: linear to 1 kHz at 200/3 Hz a mel, then 27 mel for each factor of 6.4.
_STEP, _KNEE, _GROWTH = 200 / 3, 1000.0, math.log(6.4) / 27


def hz_to_mel(hz: Reals | float, scale: str = "htk") -> Reals:
    """Return the pitch in mel of frequencies in Hz.

    ``htk``: ``2595 * log10(1 + hz / 700)``. ``slaney``: linear below 1 kHz, logarithmic above.

    Source
    ------
    Young et al., "The HTK Book" (2006), 5.4; Slaney, "Auditory Toolbox", Interval Research
    TR 1998-010.

    Examples
    --------
    >>> [round(float(hz_to_mel(hz, "slaney")), 6) for hz in (100, 1000, 6400)]
    [1.5, 15.0, 42.0]
    """
    hz = np.asarray(hz, dtype=np.float64)
    if check_choice("hz_to_mel", "scale", scale, SCALES) == "htk":
        return np.asarray(2595 * np.log10(1 + hz / 700))
    above = _KNEE / _STEP + np.log(np.maximum(hz, _KNEE) / _KNEE) / _GROWTH
    return np.where(hz < _KNEE, hz / _STEP, above)


def mel_to_hz(mel: Reals | float, scale: str = "htk") -> Reals:
    """Return the frequencies in Hz of pitches in mel: the inverse of :func:`hz_to_mel`.

    Examples
    --------
    >>> [round(float(mel_to_hz(hz_to_mel(hz, "htk"), "htk")), 6) for hz in (0, 440, 8000)]
    [0.0, 440.0, 8000.0]
    """
    mel = np.asarray(mel, dtype=np.float64)
    if check_choice("mel_to_hz", "scale", scale, SCALES) == "htk":
        return np.asarray(700 * (10 ** (mel / 2595) - 1))
    knee = _KNEE / _STEP
    above = _KNEE * np.exp(_GROWTH * (np.maximum(mel, knee) - knee))
    return np.where(mel < knee, mel * _STEP, above)


def mel_filters(
    *,
    rate: int,
    fft_size: int,
    mels: int,
    low_hz: float,
    high_hz: float,
    scale: str = "htk",
    height: str = "peak",
) -> Tensor:
    """Return triangular filters, spaced evenly in mel, that overlap by half.

    Parameters
    ----------
    rate : int
        Sampling rate in Hz.
    fft_size : int
        Points of the Fourier transform.
    mels : int
        Number of filters.
    low_hz, high_hz : float
        Lower foot of the first and upper foot of the last filter, in Hz.
    scale : str
        ``htk`` or ``slaney``, see :func:`hz_to_mel`.
    height : str
        ``peak``: each filter reaches 1. ``area``: each has area 1 over frequency in Hz, so that
        white noise gives the same in all.

    Returns
    -------
    float32 tensor of shape ``(mels, fft_size // 2 + 1)``

    Raises
    ------
    ParameterError
        If a filter covers no point of the transform.

    Source
    ------
    The HTK Book, 5.4 (``peak``); Slaney, Auditory Toolbox (``area``).
    """
    edges = mel_to_hz(
        np.linspace(hz_to_mel(low_hz, scale), hz_to_mel(high_hz, scale), mels + 2), scale
    )
    bins = np.arange(fft_size // 2 + 1) * (rate / fft_size)
    low, centre, high = edges[:-2, None], edges[1:-1, None], edges[2:, None]
    made = np.maximum(0, np.minimum((bins - low) / (centre - low), (high - bins) / (high - centre)))
    empty = np.flatnonzero(~made.any(axis=1))
    if empty.size:
        raise ParameterError(
            f"mel_filters: each of {mels} filters must cover a point of the transform, and number "
            f"{empty[0]} lies between two, {rate / fft_size:g} Hz apart; ask for fewer mels or a "
            "longer window"
        )
    if check_choice("mel_filters", "height", height, HEIGHTS) == "area":
        made *= 2 / (high - low)
    return torch.from_numpy(made.astype(np.float32))


def cosine_matrix(outputs: int, inputs: int) -> Tensor:
    """Return the first rows of the orthonormal discrete cosine transform of type II.

    Row ``k`` is ``sqrt((1 if k == 0 else 2) / n) * cos(pi * k * (2 * i + 1) / (2 * n))``.

    Returns
    -------
    float32 tensor of shape ``(outputs, inputs)``

    Source
    ------
    Ahmed, Natarajan and Rao, IEEE Trans. Computers C-23 (1974) 90.
    """
    rows, columns = np.arange(outputs)[:, None], np.arange(inputs)
    made = np.cos(np.pi * rows * (2 * columns + 1) / (2 * inputs)) * np.sqrt(2 / inputs)
    made[0] /= np.sqrt(2)
    return torch.from_numpy(made.astype(np.float32))
