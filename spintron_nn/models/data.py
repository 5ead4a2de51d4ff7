"""The data that the weights of the zoo were trained on, in the shape of their networks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spintron_ir.errors import check_choice
from spintron_nn.datasets import Dataset, digits, fashion_mnist

from .speech_data import keyword_data_again, wake_word_data_again

__all__ = ["DATA", "zoo_data"]


def _pictures(data: Dataset, side: int, edge: int = 0) -> Dataset:
    """Pictures of one channel, channels first, with a black edge."""

    def shaped(x: np.ndarray) -> np.ndarray:
        pictures = x.reshape(-1, 1, side, side)
        return np.pad(pictures, ((0, 0), (0, 0), (edge, edge), (edge, edge)))

    return replace(data, train_x=shaped(data.train_x), test_x=shaped(data.test_x))


DATA: dict[str, Callable[[], Dataset]] = {
    "hey_assistant": wake_word_data_again,
    "keyword_spotting": keyword_data_again,
    "micronet_digits": lambda: _pictures(digits(), 8),
    "mobilenetv2_fashion": lambda: _pictures(fashion_mnist(), 28),
    "tinyconvnet_fashion": lambda: _pictures(fashion_mnist(), 28, edge=2),
    "vision_fashion": lambda: _pictures(fashion_mnist(), 28),
}
"""What each of the trained weights learned from, by their names."""


def zoo_data(name: str) -> Dataset:
    """Return what the weights of a name were trained and are judged on.

    Raises
    ------
    ParameterError
        If the zoo has no such weights, or the data are not installed.
    ToolError
        If espeak-ng, which speaks the data of networks for speech, is not installed.

    Examples
    --------
    >>> data = zoo_data("micronet_digits")
    >>> data.train_x.shape, data.test_x.shape
    ((1257, 1, 8, 8), (540, 1, 8, 8))
    """
    return DATA[check_choice("zoo_data", "name", name, sorted(DATA))]()
