"""What a conversion did to each layer, in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["ConversionReport", "LayerReport"]


@dataclass(frozen=True)
class LayerReport:
    """One layer on the chip.

    Attributes
    ----------
    name : str
        Node of the network.
    inputs, outputs : int
        Size of the matrix.
    tiles : int
        Crossbars, of ``crossbar_size`` rows and columns, of all slices.
    devices : int
        Devices, reference columns included.
    weight_error : float
        Root mean square error of the quantised weights over that of the weights.
    stuck : int
        Devices that keep their state whatever is written.
    saturated : int
        Devices whose conductance is beyond the largest code and was cut to it.
    adc_step : float or None
        Conductance codes of a converter code; None for lossless converters.
    adc_error : float, 0..1
        Share of the accumulators' variance that the converters add.
    adc_clipped : float, 0..1
        Share of the calibration reads beyond the converters' range.
    output_scale : float
        Real value of one output code.
    output_clipped : float, 0..1
        Share of the calibration outputs beyond the output codes; what a ReLU cuts is not counted.
    """

    name: str
    inputs: int
    outputs: int
    tiles: int
    devices: int
    weight_error: float
    stuck: int
    saturated: int
    adc_step: float | None
    adc_error: float
    adc_clipped: float
    output_scale: float
    output_clipped: float


@dataclass(frozen=True)
class ConversionReport:
    """What a conversion did.

    Attributes
    ----------
    layers : tuple of LayerReport
        In order.
    input_clipped : float, 0..1
        Share of the calibration inputs beyond the input codes.
    frames : int
        Calibration inputs.
    """

    layers: tuple[LayerReport, ...]
    input_clipped: float
    frames: int

    @property
    def devices(self) -> int:
        """Devices of the whole network."""
        return sum(layer.devices for layer in self.layers)

    @property
    def saturated(self) -> int:
        """Devices of the whole network that were cut to the largest code."""
        return sum(layer.saturated for layer in self.layers)

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain Python values, for JSON."""
        return asdict(self)
