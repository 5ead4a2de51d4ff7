"""MobileNetV2 for small pictures, on devices of several levels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.checks import check_real
from spintron_nn.core.mtj_models import MTJConfig

from .base import SpintronicNet
from .checks import check_picture, technology_of

__all__ = ["STAGES", "MobileNetV2_Spintronic"]

STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
"""Expansion, channels, blocks and stride of each stage, as published."""

STEM, HEAD = 32, 1280

LEAST = 4
"""A picture is not halved below this many pixels a side."""


def _normed(inputs: int, outputs: int, size: int, stride: int = 1, groups: int = 1) -> nn.Module:
    conv = nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


def _whole(channels: float) -> int:
    """Nearest multiple of 8 that is no tenth below, at least 8."""
    found = max(8, int(channels + 4) // 8 * 8)
    return found + 8 if found < 0.9 * channels else found


class _Inverted(nn.Module):
    """Wide inside, narrow outside: 1 x 1 up, 3 x 3 for each channel, 1 x 1 down."""

    def __init__(self, inputs: int, outputs: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        layers = [_normed(inputs, wide, 1), nn.ReLU6()] if expansion > 1 else []
        layers += [_normed(wide, wide, 3, stride, wide), nn.ReLU6(), _normed(wide, outputs, 1)]
        self.body = nn.Sequential(*layers)
        self.adds = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """Block, added to what came in where it is of the same shape."""
        return x + self.body(x) if self.adds else self.body(x)


class MobileNetV2_Spintronic(SpintronicNet):
    """MobileNetV2: depthwise separable convolutions in inverted residual blocks.

    Small pictures are not halved below 4 x 4: later strides are left out.

    Parameters
    ----------
    num_classes : int, 2..1000
        Number of scores.
    input_size : (height, width)
        Size of a picture.
    mtj_precision : int, 1..4
        Bits of a weight, of a device with as many levels.
    channels : int, 1..16
        Channels of a picture; the tensors are ``(batch, channels, height, width)``.
    width : float, above 0 and at most 1
        Factor on the channels of the stem and all stages, rounded to multiples of 8.
    stages : sequence of (expansion, channels, blocks, stride)
        Stages of the body; the default is the published table.
    head : int, 8..2048
        Channels before the classifier; the factor does not shrink them.
    crossbar_size : int, 16..1024
        Rows and columns of a tile.
    config : MTJConfig or None
        Technology; None is the default one with devices of ``2**mtj_precision`` levels.

    Raises
    ------
    ParameterError
        If an argument is outside its range.

    Source
    ------
    Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018: table 2.

    Examples
    --------
    >>> import torch
    >>> model = MobileNetV2_Spintronic(num_classes=10, input_size=(32, 32), mtj_precision=3)
    >>> model.eval()(torch.zeros(1, 3, 32, 32)).shape, model.config.levels
    (torch.Size([1, 10]), 8)
    """

    def __init__(
        self,
        num_classes: int = 10,
        input_size: Sequence[int] = (32, 32),
        mtj_precision: int = 3,
        *,
        channels: int = 3,
        width: float = 1.0,
        stages: Sequence[Sequence[int]] = STAGES,
        head: int = HEAD,
        crossbar_size: int = 128,
        config: MTJConfig | None = None,
    ) -> None:
        owner = type(self).__name__
        classes = check_int(owner, "num_classes", num_classes, 2, 1000)
        whole = isinstance(input_size, Sequence) and not isinstance(input_size, str)
        if not whole or len(input_size) != 2:
            raise ParameterError(f"{owner}: input_size must be (height, width), not {input_size!r}")
        depth = check_int(owner, "channels", channels, 1, 16)
        shape = check_picture(owner, "input_size", (*input_size, depth), 8)
        bits = check_int(owner, "mtj_precision", mtj_precision, 1, 4)
        factor = check_real(owner, "width", width, "above 0 and at most 1")
        table = _check_stages(owner, stages)
        last = check_int(owner, "head", head, 8, 2048)
        size = check_int(owner, "crossbar_size", crossbar_size, 16, 1024)
        super().__init__(
            _layers(shape, table, factor, last, classes),
            (shape[2], shape[0], shape[1]),
            config=technology_of(owner, bits, config),
            choices={"quantization_bits": bits, "crossbar_size": size},
            arguments={
                "num_classes": classes,
                "input_size": list(shape[:2]),
                "mtj_precision": bits,
                "channels": shape[2],
                "width": factor,
                "stages": [list(stage) for stage in table],
                "head": last,
                "crossbar_size": size,
            },
        )


def _layers(
    picture: tuple[int, int, int],
    stages: tuple[tuple[int, ...], ...],
    factor: float,
    head: int,
    classes: int,
) -> nn.Module:
    height, width, channels = picture
    side, wide = -(-min(height, width) // 2), _whole(STEM * factor)
    layers: list[nn.Module] = [_normed(channels, wide, 3, 2), nn.ReLU6()]
    for expansion, outputs, blocks, stride in stages:
        for block in range(blocks):
            halves = stride == 2 and block == 0 and side > LEAST
            side = -(-side // 2) if halves else side
            narrow = _whole(outputs * factor)
            layers.append(_Inverted(wide, narrow, 2 if halves else 1, expansion))
            wide = narrow
    layers += [_normed(wide, head, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(head, classes))


def _check_stages(owner: str, stages: Any) -> tuple[tuple[int, ...], ...]:
    """Stages as tuples, if each is four numbers in their ranges."""
    limits = (("expansion", 1, 8), ("channels", 1, 1024), ("blocks", 1, 8), ("stride", 1, 2))
    rows = list(stages) if isinstance(stages, Sequence) and not isinstance(stages, str) else []
    for row in rows:
        if not isinstance(row, Sequence) or isinstance(row, str) or len(row) != len(limits):
            rows = []
            break
    if not 1 <= len(rows) <= 8:
        raise ParameterError(
            f"{owner}: stages must be 1 to 8 of (expansion, channels, blocks, stride), not "
            f"{stages!r}"
        )
    return tuple(
        tuple(
            check_int(owner, f"stages[{place}] {name}", value, low, high)
            for value, (name, low, high) in zip(row, limits)
        )
        for place, row in enumerate(rows)
    )
