"""What a conversion did to each layer, in numbers."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spintron_nn.core.nodal import RuleReport

from .adc_range import AdcChoice, lossless_adc_bits
from .mapping import MappedLayer
from .packing import blocks_a_tile
from .settings import Settings
from .trained import Trained

__all__ = ["ConversionReport", "LayerReport", "StageReport", "layer_report"]


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
    lossless_bits : int
        Bits with which a converter would lose nothing of a tile of nominal devices.
    code_error : float
        Root mean square rounding error of the conductance codes, in codes.
    wire_share : float, 0..1
        Share of the ideal current that the worst column delivers through its wires.
    bias_error : float
        Root mean square error of the currents of a tile that the dependence of conductance on
        voltage leaves beside the codes, over the root mean square current; it depends on the data.
    output_scale : float
        Real value of one output code.
    output_clipped : float, 0..1
        Share of the calibration outputs beyond the output codes; what a ReLU cuts is not counted.
    positions : int
        Vectors of a frame that the matrix is applied to.
    blocks : int
        Blocks of a block-diagonal matrix, packed on tiles; :py:`inputs` are those of one.
    bits : int or None
        Bits of a weight; None in a quantised model, which has integers of its own.
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
    lossless_bits: int
    code_error: float
    wire_share: float
    bias_error: float
    output_scale: float
    output_clipped: float
    positions: int = 1
    blocks: int = 1
    bits: int | None = None


@dataclass(frozen=True, eq=False)
class StageReport:
    """A tensor of the model as codes of a node.

    Attributes
    ----------
    node : str
        Node of the network that gives the codes.
    steps : tuple of str
        Steps of the model that it computes, with the nodes between; the last gives the tensor.
    scale : float
        Real value of one code.
    clipped : float, 0..1
        Share of the calibration values beyond the codes.
    index : int64 array of the tensor's shape
        Place of each of its values among those of the node.
    """

    node: str
    steps: tuple[str, ...]
    scale: float
    clipped: float
    index: NDArray[np.int64]

    def as_dict(self) -> dict[str, Any]:
        """Everything but the index as plain Python values, for JSON."""
        return {
            "node": self.node,
            "steps": list(self.steps),
            "scale": self.scale,
            "clipped": self.clipped,
        }


@dataclass(frozen=True)
class ConversionReport:
    """What a conversion did.

    Attributes
    ----------
    layers : tuple of LayerReport
        Matrices, in order.
    input_clipped : float, 0..1
        Share of the calibration inputs beyond the input codes.
    frames : int
        Calibration inputs.
    rule : RuleReport or None
        Whether a tile of the technology can work with its wires; None where wires are ideal.
    stages : tuple of StageReport
        Tensors of the model that nodes give as codes, in order.
    quantisers : Trained
        Scales and steps of the conversion, found or given; empty for a quantised model.
    """

    layers: tuple[LayerReport, ...]
    input_clipped: float
    frames: int
    rule: RuleReport | None = None
    stages: tuple[StageReport, ...] = ()
    quantisers: Trained = field(default_factory=Trained)

    @property
    def devices(self) -> int:
        """Devices of the whole network."""
        return sum(layer.devices for layer in self.layers)

    @property
    def saturated(self) -> int:
        """Devices of the whole network that were cut to the largest code."""
        return sum(layer.saturated for layer in self.layers)

    def rule_facts(self) -> dict[str, Any] | None:
        """The design-rule check as plain Python values."""
        if self.rule is None:
            return None
        return {
            "holds": self.rule.holds,
            "worst_share": self.rule.worst_share,
            "message": self.rule.message,
        }

    def as_dict(self) -> dict[str, Any]:
        """Everything as plain Python values, for JSON."""
        layers = [asdict(layer) for layer in self.layers]
        return {
            "layers": layers,
            "input_clipped": self.input_clipped,
            "frames": self.frames,
            "rule": self.rule_facts(),
            "stages": [stage.as_dict() for stage in self.stages],
        }


def layer_report(
    name: str,
    mapped: MappedLayer,
    choice: AdcChoice | None,
    settings: Settings,
    *,
    weight_error: float,
    bias_error: float,
    output_scale: float = 1.0,
    output_clipped: float = 0.0,
    positions: int | None = None,
    bits: int | None = None,
) -> LayerReport:
    """What the conversion of one layer came to.

    Parameters
    ----------
    name : str
        Node of the network.
    mapped : MappedLayer
        The layer on the chip.
    choice : AdcChoice or None
        Its converters; None are lossless.
    settings : Settings
        Choices of the conversion.
    weight_error, bias_error, output_scale, output_clipped : float
        As in :class:`LayerReport`.
    positions : int or None
        Vectors of a frame, None for one.
    bits : int or None
        As in :class:`LayerReport`.
    """
    layer, array, tile = mapped.layer, mapped.array, settings.crossbar_size
    columns = -(-layer.block_cols // tile) * (1 if layer.scheme == "reference" else 2)
    blocks = layer.blocks or 1
    shared = blocks_a_tile(layer.rows, layer.block_cols, blocks, tile)
    return LayerReport(
        name=name,
        inputs=layer.rows,
        outputs=layer.cols,
        tiles=layer.groups * layer.slices * columns * -(-blocks // shared),
        devices=layer.devices,
        weight_error=weight_error,
        stuck=array.stuck,
        saturated=array.saturated,
        adc_step=None if choice is None else choice.step,
        adc_error=0.0 if choice is None else choice.error,
        adc_clipped=0.0 if choice is None else choice.clipped,
        lossless_bits=lossless_adc_bits(
            min(layer.rows, tile),
            layer.dac_bits,
            settings.chip.config.level_bits,
            signed=layer.scheme != "columns",
        ),
        code_error=array.code_error,
        wire_share=array.wire_share,
        bias_error=bias_error,
        output_scale=output_scale,
        output_clipped=output_clipped,
        positions=positions or 1,
        blocks=blocks,
        bits=bits,
    )
