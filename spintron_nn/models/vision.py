"""Small convolutional networks for pictures."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.mtj_models import MTJConfig

from .base import SpintronicNet
from .checks import check_picture, check_widths, technology_of

__all__ = ["MicroNet_Spintronic", "TinyConvNet_Spintronic", "VisionSpintronNet"]


def _conv(inputs: int, outputs: int, size: int, stride: int = 1) -> list[nn.Module]:
    """Convolution that keeps the picture's size where it does not stride, with its norm."""
    conv = nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False)
    return [conv, nn.BatchNorm2d(outputs)]


def _pooled(channels: int, filters: Sequence[int]) -> list[nn.Module]:
    """3 x 3 convolutions, each followed by a maximum over 2 x 2 pixels."""
    layers: list[nn.Module] = []
    for inputs, outputs in zip((channels, *filters), filters):
        layers += [*_conv(inputs, outputs, 3), nn.ReLU(), nn.MaxPool2d(2)]
    return layers


class TinyConvNet_Spintronic(SpintronicNet):
    """3 x 3 convolutions with maxima between them, a mean over the picture, and one matrix.

    Parameters
    ----------
    input_shape : (height, width, channels)
        Size of a picture; the tensors have channels first, ``(batch, channels, height, width)``.
    num_classes : int, 2..1000
        Number of scores.
    filters : sequence of int
        Channels of each convolution; each halves the picture.
    mtj_array_size : int, 16..1024
        Rows and columns of a tile.
    mtj_bits : int, 1..4
        Bits of a weight, of a device with as many levels.
    config : MTJConfig or None
        Technology; None is the default one with devices of ``2**mtj_bits`` levels.

    Raises
    ------
    ParameterError
        If an argument is outside its range.

    Examples
    --------
    >>> import torch
    >>> model = TinyConvNet_Spintronic(input_shape=(28, 28, 1), filters=[8, 16])
    >>> model(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (32, 32, 1),
        num_classes: int = 10,
        filters: Sequence[int] = (16, 32, 64),
        mtj_array_size: int = 128,
        *,
        mtj_bits: int = 2,
        config: MTJConfig | None = None,
    ) -> None:
        owner = type(self).__name__
        height, width, channels = check_picture(owner, "input_shape", input_shape, 8)
        widths = check_widths(owner, "filters", filters, 5)
        _check_halvings(owner, "filters", height, width, len(widths))
        classes = check_int(owner, "num_classes", num_classes, 2, 1000)
        size = check_int(owner, "mtj_array_size", mtj_array_size, 16, 1024)
        bits = check_int(owner, "mtj_bits", mtj_bits, 1, 4)
        layers = _pooled(channels, widths)
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes)]
        super().__init__(
            nn.Sequential(*layers),
            (channels, height, width),
            config=technology_of(owner, bits, config),
            choices={"quantization_bits": bits, "crossbar_size": size},
            arguments={
                "input_shape": [height, width, channels],
                "num_classes": classes,
                "filters": list(widths),
                "mtj_array_size": size,
                "mtj_bits": bits,
            },
        )


class MicroNet_Spintronic(SpintronicNet):
    """Two 3 x 3 convolutions with maxima and one matrix: some two thousand weights.

    Parameters
    ----------
    input_shape : (height, width, channels)
        Size of a picture; the tensors have channels first, ``(batch, channels, height, width)``.
    num_classes : int, 2..1000
        Number of scores.
    filters : sequence of one or two int
        Channels of each convolution; each halves the picture.
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
    >>> model = MicroNet_Spintronic()
    >>> sum(parameter.numel() for parameter in model.parameters())
    1922
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (8, 8, 1),
        num_classes: int = 10,
        filters: Sequence[int] = (8, 16),
        *,
        mtj_bits: int = 2,
        crossbar_size: int = 64,
        config: MTJConfig | None = None,
    ) -> None:
        owner = type(self).__name__
        height, width, channels = check_picture(owner, "input_shape", input_shape, 4)
        widths = check_widths(owner, "filters", filters, 2)
        _check_halvings(owner, "filters", height, width, len(widths))
        classes = check_int(owner, "num_classes", num_classes, 2, 1000)
        bits = check_int(owner, "mtj_bits", mtj_bits, 1, 4)
        size = check_int(owner, "crossbar_size", crossbar_size, 16, 1024)
        pixels = (height >> len(widths)) * (width >> len(widths))
        layers = [*_pooled(channels, widths), nn.Flatten()]
        super().__init__(
            nn.Sequential(*layers, nn.Linear(widths[-1] * pixels, classes)),
            (channels, height, width),
            config=technology_of(owner, bits, config),
            choices={"quantization_bits": bits, "crossbar_size": size},
            arguments={
                "input_shape": [height, width, channels],
                "num_classes": classes,
                "filters": list(widths),
                "mtj_bits": bits,
                "crossbar_size": size,
            },
        )


