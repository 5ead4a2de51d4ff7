"""Files of trained weights: safetensors with a manifest of what they are and where from."""

from __future__ import annotations

import platform
from importlib.metadata import version
from os import PathLike
from typing import Any

import torch
from torch import nn

from .checkpoint import differences
from .parameters import checked_module
from .tensor_file import TrainingFileError, read_tree, write_tree

__all__ = ["load_weights", "read_manifest", "save_model"]

KIND = "model"


def save_model(
    model: nn.Module, path: str | PathLike[str], *, architecture: str | None = None, **facts: Any
) -> None:
    """Write the weights and buffers of a model, and what is known of it; nothing executable.

    The same weights and facts give the same bytes on the same versions.

    Parameters
    ----------
    model : torch.nn.Module
        Trained model.
    path : str or path
        File to write, ``.safetensors``; an old one is replaced in one go.
    architecture : str or None
        Name of what builds the model; None is the name of its class.
    **facts
        Widths, seeds, metrics, data and the like: numbers, text, and lists and dicts of them.

    Raises
    ------
    ParameterError
        If the model is no module, a fact none of these, or the file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = f"{folder}/model.safetensors"
    ...     save_model(nn.Linear(2, 3), file, architecture="linear", widths=[2, 3], seed=0)
    ...     manifest = load_weights(nn.Linear(2, 3), file)
    >>> manifest["architecture"], manifest["facts"]
    ('linear', {'widths': [2, 3], 'seed': 0})
    """
    checked_module("save_model", "model", model)
    name = type(model).__name__ if architecture is None else architecture
    versions = {
        "spintron-nn-kit": version("spintron-nn-kit"),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    manifest = {"architecture": name, "versions": versions, "facts": facts}
    write_tree(path, KIND, {"manifest": manifest, "weights": model.state_dict()})


def load_weights(model: nn.Module, path: str | PathLike[str], *, part: str = "") -> dict[str, Any]:
    """Read weights into a model of the same architecture; return the file's manifest.

    Parameters
    ----------
    model : torch.nn.Module
        What the weights are of.
    path : str or path
        File that :func:`save_model` wrote.
    part : str
        Read only the weights whose names begin so, and call them by the rest of their names.

    Raises
    ------
    ParameterError
        If the model is no module.
    TrainingFileError
        If the file is damaged or holds other weights than the model has. The model is unchanged.

    Examples
    --------
    >>> import tempfile
    >>> model, other = nn.Linear(2, 3), nn.Linear(2, 3)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(model, f"{folder}/model.safetensors")
    ...     _ = load_weights(other, f"{folder}/model.safetensors")
    >>> torch.equal(model.weight, other.weight)
    True
    """
    checked_module("load_weights", "model", model)
    manifest, weights = _read(path)
    if part:
        weights = {key[len(part) :]: weights[key] for key in weights if key.startswith(part)}
    found = differences("weights", weights, model.state_dict())
    if found:
        more = f"; and {len(found) - 4} more" if len(found) > 4 else ""
        raise TrainingFileError(
            f"{path}: weights of another model ({manifest['architecture']!s:.60}): "
            f"{'; '.join(found[:4])}{more}; build the model that they are of"
        )
    model.load_state_dict(weights)
    return manifest


def read_manifest(path: str | PathLike[str]) -> dict[str, Any]:
    """What a file of weights says of them.

    Returns
    -------
    dict
        ``architecture``: its name. ``versions``: of the packages that wrote it. ``facts``: what
        was given to :func:`save_model`.

    Raises
    ------
    TrainingFileError
        If the file is damaged.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_model(nn.Linear(2, 3), f"{folder}/model.safetensors", accuracy=0.5)
    ...     manifest = read_manifest(f"{folder}/model.safetensors")
    >>> manifest["architecture"], manifest["facts"], list(manifest["versions"])
    ('Linear', {'accuracy': 0.5}, ['spintron-nn-kit', 'torch', 'python'])
    """
    return _read(path)[0]


def _read(path: str | PathLike[str]) -> tuple[dict[str, Any], dict[str, Any]]:
    tree = read_tree(path, KIND)
    whole = isinstance(tree, dict) and tree.keys() == {"manifest", "weights"}
    manifest = tree["manifest"] if whole else None
    if not isinstance(manifest, dict) or manifest.keys() != {"architecture", "versions", "facts"}:
        raise TrainingFileError(f"{path}: the model in the file is malformed; write it again")
    return manifest, tree["weights"]
