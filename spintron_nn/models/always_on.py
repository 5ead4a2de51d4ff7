"""A camera that is never switched off: the widest network that its power allows."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import nn

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.converter.settings import Settings
from spintron_nn.core.checks import check_real
from spintron_nn.core.chip import Chip
from spintron_nn.core.energy import EnergyModel
from spintron_nn.core.mtj_models import MTJConfig

from .base import SpintronicNet
from .checks import check_picture, technology_of

__all__ = ["AlwaysOnVision_Spintronic"]

WIDTHS = tuple(range(64, 3, -4))
"""Channels of the first convolution that are tried, widest first."""


class AlwaysOnVision_Spintronic(SpintronicNet):
    """Detector that decides for each frame which of some classes is seen, or nothing.

    Three 3 x 3 convolutions of stride 2, each of twice the channels of the one before, a mean over
    the picture and one matrix. Of the widths 4, 8, ... 64 of the first it takes the largest whose
    power is at most the target. The power is that of the crossbars alone: devices, word lines and
    converters by :class:`~spintron_nn.core.energy.EnergyModel`, all inputs at full read voltage and
    all devices parallel, so that no frame on nominal devices takes more. Camera, digital logic,
    memories and leakage are not in it.

    There are no trained weights in the package, for there is no free data of people and vehicles
    that it could be trained on without a download.

    Parameters
    ----------
    resolution : (height, width)
        Size of a frame.
    detect_classes : sequence of str
        What is looked for. The scores are of nothing, and of these in their order.
    target_power_uw : float, uW, above 0
        What the crossbars may draw.
    frame_rate : float, Hz, above 0
        Frames a second.
    channels : int, 1..16
        Channels of a frame; the tensors are ``(batch, channels, height, width)``.
    mtj_bits : int, 1..4
        Bits of a weight, of a device with as many levels.
    crossbar_size : int, 16..1024
        Rows and columns of a tile.
    config : MTJConfig or None
        Technology; None is the default one with devices of ``2**mtj_bits`` levels.

    Attributes
    ----------
    classes : tuple of str
        Names of the scores, ``"nothing"`` first.
    width : int
        Channels of the first convolution.
    power_uw : float, uW
        What the crossbars draw at most.

    Raises
    ------
    ParameterError
        If an argument is outside its range, or the narrowest network draws more than the target.

    Examples
    --------
    >>> model = AlwaysOnVision_Spintronic(
    ...     resolution=(64, 64), detect_classes=["person", "vehicle"], target_power_uw=100
    ... )
    >>> model.classes, model.width, model.power_uw < 100
    (('nothing', 'person', 'vehicle'), 64, True)
    """

    def __init__(
        self,
        resolution: Sequence[int] = (64, 64),
        detect_classes: Sequence[str] = ("person", "vehicle"),
        target_power_uw: float = 100,
        *,
        frame_rate: float = 10,
        channels: int = 1,
        mtj_bits: int = 2,
        crossbar_size: int = 128,
        config: MTJConfig | None = None,
    ) -> None:
        owner = type(self).__name__
        whole = isinstance(resolution, Sequence) and not isinstance(resolution, str)
        if not whole or len(resolution) != 2:
            raise ParameterError(f"{owner}: resolution must be (height, width), not {resolution!r}")
        depth = check_int(owner, "channels", channels, 1, 16)
        height, width, _ = check_picture(owner, "resolution", (*resolution, depth), 8)
        classes = _check_classes(owner, detect_classes)
        target = check_real(owner, "target_power_uw", target_power_uw, "above 0", "uW")
        rate = check_real(owner, "frame_rate", frame_rate, "above 0", "Hz")
        bits = check_int(owner, "mtj_bits", mtj_bits, 1, 4)
        size = check_int(owner, "crossbar_size", crossbar_size, 16, 1024)
        technology = technology_of(owner, bits, config)
        choices = {"quantization_bits": bits, "crossbar_size": size}
        settings = Settings(chip=Chip(technology), quantization_bits=bits, crossbar_size=size)
        power = {
            wide: rate * 1e6 * _energy(_matrices(height, width, depth, wide, classes), settings)
            for wide in WIDTHS
        }
        fitting = [wide for wide in WIDTHS if power[wide] <= target]
        if not fitting:
            raise ParameterError(
                f"{owner}: target_power_uw must be at least {power[WIDTHS[-1]]:.3g} for "
                f"{height}x{width} pixels at {rate:g} Hz, not {target:g}; lower the frame rate or "
                "the resolution"
            )
        super().__init__(
            _layers(depth, fitting[0], classes),
            (depth, height, width),
            config=technology,
            choices=choices,
            arguments={
                "resolution": [height, width],
                "detect_classes": list(detect_classes),
                "target_power_uw": target,
                "frame_rate": rate,
                "channels": depth,
                "mtj_bits": bits,
                "crossbar_size": size,
            },
        )
        self.classes = ("nothing", *detect_classes)
        self.width, self.power_uw = fitting[0], power[fitting[0]]


def _check_classes(owner: str, given: Sequence[str]) -> int:
    """Number of scores."""
    whole = isinstance(given, Sequence) and not isinstance(given, str)
    names = ["nothing", *given] if whole else []
    named = all(isinstance(name, str) and name for name in names)
    if not named or not 2 <= len(set(names)) == len(names) <= 1000:
        raise ParameterError(
            f"{owner}: detect_classes must be up to 999 different names other than 'nothing', not "
            f"{given!r}"
        )
    return len(names)


def _layers(channels: int, width: int, classes: int) -> nn.Module:
    widths = (channels, width, 2 * width, 4 * width)
    layers: list[nn.Module] = []
    for inputs, outputs in zip(widths, widths[1:]):
        conv = nn.Conv2d(inputs, outputs, 3, 2, padding=1, bias=False)
        layers += [conv, nn.BatchNorm2d(outputs), nn.ReLU()]
    layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes)]
    return nn.Sequential(*layers)


def _matrices(
    height: int, width: int, channels: int, wide: int, classes: int
) -> list[tuple[int, int, int]]:
    """Vectors of a frame, rows and columns of each matrix."""
    found = []
    for outputs in (wide, 2 * wide, 4 * wide):
        height, width = -(-height // 2), -(-width // 2)
        found.append((height * width, 9 * channels, outputs))
        channels = outputs
    return [*found, (1, channels, classes)]


def _energy(matrices: list[tuple[int, int, int]], settings: Settings) -> float:
    """Energy of a frame at the most, joule: full read voltage, all devices parallel."""
    assert settings.adc_bits is not None
    model = EnergyModel(settings.chip.config)
    device = 2 * (model.device_read_j(settings.chip.config.conductance_p) + model.line_j)
    slices = settings.quantization_bits // settings.chip.config.level_bits
    chunks = math.ceil(settings.activation_bits / settings.dac_bits)
    energy = 0.0
    for vectors, rows, columns in matrices:
        reads = vectors * chunks * slices * columns
        converters = math.ceil(rows / settings.crossbar_size)
        energy += reads * (rows * device + converters * model.conversion_j(settings.adc_bits))
    return energy
