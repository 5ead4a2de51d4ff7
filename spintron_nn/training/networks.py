"""Classifiers that examples and tests train: plain torch modules by name."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import torch
from torch import nn

__all__ = ["NETWORKS", "lenet", "mlp", "separable"]

Layers = OrderedDict[str, nn.Module]


def _sequential(layers: Layers, seed: int, make: Callable[[Layers], None]) -> nn.Module:
    """Fill and join layers; the global generator of torch stays as it is."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        make(layers)
    return nn.Sequential(layers)


def _normed(layers: Layers, name: str, layer: nn.Module, norm: nn.Module) -> None:
    """Add a layer without a bias, its normalisation and a ReLU."""
    layers[name], layers[f"{name}_norm"], layers[f"{name}_relu"] = layer, norm, nn.ReLU()


def mlp(widths: tuple[int, ...], *, dropout: float = 0.0, seed: int = 0) -> nn.Module:
    """Classifier of Linear layers with BatchNorm1d, ReLU and Dropout between them.

    Parameters
    ----------
    widths : tuple of int
        Inputs, hidden layers, classes.
    dropout : float, 0..1
        Dropout after each ReLU.
    seed : int
        Fixes the start weights; the global generator stays as it is.
    """

    def make(layers: Layers) -> None:
        layers["flatten"] = nn.Flatten()
        for index, (inputs, outputs) in enumerate(zip(widths, widths[1:], strict=False), 1):
            layers[f"fc{index}"] = nn.Linear(inputs, outputs)
            if index < len(widths) - 1:
                layers[f"norm{index}"] = nn.BatchNorm1d(outputs)
                layers[f"relu{index}"] = nn.ReLU()
                if dropout:
                    layers[f"dropout{index}"] = nn.Dropout(dropout)

    return _sequential(OrderedDict(), seed, make)


def lenet(widths: tuple[int, ...], *, dropout: float = 0.0, seed: int = 0) -> nn.Module:
    """LeNet-5's shape for images of 28 x 28: two 5 x 5 convolutions with pools, three matrices.

    Parameters
    ----------
    widths : tuple of five int
        Channels of both convolutions, two hidden layers, classes.
    dropout, seed
        As for :func:`mlp`; dropout stands before the last layer.

    Source
    ------
    LeCun et al., "Gradient-based learning applied to document recognition", Proceedings of the IEEE
    1998; with maxima, ReLU and batch normalisation as is usual now.
    """
    first, second, wide, narrow, classes = widths

    def make(layers: Layers) -> None:
        layers["image"] = nn.Unflatten(1, (1, -1))
        conv = nn.Conv2d(1, first, 5, padding=2, bias=False)
        _normed(layers, "conv1", conv, nn.BatchNorm2d(first))
        layers["pool1"] = nn.MaxPool2d(2)
        _normed(layers, "conv2", nn.Conv2d(first, second, 5, bias=False), nn.BatchNorm2d(second))
        layers["pool2"], layers["flatten"] = nn.MaxPool2d(2), nn.Flatten()
        _normed(layers, "fc1", nn.Linear(second * 25, wide, bias=False), nn.BatchNorm1d(wide))
        _normed(layers, "fc2", nn.Linear(wide, narrow, bias=False), nn.BatchNorm1d(narrow))
        layers["dropout"] = nn.Dropout(dropout)
        layers["fc3"] = nn.Linear(narrow, classes)

    return _sequential(OrderedDict(), seed, make)


def separable(widths: tuple[int, ...], *, dropout: float = 0.0, seed: int = 0) -> nn.Module:
    """Depthwise separable convolutions: a 3 x 3 kernel a channel, then 1 x 1 across channels.

    Parameters
    ----------
    widths : tuple of int
        Channels of the first convolution, of every separable one, and classes. The first and every
        second separable one halve the image.
    dropout, seed
        As for :func:`mlp`; dropout stands before the last layer.

    Source
    ------
    Howard et al., "MobileNets", arXiv:1704.04861, 2017: figure 3.
    """

    def make(layers: Layers) -> None:
        layers["image"] = nn.Unflatten(1, (1, -1))
        conv = nn.Conv2d(1, widths[0], 3, stride=2, padding=1, bias=False)
        _normed(layers, "conv1", conv, nn.BatchNorm2d(widths[0]))
        for index, (inputs, outputs) in enumerate(zip(widths, widths[1:-1], strict=False), 1):
            stride = 2 if index % 2 == 0 else 1
            deep = nn.Conv2d(inputs, inputs, 3, stride=stride, padding=1, groups=inputs, bias=False)
            _normed(layers, f"deep{index}", deep, nn.BatchNorm2d(inputs))
            wide = nn.Conv2d(inputs, outputs, 1, bias=False)
            _normed(layers, f"wide{index}", wide, nn.BatchNorm2d(outputs))
        layers["pool"], layers["flatten"] = nn.AdaptiveAvgPool2d(1), nn.Flatten()
        layers["dropout"] = nn.Dropout(dropout)
        layers["fc"] = nn.Linear(widths[-2], widths[-1])

    return _sequential(OrderedDict(), seed, make)


NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "lenet": lenet,
    "mlp": mlp,
    "separable": separable,
}
"""Every architecture by its name."""