def _check_halvings(owner: str, name: str, height: int, width: int, count: int) -> None:
    if min(height, width) >> count < 1:
        raise ParameterError(
            f"{owner}: {name} must halve a picture of {height}x{width} at most "
            f"{min(height, width).bit_length() - 1} times, not {count}; give fewer"
        )


class _Residual(nn.Module):
    """Two 3 x 3 convolutions, added to what came in."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        first, second = _conv(inputs, outputs, 3, stride), _conv(outputs, outputs, 3)
        self.body = nn.Sequential(*first, nn.ReLU(), *second)
        same = inputs == outputs and stride == 1
        self.beside = nn.Identity() if same else nn.Sequential(*_conv(inputs, outputs, 1, stride))
        self.relu = nn.ReLU()

    def forward(self, x: Tensor) -> Tensor:
        """Sum of both ways, rectified."""
        return self.relu(self.body(x) + self.beside(x))


class VisionSpintronNet(SpintronicNet):
    """Compact residual network: a convolution, residual blocks, a mean and one matrix.

    Parameters
    ----------
    input_shape : (height, width, channels)
        Size of a picture; the tensors have channels first, ``(batch, channels, height, width)``.
    num_classes : int, 2..1000
        Number of scores.
    filters : sequence of int
        Channels of each residual block; the first has the size of the picture's half, each other
        halves it again.
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

    Source
    ------
    He et al., "Deep residual learning for image recognition", CVPR 2016, section 4.2, with one
    block a size as in MLPerf Tiny's ResNet-8 (Banbury et al., arXiv:2106.07597).

    Examples
    --------
    >>> import torch
    >>> VisionSpintronNet()(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        input_shape: Sequence[int] = (28, 28, 1),
        num_classes: int = 10,
        filters: Sequence[int] = (16, 32, 48),
        *,
        mtj_bits: int = 2,
        crossbar_size: int = 128,
        config: MTJConfig | None = None,
    ) -> None:
        owner = type(self).__name__
        height, width, channels = check_picture(owner, "input_shape", input_shape, 8)
        widths = check_widths(owner, "filters", filters, 5)
        classes = check_int(owner, "num_classes", num_classes, 2, 1000)
        bits = check_int(owner, "mtj_bits", mtj_bits, 1, 4)
        size = check_int(owner, "crossbar_size", crossbar_size, 16, 1024)
        layers = _pooled(channels, widths[:1])
        for place, (inputs, outputs) in enumerate(zip((widths[0], *widths), widths)):
            layers.append(_Residual(inputs, outputs, 2 if place else 1))
        layers += [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes)]
        super().__init__(
            nn.Sequential(*layers),
            (channels, height, width),
            config=technology_of(owner, bits, config),
            choices={"quantization_bits": bits, "crossbar_size": size},
            arguments={
                "input_shape": [height, width, channels],
                "num_classes": classes,
                "filters": list(widths),
                "mtj_bits": bits,
                "crossbar_size": size,
            },
        )
