"""Features of sound: log-mel spectrograms and mel-frequency cepstral coefficients, in torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.checks import check_real

from .mel import cosine_matrix, mel_filters

__all__ = ["Features"]

FLOOR = 1e-10
"""Least power that a logarithm is taken of: -100 dB."""


@dataclass(frozen=True)
class Features:
    """Log-mel power in dB, or its cepstral coefficients, of windows of sound.

    A frame is ``window_s`` long, and the next starts ``hop_s`` later; the first starts with the
    sound and only whole frames count, so that nothing is padded. A periodic Hann window, the
    squared magnitude of a Fourier transform of the next power of two (not divided by its size),
    triangular filters, then ``10 * log10(max(power, 1e-10))``.

    The defaults are those of the keyword spotters of Zhang et al.: one second gives 49 frames.

    Parameters
    ----------
    rate : int
        Sampling rate in Hz.
    window_s, hop_s : float
        Length and distance of the frames, in s.
    mels : int
        Number of filters.
    coefficients : int or None
        Cepstral coefficients, from the 0th, of the orthonormal DCT-II; None: the log-mel powers.
    low_hz, high_hz : float
        Range of the filters in Hz.
    scale, height : str
        Of the filters, see :func:`mel_filters`.

    Source
    ------
    Davis and Mermelstein, IEEE Trans. ASSP 28 (1980) 357; Zhang, Suda, Lai and Chandra,
    "Hello Edge", arXiv:1711.07128.

    Examples
    --------
    >>> Features(coefficients=10).shape(16000)
    (49, 10)
    """

    rate: int = 16_000
    window_s: float = 0.04
    hop_s: float = 0.02
    mels: int = 40
    coefficients: int | None = None
    low_hz: float = 20.0
    high_hz: float = 4000.0
    scale: str = "htk"
    height: str = "peak"

    def __post_init__(self) -> None:
        name = "Features"
        check_int(name, "rate", self.rate, 1000, 768_000)
        for field in ("window_s", "hop_s"):
            check_real(name, field, getattr(self, field), "above 0 and at most 1", "s")
        check_int(name, "mels", self.mels, 1, 1024)
        if self.coefficients is not None:
            check_int(name, "coefficients", self.coefficients, 1, self.mels)
        check_real(name, "low_hz", self.low_hz, "at least 0", "Hz")
        check_real(name, "high_hz", self.high_hz, "above 0", "Hz")
        if not self.low_hz < self.high_hz <= self.rate / 2:
            raise ParameterError(
                f"Features: low_hz must be below high_hz, and that at most half of rate, not "
                f"{self.low_hz:g} and {self.high_hz:g} Hz at {self.rate} Hz"
            )
        if min(self.window, self.hop) < 2:
            raise ParameterError(
                f"Features: window_s and hop_s must be 2 samples or more, not {self.window} and "
                f"{self.hop}; lengthen them"
            )
        _ = self._filters  # refuses now what it would refuse later

    @property
    def window(self) -> int:
        """Samples in a frame."""
        return round(self.window_s * self.rate)

    @property
    def hop(self) -> int:
        """Samples from one frame to the next."""
        return round(self.hop_s * self.rate)

    @property
    def fft_size(self) -> int:
        """Points of the Fourier transform: a power of two, not less than the window."""
        return 1 << (self.window - 1).bit_length()

    @cached_property
    def _filters(self) -> Tensor:
        return mel_filters(
            rate=self.rate,
            fft_size=self.fft_size,
            mels=self.mels,
            low_hz=self.low_hz,
            high_hz=self.high_hz,
            scale=self.scale,
            height=self.height,
        )

    def shape(self, samples: int) -> tuple[int, int]:
        """Return ``(frames, features)`` of sound of that many samples.

        Raises
        ------
        ParameterError
            If it is shorter than a frame.
        """
        if samples < self.window:
            raise ParameterError(
                f"Features: sound must have {self.window} samples or more, one frame, not "
                f"{samples}; lengthen it or shorten window_s"
            )
        frames = 1 + (samples - self.window) // self.hop
        return frames, self.coefficients or self.mels

    def __call__(self, sound: Tensor) -> Tensor:
        """Return the features of a batch.

        Parameters
        ----------
        sound : float tensor of shape ``(batch, samples)``
            In units of full scale, on any device.

        Returns
        -------
        float32 tensor of shape ``(batch, frames, features)``
            In dB; full scale is not 0 dB, for power is not divided by the size of the transform.

        Raises
        ------
        ParameterError
            If the sound has another shape or is too short.
        """
        if sound.dim() != 2 or not sound.is_floating_point():
            raise ParameterError(
                f"Features: sound must be a float tensor of shape (batch, samples), not "
                f"{sound.dtype} of shape {tuple(sound.shape)}"
            )
        self.shape(sound.shape[1])
        sound = sound.to(torch.float32)
        shape = torch.hann_window(self.window, dtype=torch.float32, device=sound.device)
        frames = sound.unfold(1, self.window, self.hop) * shape
        spectrum = torch.fft.rfft(frames, n=self.fft_size)
        power = spectrum.real.square() + spectrum.imag.square()
        mel = power @ self._filters.to(sound.device).T
        found = 10 * torch.log10(mel.clamp(min=FLOOR))
        if self.coefficients is None:
            return found
        return found @ cosine_matrix(self.coefficients, self.mels).to(sound.device).T
