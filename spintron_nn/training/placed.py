"""A converted model computed in torch: the integers of its chip, as real values."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from spintron_nn.converter.model import SpintronicModel
from spintron_nn.converter.scores import real_outputs
from spintron_nn.simulation.torch_network import TorchNetwork

__all__ = ["Placed"]


class Placed:
    """A model on a chip.

    Parameters
    ----------
    model : SpintronicModel
        The model.
    device : torch.device
        Where to compute.
    """

    def __init__(self, model: SpintronicModel, device: torch.device) -> None:
        self.model, self.device = model, device
        self.network = TorchNetwork(model.network).to(device)

    def run(self, x: Any) -> Any:
        """Real outputs, equal to ``SpintronicModel.run``: a float64 tensor, or a dict by name."""
        codes = self.model.quantise_input(x)
        given = (
            {name: self._tensor(part) for name, part in codes.items()}
            if isinstance(codes, dict)
            else self._tensor(codes)
        )
        made = self.network(given)
        outputs = self.model.network.outputs
        integers = made if isinstance(made, dict) else {outputs[0].name: made}
        found = real_outputs(
            self.model.network, {name: part.cpu().numpy() for name, part in integers.items()}
        )
        if "scores" in found:  # next to these the class is no output of the module
            found.pop("class", None)
        tensors = {
            name: torch.from_numpy(np.asarray(part)).to(self.device) for name, part in found.items()
        }
        return tensors if len(tensors) > 1 else next(iter(tensors.values()))

    def _tensor(self, codes: NDArray[np.int64]) -> Tensor:
        return torch.from_numpy(codes).to(self.device)
