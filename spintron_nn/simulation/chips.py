"""How well the chips of one model classify, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from spintron_ir import ParameterError
from spintron_nn.converter.model import SpintronicModel, as_labelled

from .torch_network import TorchNetwork

__all__ = ["accuracies", "predictions"]

FRAMES = 512
"""Inputs that all chips compute at a time: convolutions of many would not fit the memory."""


def accuracies(models: Sequence[SpintronicModel], x: Any, labels: ArrayLike) -> NDArray[np.float64]:
    """Share, 0..1, of inputs that each chip of one model classifies as labelled.

    What :meth:`~spintron_nn.converter.model.SpintronicModel.accuracy` gives for each.

    Parameters
    ----------
    models, x
        As for :func:`predictions`.
    labels : array or tensor of shape ``(batch,)``
        Class of each input.

    Returns
    -------
    float64 array ``(chips,)``

    Raises
    ------
    ParameterError
        As for :func:`predictions`, and if there is not one label for each input.
    """
    right = as_labelled("accuracies", predictions(models, x), labels)
    return np.asarray(right.mean(axis=1), dtype=np.float64)


def predictions(models: Sequence[SpintronicModel], x: Any) -> NDArray[np.int64]:
    """Class that each chip of one model gives to each input.

    What :meth:`~spintron_nn.converter.model.SpintronicModel.predict` gives for each, computed
    together by :class:`~spintron_nn.simulation.torch_network.TorchNetwork`.

    Parameters
    ----------
    models : sequence of SpintronicModel
        One model on several chips, with the same input scales.
    x : array, tensor, dict or tuple
        Real inputs, as for ``SpintronicModel.quantise_input``; quantised once.

    Returns
    -------
    int64 array ``(chips, batch)``

    Raises
    ------
    ParameterError
        If input scales or structures differ, or there is no output ``class`` or ``scores``.
    """
    if not isinstance(models, Sequence):
        wrong = type(models).__name__
    elif not models:
        wrong = "none"
    else:
        others = {type(one).__name__ for one in models if not isinstance(one, SpintronicModel)}
        wrong = ", ".join(sorted(others))
    if wrong:
        raise ParameterError(
            f"accuracies: models must be a sequence of SpintronicModel, at least one, not {wrong}"
        )
    scales = [tuple(port.scale for port in model.network.inputs) for model in models]
    for number, other in enumerate(scales[1:], 1):
        if other != scales[0]:
            raise ParameterError(
                "accuracies: models must have the same input scales, but those of models"
                f"[{number}] are {other} and those of models[0] {scales[0]}: convert them with the "
                "same calibration data"
            )
    names = [output.name for output in models[0].network.outputs]
    if not {"class", "scores"} & set(names):
        raise ParameterError(
            f"accuracies: models must have an output 'scores' or 'class', not {', '.join(names)}"
        )
    network, codes = TorchNetwork([model.network for model in models]), models[0].quantise_input(x)
    parts = codes if isinstance(codes, dict) else {"": codes}
    count, found = len(next(iter(parts.values()))), []
    for start in range(0, max(count, 1), FRAMES):
        part = {name: values[start : start + FRAMES] for name, values in parts.items()}
        made = network(part if isinstance(codes, dict) else part[""], start)
        by_name = made if isinstance(made, dict) else {names[0]: made}
        ranks = by_name.get("class")
        found.append(
            by_name["scores"].argmax(dim=2) if ranks is None else ranks.flatten(2)[:, :, 0]
        )
    return np.asarray(torch.cat(found, dim=1).numpy(), dtype=np.int64)
