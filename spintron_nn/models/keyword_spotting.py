"""Keyword spotting: which of some words was spoken."""

from __future__ import annotations

from torch import Tensor

from spintron_ir.errors import check_int
from spintron_nn.core.mtj_models import MTJConfig

from .base import SpintronicNet
from .checks import technology_of
from .speech import speech_features, speech_layers, speech_shape

__all__ = ["KeywordSpottingNet_Spintronic"]


class KeywordSpottingNet_Spintronic(SpintronicNet):
    """Three convolutions over the frames of one second of sound, a mean over time, one matrix.

    Inputs are standardised cepstral coefficients, as :meth:`features` gives them.

    Parameters
    ----------
    num_keywords : int, 2..1000
        Number of words.
    mtj_bits : int, 1..4
        Bits of a weight, of a device with as many levels.
    crossbar_size : int, 16..1024
        Rows and columns of a tile.
    config : MTJConfig or None
        Technology; None is the default one with devices of ``2**mtj_bits`` levels.

    Raises
    ------
    ParameterError
        If an argument is outside its range.

    Examples
    --------
    >>> import torch
    >>> model = KeywordSpottingNet_Spintronic(num_keywords=10, mtj_bits=2, crossbar_size=64)
    >>> model(model.features(torch.zeros(3, 16000))).shape
    torch.Size([3, 10])
    """

    SECONDS = 1.0
    """Length of what it hears, in s."""

    def __init__(
        self,
        num_keywords: int = 10,
        mtj_bits: int = 2,
        crossbar_size: int = 64,
        *,
        config: MTJConfig | None = None,
    ) -> None:
        owner = type(self).__name__
        words = check_int(owner, "num_keywords", num_keywords, 2, 1000)
        bits = check_int(owner, "mtj_bits", mtj_bits, 1, 4)
        size = check_int(owner, "crossbar_size", crossbar_size, 16, 1024)
        super().__init__(
            speech_layers((64, 48, 48), words),
            speech_shape(self.SECONDS),
            config=technology_of(owner, bits, config),
            choices={
                "quantization_bits": bits,
                "activation_bits": 4,
                "crossbar_size": size,
                "adc_bits": 6,
            },
            arguments={"num_keywords": words, "mtj_bits": bits, "crossbar_size": size},
        )

    @classmethod
    def features(cls, sound: Tensor) -> Tensor:
        """Inputs of sound at 16 kHz, one second of ``(16000,)`` or ``(batch, 16000)`` samples.

        Returns
        -------
        float32 tensor of shape ``(batch, 1, 49, 10)``

        Raises
        ------
        ParameterError
            If the sound has another length.
        """
        return speech_features(cls.__name__, sound, cls.SECONDS)
