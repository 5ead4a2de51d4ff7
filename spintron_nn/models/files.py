"""Trained networks in files: weights, quantisers, calibration and how to build them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from contextlib import ExitStack
from importlib.resources import as_file, files
from os import PathLike, fspath
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor, nn

from spintron_ir import ParameterError, SpintronError
from spintron_nn import models
from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training.checkpoint import differences
from spintron_nn.training.model_file import load_weights, read_manifest, save_model
from spintron_nn.training.tensor_file import TrainingFileError

if TYPE_CHECKING:
    from spintron_nn.training.chip_model import ChipModel

    from .base import SpintronicNet

__all__ = ["floating_weights", "load_net", "pretrained_names", "save_net"]

Net = TypeVar("Net", bound="SpintronicNet")

ENDING = ".safetensors"

NEEDED = {"arguments": Mapping, "config": Mapping, "frames": Tensor, "frame_step": float}
"""What a file must say of a network, and of which type."""

MODULE, WRITTEN = "module.", "written"
"""How the names of the layers' own weights begin, and the name of what devices held before."""


class _Kept(nn.Module):
    """Chips as a file has them: what devices hold follows from the weights and is left out."""

    def __init__(self, chips: ChipModel) -> None:
        super().__init__()
        self.chips = chips

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, Any]:  # type: ignore[override]
        state = self.chips.state_dict()
        return {name: state[name] for name in state if name != WRITTEN}

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Take the weights as written."""
        found = self.chips.load_state_dict({**self.chips.state_dict(), **state_dict})
        self.chips.program()
        return found


def pretrained_names() -> tuple[str, ...]:
    """Names of the trained weights that the package has.

    Examples
    --------
    >>> all(name.isidentifier() for name in pretrained_names())
    True
    """
    folder = files("spintron_nn.models") / "weights"
    found = [item.name for item in folder.iterdir()] if folder.is_dir() else []
    return tuple(sorted(name.removesuffix(ENDING) for name in found if name.endswith(ENDING)))


def _check_name(kind: type[SpintronicNet], name: str) -> None:
    """Refuse a name that is none of the package's, with those of the class that was asked."""
    if name in pretrained_names():
        return
    folder = files("spintron_nn.models") / "weights"
    names = []
    for known in pretrained_names():
        with as_file(folder / f"{known}{ENDING}") as path:
            architecture = read_manifest(path)["architecture"]
        if kind is models.SpintronicNet or architecture == kind.__name__:
            names.append(known)
    there = f"has {', '.join(names)}; give one of them, or" if names else "has none of it; give"
    raise ParameterError(
        f"{kind.__name__}: there are no weights {name!r} in the package, which {there} the path "
        "of a .safetensors file"
    )


def save_net(net: SpintronicNet, path: str | PathLike[str], facts: Mapping[str, Any]) -> None:
    """Write a prepared network to a file; :meth:`SpintronicNet.save` calls this.

    Raises
    ------
    ParameterError
        If a fact has a name that the file needs itself, or is of a type that cannot be written.
    """
    owner = type(net).__name__
    for name in facts:
        if name in NEEDED:
            raise ParameterError(f"{owner}: no fact may be called {name!r}; the file has its own")
    assert net.chips is not None and net.frames is not None
    placed = net.chips.convert(ideal=True)
    port = placed.network.inputs[0]
    codes = torch.from_numpy(placed.quantise_input(net.frames))
    save_model(
        _Kept(net.chips),
        path,
        architecture=owner,
        arguments=net.arguments,
        config=net.config.as_dict(),
        frames=codes.to(torch.int8 if port.type.low < 0 else torch.uint8),
        frame_step=float(port.scale),
        **facts,
    )


