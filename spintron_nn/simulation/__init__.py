"""Networks of sampled chips simulated fast: many chips at once, in torch, integer for integer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from spintron_nn.lazy import lazy_names

if TYPE_CHECKING:
    from .chips import accuracies
    from .torch_network import TorchNetwork

__all__ = ["TorchNetwork", "accuracies"]

_HOMES = {"TorchNetwork": ".torch_network", "accuracies": ".chips"}

__getattr__, __dir__ = lazy_names(__name__, _HOMES, globals())
