"""The parameters of a module behind the steps of its graph."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from spintron_ir import ParameterError
from spintron_nn.converter.graph import ArgmaxOf, Conv, Linear, Model, Norm, Step, TopKOf

__all__ = ["checked_module", "filled", "findings", "momentum_of", "owners_of", "tensors_of"]

Reals = NDArray[np.float64]

FIELDS = ("weight", "bias", "gamma", "beta", "mean", "var")
"""Arrays of operations that may be parameters or statistics."""

MOMENTUM = 0.1
"""Of running statistics that no batch normalisation of torch owns."""


def checked_module(owner: str, name: str, value: Any) -> nn.Module:
    """Return a module as it is.

    Raises
    ------
    ParameterError
        If it is none.
    """
    if not isinstance(value, nn.Module):
        raise ParameterError(
            f"{owner}: {name} must be a torch.nn.Module, not {type(value).__name__}"
        )
    return value


def _keys(operation: Any) -> Iterator[tuple[str, str]]:
    for name in FIELDS:
        key = getattr(operation, f"{name}_key", None)
        if key is not None:
            yield name, key


def tensors_of(module: nn.Module) -> dict[str, Tensor]:
    """Parameters and buffers by their names in the state; shared ones under each of theirs."""
    return dict(module.state_dict(keep_vars=True))


def owners_of(model: Model, module: nn.Module) -> dict[str, tuple[dict[str, Any], str]]:
    """Where the parameters and statistics of a graph are, by key: a dict of a module, and a name.

    That is several times faster than to ask the module.
    """
    found = {}
    for step in model.steps:
        for _, key in _keys(step.operation):
            path, _, name = key.rpartition(".")
            owner = module.get_submodule(path)
            parts: Any = owner._parameters if name in owner._parameters else owner._buffers
            found[key] = parts, name
    return found


def findings(model: Model, module: nn.Module) -> list[str]:
    """What of a graph cannot be trained, one line each.

    Parameters
    ----------
    model : Model
        The graph.
    module : Module
        What it was made from.
    """
    tensors = tensors_of(module)
    found: list[str] = []
    used: set[int] = set()
    for step in model.steps:
        operation: Any = step.operation
        where = step.origin or step.name
        keys = dict(_keys(operation))
        used |= {id(tensors[key]) for key in keys.values() if key in tensors}
        if isinstance(operation, (Linear, Conv)):
            found += _matrix(where, operation, keys, tensors)
        elif isinstance(operation, Norm) and not {"mean", "var"} <= set(keys):
            found.append(f"{where}: its statistics are constants; use nn.BatchNorm1d or 2d")
        elif isinstance(operation, ArgmaxOf) or (
            isinstance(operation, TopKOf) and not operation.values
        ):
            found.append(f"{where}: gives indices, which have no gradient; train what it takes")
    for name, parameter in module.named_parameters():
        if parameter.requires_grad and id(parameter) not in used:
            found.append(
                f"{name}: no matrix or batch normalisation of the graph has it, and only their "
                "parameters are trained on chips; freeze it with requires_grad_(False)"
            )
    return found


def _matrix(
    where: str, operation: Linear | Conv, keys: Mapping[str, str], tensors: Mapping[str, Tensor]
) -> Iterator[str]:
    if "weight" not in keys or tensors[keys["weight"]].shape != operation.weight.shape:
        yield (
            f"{where}: its weights are computed from others, not parameters; use nn.Linear, "
            "nn.Conv1d or nn.Conv2d"
        )
    elif "bias" not in keys and operation.bias.any():
        yield f"{where}: its bias is computed from others, not a parameter; use that of the layer"


def filled(model: Model, module: nn.Module, weight: Callable[[Step], Reals]) -> Model:
    """Return the graph with a module's present parameters and statistics.

    Parameters
    ----------
    model : Model
        The graph.
    module : Module
        What it was made from.
    weight : callable
        Weights of a Linear or Conv step.
    """
    tensors = tensors_of(module)
    steps = []
    for step in model.steps:
        operation: Any = step.operation
        arrays: dict[str, Any] = {}
        for name, key in _keys(operation):
            given = tensors[key].detach().cpu().double().numpy()
            arrays[name] = np.broadcast_to(given, getattr(operation, name).shape).copy()
        if isinstance(operation, (Linear, Conv)):
            arrays["weight"] = weight(step)
        steps.append(replace(step, operation=replace(operation, **arrays)) if arrays else step)
    return replace(model, steps=tuple(steps))


def momentum_of(module: nn.Module, key: str) -> tuple[float | None, Tensor | None]:
    """Momentum of running statistics, None for a mean over all batches, and their counter."""
    for name in key.split(".")[:-1]:
        module = module._modules[name]  # type: ignore[assignment]
    counter = module._buffers.get("num_batches_tracked")
    return getattr(module, "momentum", MOMENTUM), counter
