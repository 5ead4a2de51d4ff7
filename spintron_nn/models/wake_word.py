"""A wake word: was it spoken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.checks import check_real
from spintron_nn.core.energy import EnergyModel
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


class WakeWordDetector_Spintronic(SpintronicNet):
    """Three convolutions over the frames of 1.4 s of sound, a mean over time, one matrix.

    Inputs are standardised cepstral coefficients, as :meth:`features` gives them. In evaluation
    mode a call returns a :class:`Detection`, in training mode the scores.

    Parameters
    ----------
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
    >>> detector = WakeWordDetector_Spintronic().eval()
    >>> 0 < detector(detector.features(torch.zeros(22400))).probability < 1
    True
    """

    SECONDS = 1.4
    """Length of what it hears, in s."""

    def __init__(
        self, mtj_bits: int = 2, crossbar_size: int = 64, *, config: MTJConfig | None = None
    ) -> None:
        owner = type(self).__name__
        bits = check_int(owner, "mtj_bits", mtj_bits, 1, 4)
        size = check_int(owner, "crossbar_size", crossbar_size, 16, 1024)
        super().__init__(
            speech_layers((40, 32, 32), 2),
            speech_shape(self.SECONDS),
            config=technology_of(owner, bits, config),
            choices={
                "quantization_bits": bits,
                "activation_bits": 4,
                "crossbar_size": size,
                "adc_bits": 6,
            },
            arguments={"mtj_bits": bits, "crossbar_size": size},
        )

    @classmethod
    def features(cls, sound: Tensor) -> Tensor:
        """Inputs of sound at 16 kHz, of shape ``(22400,)`` or ``(batch, 22400)``.

        Returns
        -------
        float32 tensor of shape ``(batch, 1, 69, 10)``

        Raises
        ------
        ParameterError
            If the sound has another length.
        """
        return speech_features(cls.__name__, sound, cls.SECONDS)

    def forward(self, x: Tensor) -> Any:
        """What is said of one clip or a batch.

        Parameters
        ----------
        x : float tensor of shape ``(batch, 1, 69, 10)``, or without the first one or two axes
            What :meth:`features` gives.

        Returns
        -------
        Detection
            In evaluation mode; of one clip where ``x`` is one. In training mode a tensor of scores.

        Raises
        ------
        ParameterError
            If the features have another shape, or are not standardised.
        """
        if self.training:
            return super().forward(x)
        frames, coefficients = self.shape[1:]
        if x.ndim not in (2, 3, 4) or x.shape[-2:] != (frames, coefficients):
            raise ParameterError(
                f"{type(self).__name__}: features must have the shape (batch, 1, {frames}, "
                f"{coefficients}), not {tuple(x.shape)}; make them with features(sound)"
            )
        if float(x.abs().max()) > LOUDEST:
            raise ParameterError(
                f"{type(self).__name__}: features must be standardised, and reach "
                f"{float(x.abs().max()):.0f}; make them with features(sound)"
            )
        scores = super().forward(x.reshape(-1, *self.shape))
        found = scores.detach().double().softmax(dim=1)[:, 1]
        return Detection(float(found[0]) if len(found) == 1 else found, scores)

    def estimate_power_consumption(
        self, duty_cycle: float = 0.1, voltage: float = 0.8, *, decisions_per_second: float = 10.0
    ) -> float:
        """Mean power of reads and conversions, in microwatt, on the sampled die 0.

        The mean is over the frames of the calibration. What
        :class:`~spintron_nn.core.energy.EnergyModel` leaves out is left out here: digital logic,
        memories, leakage, the microphone and the features.

        Parameters
        ----------
        duty_cycle : float, above 0 and at most 1
            Share of the time that the detector listens.
        voltage : float, V, at least the read voltage
            Supply that the charge of devices and word lines is drawn from; what lies between it and
            the read voltage is lost. Converters cost their figure of merit, whatever the supply.
        decisions_per_second : float, above 0
            How often it decides while it listens.

        Raises
        ------
        ParameterError
            If an argument is outside its range, or the network is not prepared.
        """
        owner = type(self).__name__
        duty = check_real(owner, "duty_cycle", duty_cycle, "above 0 and at most 1")
        rate = check_real(owner, "decisions_per_second", decisions_per_second, "above 0", "Hz")
        supply = check_real(owner, "voltage", voltage, "above 0", "V")
        read = self.config.read_voltage
        if supply < read:
            raise ParameterError(
                f"{owner}: voltage must be at least the read voltage, {read:g} V, not {supply:g} V"
            )
        placed = self.convert()
        report = EnergyModel(self.config).of_network(
            placed.network, placed.quantise_input(self.frames)
        )
        drawn = (report.cell_read_j + report.driver_j) * supply / read + report.adc_j
        return duty * rate * drawn * 1e6
