"""How well the chips of one model classify, all at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spintron_ir import ParameterError
from spintron_nn.converter.model import SpintronicModel

from .torch_network import TorchNetwork

__all__ = ["accuracies"]


def accuracies(models: Sequence[SpintronicModel], x: Any, labels: ArrayLike) -> NDArray[np.float64]:
    """Share, 0..1, of inputs that each chip of one model classifies as labelled.

    What :meth:`~spintron_nn.converter.model.SpintronicModel.accuracy` gives for each, computed
    together by :class:`~spintron_nn.simulation.torch_network.TorchNetwork`.

    Parameters
    ----------
    models : sequence of SpintronicModel
        One model on several chips, with the same input scales.
    x : array, tensor, dict or tuple
        Real inputs, as for ``SpintronicModel.quantise_input``; quantised once.
    labels : int array ``(batch,)``
        Class of each input.

    Returns
    -------
    float64 array ``(chips,)``

    Raises
    ------
    ParameterError
        If input scales or structures differ, or there is no output ``class`` or ``scores``.
    """
    if not models:
        raise ParameterError("accuracies: models must hold at least one model, not none")
    scales = [tuple(port.scale for port in model.network.inputs) for model in models]
    for number, other in enumerate(scales[1:], 1):
        if other != scales[0]:
            raise ParameterError(
                "accuracies: models must have the same input scales, but those of models"
                f"[{number}] are {other} and those of models[0] {scales[0]}: convert them with the "
                "same calibration data"
            )
    codes = models[0].quantise_input(x)
    found = TorchNetwork([model.network for model in models])(codes)
    outputs = models[0].network.outputs
    by_name = found if isinstance(found, dict) else {outputs[0].name: found}
    if "class" in by_name:
        classes = by_name["class"].flatten(2)[:, :, 0]
    elif "scores" in by_name:
        classes = by_name["scores"].argmax(dim=2)
    else:
        raise ParameterError(
            f"accuracies: models must have an output 'scores' or 'class', not {', '.join(by_name)}"
        )
    right = classes.numpy() == np.asarray(labels)
    return np.asarray(right.mean(axis=1), dtype=np.float64)
