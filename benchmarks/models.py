"""Networks that people have, as plain torch modules with random weights."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import Tensor, nn

__all__ = ["mobilenet_v2", "resnet8"]


def _seeded(module: type[nn.Module], seed: int) -> nn.Module:
    """Make a module whose weights the seed fixes; torch's global generator stays as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return module().eval()


class _Block(nn.Module):
    """Two 3 x 3 convolutions and what goes past them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(outputs)
        self.past: nn.Module = nn.Identity()
        if stride > 1:
            self.past = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(self.norm2(self.conv2(y)) + self.past(x))


class _ResNet8(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(16)
        self.stacks = nn.Sequential(_Block(16, 16, 1), _Block(16, 32, 2), _Block(32, 64, 2))
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(64, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.stacks(torch.relu(self.norm(self.conv(x))))
        return self.fc(self.pool(x).flatten(1))


def resnet8(seed: int = 0) -> nn.Module:
    """ResNet for images of 3 x 32 x 32: three stacks of one block, 78 thousand weights.

    Source
    ------
    MLPerf Tiny, image classification: https://github.com/mlcommons/tiny.
    """
    return _seeded(_ResNet8, seed)


class _Inverted(nn.Module):
    """Wider, depthwise, narrow again; past it where the shape is the same."""

    def __init__(self, inputs: int, outputs: int, stride: int, factor: int) -> None:
        super().__init__()
        wide = inputs * factor
        parts: list[tuple[str, nn.Module]] = []
        if factor > 1:
            parts = [
                ("expand", nn.Conv2d(inputs, wide, 1, bias=False)),
                ("expand_norm", nn.BatchNorm2d(wide)),
                ("expand_relu", nn.ReLU6()),
            ]
        parts += [
            ("depth", nn.Conv2d(wide, wide, 3, stride, 1, groups=wide, bias=False)),
            ("depth_norm", nn.BatchNorm2d(wide)),
            ("depth_relu", nn.ReLU6()),
            ("project", nn.Conv2d(wide, outputs, 1, bias=False)),
            ("project_norm", nn.BatchNorm2d(outputs)),
        ]
        self.body = nn.Sequential(OrderedDict(parts))
        self.same = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = self.body(x)
        return x + y if self.same else y


SETTINGS = (
    (1, 16, 1, 1), (6, 24, 2, 1), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2),
    (6, 320, 1, 1),
)  # fmt: skip
"""Factor, channels, blocks and first stride; the second stride is 1 for small images."""


class _MobileNetV2(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        blocks: list[nn.Module] = []
        inputs = 32
        for factor, outputs, count, stride in SETTINGS:
            for number in range(count):
                blocks.append(_Inverted(inputs, outputs, 1 if number else stride, factor))
                inputs = outputs
        self.conv = nn.Conv2d(3, 32, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(32)
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Conv2d(320, 1280, 1, bias=False)
        self.last_norm = nn.BatchNorm2d(1280)
        self.relu = nn.ReLU6()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.fc = nn.Linear(1280, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.relu(self.norm(self.conv(x))))
        x = self.relu(self.last_norm(self.last(x)))
        return self.fc(self.pool(x).flatten(1))


def mobilenet_v2(seed: int = 0) -> nn.Module:
    """MobileNetV2 of width 1 for images of 3 x 32 x 32 and ten classes, 2.2 million weights.

    Source
    ------
    Sandler et al., "MobileNetV2", CVPR 2018, table 2; stem and second stride 1, as is usual for
    images this small.
    """
    return _seeded(_MobileNetV2, seed)