def load_net(kind: type[Net], name: str | PathLike[str], *, floating: bool) -> Net:
    """Read a network from the package or a file; :meth:`SpintronicNet.from_pretrained` calls this.

    Raises
    ------
    ParameterError
        If there are no weights of the name.
    TrainingFileError
        If the file is damaged, or of another class.
    """
    with ExitStack() as stack:
        if isinstance(name, str) and not name.endswith(ENDING) and Path(name).name == name:
            _check_name(kind, name)
            item = files("spintron_nn.models") / "weights" / f"{name}{ENDING}"
            path = stack.enter_context(as_file(item))
        else:
            path = Path(fspath(name))
        return _read(kind, path, floating)


def floating_weights(net: SpintronicNet) -> dict[str, Tensor]:
    """Weights of the layers in 16 bits, to be kept as the fact ``floating`` of a file.

    A network that was trained in floating point and is about to be trained on chips is kept so in
    half the room.
    """
    return {name: _half(tensor.clone()) for name, tensor in net.network.state_dict().items()}


def _half(tensor: Tensor) -> Tensor:
    return tensor.half() if tensor.is_floating_point() else tensor


def _read(kind: type[Net], path: Path, floating: bool) -> Net:
    manifest = read_manifest(path)
    chosen = _class_of(kind, path, manifest["architecture"])
    facts = manifest["facts"]
    for name, type_ in NEEDED.items():
        if not isinstance(facts, dict) or not isinstance(facts.get(name), type_):
            raise TrainingFileError(
                f"{path}: the file has no {name} of a network; write it with SpintronicNet.save"
            )
    needed = {name: facts.pop(name) for name in NEEDED}
    halves = facts.pop("floating", None)
    try:
        config = MTJConfig.from_dict(needed["config"])
        net = chosen(**needed["arguments"], config=config)
    except (SpintronError, TypeError) as error:
        raise TrainingFileError(
            f"{path}: no {chosen.__name__} can be built of it ({error}); write it again"
        ) from error
    net.facts = facts
    if floating:
        _fill(net.network, path, halves)
        return net.eval()
    load_weights(net.network, path, part=MODULE)
    frames = _frames(path, needed["frames"], needed["frame_step"], net.shape)
    try:
        chips = net.prepare(frames)
    except SpintronError as error:
        raise TrainingFileError(f"{path}: cannot be put on chips: {error}") from error
    load_weights(_Kept(chips), path)
    for part, tensor in chips.state_dict().items():
        if tensor.is_floating_point() and not tensor.isfinite().all():
            raise TrainingFileError(f"{path}: {part} must be finite; train again")
    return net.eval()


def _class_of(kind: type[Net], path: Path, architecture: Any) -> type[Net]:
    """The class that a file is of: that which was asked, or one of the zoo below it."""
    found = getattr(models, architecture) if architecture in models.__all__ else kind
    if architecture == kind.__name__:
        return kind
    if not isinstance(found, type) or not issubclass(found, kind) or found is kind:
        raise TrainingFileError(
            f"{path}: weights of another class ({architecture!s:.60}) than {kind.__name__}; "
            "read them with the class that they are of"
        )
    return found


def _fill(network: nn.Module, path: Path, weights: Any) -> None:
    """Give a network the weights that it had in floating point."""
    if not isinstance(weights, dict):
        raise TrainingFileError(
            f"{path}: the file has no weights in floating point; read it without floating=True"
        )
    wanted = network.state_dict()
    found = differences("floating", weights, {name: _half(wanted[name]) for name in wanted})
    if found:
        raise TrainingFileError(
            f"{path}: weights of another network: {'; '.join(found[:4])}; write the file again"
        )
    network.load_state_dict(weights)


def _frames(path: Path, codes: Tensor, step: float, shape: tuple[int, ...]) -> Tensor:
    """Real inputs of the codes in a file."""
    fits = codes.dtype in (torch.uint8, torch.int8) and codes.shape[1:] == shape and codes.ndim
    if not fits or not len(codes) or not 0 < step < math.inf:
        raise TrainingFileError(
            f"{path}: frames must be codes of 8 bits of shape (batch, "
            f"{', '.join(map(str, shape))}) with a step above 0, not {codes.dtype} of shape "
            f"{tuple(codes.shape)} with {step:g}; write the file again"
        )
    return codes.float() * step
