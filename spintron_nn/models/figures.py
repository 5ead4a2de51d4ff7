"""How well a trained network does on held-out data, in floating point and on chips."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spintron_nn.simulation.chips import predictions

from .base import SpintronicNet

__all__ = ["CHIPS", "counts", "float_hits", "hits"]

CHIPS = 10
"""Chips of a model card: dies 0..9, each of a wafer of its own."""

BATCH = 100

Hits = NDArray[np.bool_]
Reals = NDArray[np.float32]
Ints = NDArray[np.int64]


def float_hits(floating: SpintronicNet, x: Reals, y: Ints) -> Hits:
    """Which inputs the layers classify right in floating point, of shape ``(n,)``."""
    with torch.no_grad():
        scores = [floating.network(part) for part in torch.from_numpy(x).split(BATCH)]
    return np.asarray(torch.cat(scores).argmax(dim=1).numpy() == y)


def hits(net: SpintronicNet, floating: SpintronicNet, x: Reals, y: Ints) -> Mapping[str, Hits]:
    """Which held-out inputs a trained network classifies right.

    Parameters
    ----------
    net : SpintronicNet
        Trained on chips.
    floating : SpintronicNet
        The same in floating point, before.
    x, y : arrays of shapes ``(n, *input)`` and ``(n,)``
        Inputs and labels.

    Returns
    -------
    dict of str to bool array
        ``float`` and ``ideal`` of shape ``(n,)``: in floating point and on the ideal chip.
        ``chips`` of shape ``(10, n)``: on each sampled one.
    """
    chips = [net.convert(chip_seed=seed, wafer=seed) for seed in range(CHIPS)]
    return {
        "float": float_hits(floating, x, y),
        "ideal": predictions([net.convert(ideal=True)], x)[0] == y,
        "chips": predictions(chips, x) == y,
    }


def counts(found: Mapping[str, Hits]) -> dict[str, Any]:
    """Numbers of :func:`hits`, for a model card.

    Examples
    --------
    >>> one = np.array([True, False, True])
    >>> counts({"float": one, "ideal": one, "chips": np.stack([one, ~one])})
    {'inputs': 3, 'float': 2, 'ideal': 2, 'chips': [2, 1]}
    """
    return {
        "inputs": len(found["float"]),
        "float": int(found["float"].sum()),
        "ideal": int(found["ideal"].sum()),
        "chips": found["chips"].sum(axis=1).tolist(),
    }
