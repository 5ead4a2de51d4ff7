"""Networks in torch: what ``Network.run`` gives, of many chips at once."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from spintron_ir import Network, ParameterError
from spintron_ir.errors import check_int

from .dense import PROCESSOR, DenseChips
from .moves import ConcatChips, FlattenChips, GatherChips, WindowChips
from .structure import check_one_structure, with_noise_alike
from .values import (
    ArgmaxChips,
    CellChips,
    JoinChips,
    PoolChips,
    QuantiseChips,
    SoftmaxChips,
    TopKChips,
)
from .words import carrier

__all__ = ["TorchNetwork"]

BLOCK_VALUES = 1 << 21
"""Values of the largest reads that are worked on at a time: what the processor's cache likes."""

LEAST_VECTORS = 512
"""Vectors of a matrix in a block, at least, where there are as many: fewer cost speed."""

ALIKE: dict[str, Callable[[Any], nn.Module]] = {
    "flatten": FlattenChips,
    "window": WindowChips,
    "gather": GatherChips,
    "concat": ConcatChips,
    "pool": PoolChips,
    "argmax": ArgmaxChips,
    "topk": TopKChips,
    "softmax": SoftmaxChips,
    "cell": CellChips,
}
"""Layers that all chips have alike."""


class TorchNetwork(nn.Module):
    """One network, or the networks of several chips of one model, evaluated in torch.

    Results equal those of :meth:`spintron_ir.Network.run` to the last bit, read noise included. The
    formulas are written a second time here, on floating-point matrices wherever every sum is
    exact; each matrix is one batched product over the chips. ``.to("cuda")`` moves it.

    Parameters
    ----------
    networks : Network or sequence of Network
        Several must be of one structure: the same graph, with numbers of each chip's own.

    Raises
    ------
    ParameterError
        If there is no network, or the structures differ; the message names the first difference.
    """

    def __init__(self, networks: Network | Sequence[Network]) -> None:
        super().__init__()
        self.single = isinstance(networks, Network)
        found = list(networks) if isinstance(networks, Sequence) else [networks]
        if not found or not all(isinstance(each, Network) for each in found):
            kinds = ", ".join(sorted({type(each).__name__ for each in found})) or "none"
            raise ParameterError(f"TorchNetwork: networks must be one Network or more, not {kinds}")
        found = with_noise_alike(found)
        check_one_structure(found)
        self.chips, first = len(found), found[0]
        self.inputs, self.outputs = first.inputs, first.outputs
        self.shapes = {node.name: node.layer.shape for node in first.nodes}
        self.sources = {node.name: node.inputs for node in first.nodes}
        self.layers = nn.ModuleDict()
        for place, node in enumerate(first.nodes):
            self.layers[node.name] = _made([network.nodes[place].layer for network in found])
        dense = [layer for layer in self.layers.values() if isinstance(layer, DenseChips)]
        self.compiled = bool(dense) and all(layer.bits is not None for layer in dense)
        self.positions = max(getattr(node.layer, "positions", None) or 1 for node in first.nodes)
        self.largest = max(_largest(node.layer, self.layers[node.name]) for node in first.nodes)

    def forward(self, codes: Any, first_frame: int = 0) -> Any:
        """Outputs of a batch of frames, which all chips see.

        Parameters
        ----------
        codes : integer tensor ``(batch, *shape)``, or dict of such by input name
            Inputs, within the range of their type.
        first_frame : int
            Number of the first frame since reset: read noise depends on it.

        Returns
        -------
        int64 tensor ``(chips, batch, *shape)``, or dict of such where there are several outputs
            Without the axis of the chips where one network was given by itself.

        Raises
        ------
        ParameterError
            If the inputs have the wrong names, shape, type or range.
        """
        check_int("TorchNetwork", "first_frame", first_frame, 0, (1 << 62) - 1)
        frames = self._frames(codes)
        device = next(iter(frames.values())).device
        precision, threads = torch.get_float32_matmul_precision(), torch.get_num_threads()
        torch.set_float32_matmul_precision("highest")  # sums are exact in no format below
        if self.compiled and device.type == PROCESSOR:
            torch.set_num_threads(1)  # its threads wait busily, and the kernels have their own
        try:
            with torch.no_grad(), torch.autocast(device.type, enabled=False):
                found = self._blocks(frames, first_frame, threads)
        finally:
            torch.set_float32_matmul_precision(precision)
            torch.set_num_threads(threads)
        if self.single:
            found = {name: values[0] for name, values in found.items()}
        return found if len(found) > 1 else next(iter(found.values()))

    def _blocks(
        self, frames: Mapping[str, Tensor], first_frame: int, threads: int
    ) -> dict[str, Tensor]:
        """Outputs of all frames and chips, worked on block by block."""
        first = next(iter(frames.values()))
        count = first.shape[-1]
        out = {
            output.name: first.new_empty(
                (self.chips, count, *self.shapes[output.node]), dtype=torch.int64
            )
            for output in self.outputs
        }
        for start, some, chips in self._pieces(count):
            part = {name: values[..., start : start + some] for name, values in frames.items()}
            results = self._run(part, chips, first_frame + start, threads)
            for output in self.outputs:
                out[output.name][chips, start : start + some] = results[output.node].movedim(-1, 1)
        return out

    def _pieces(self, count: int) -> Iterator[tuple[int, int, slice]]:
        """First frame, frames and chips of each block."""
        room = max(1, BLOCK_VALUES // self.largest)  # frames times chips
        frames = max(1, LEAST_VECTORS // self.positions, room // self.chips)
        chips = max(1, room // min(frames, max(count, 1)))
        for chip in range(0, self.chips, chips):
            for start in range(0, count, frames):
                yield start, min(frames, count - start), slice(chip, chip + chips)

    def _run(
        self, known: dict[str, Tensor], chips: slice, first: int, threads: int
    ) -> dict[str, Tensor]:
        """Results of every node, ``(chips or 1, *shape, frames)``."""
        for name, layer in self.layers.items():
            inputs = [known[source] for source in self.sources[name]]
            if isinstance(layer, DenseChips):
                known[name] = layer(*inputs, chips=chips, first=first, threads=threads)
            elif isinstance(layer, (QuantiseChips, JoinChips, SoftmaxChips)):
                known[name] = layer(*inputs, chips=chips)
            else:
                known[name] = layer(*inputs)
        return known

    def _frames(self, codes: Any) -> dict[str, Tensor]:
        """Inputs by name, checked, ``(1, *shape, frames)``."""
        names = [port.name for port in self.inputs]
        given = codes if isinstance(codes, Mapping) else {names[0]: codes}
        if set(given) != set(names):
            found = ", ".join(map(str, given)) if isinstance(codes, Mapping) else "one array"
            raise ParameterError(
                f"TorchNetwork: codes must be a dict with tensors for {', '.join(names)}, "
                f"not {found or 'none'}"
            )
        frames = {port.name: _checked(port, given[port.name]) for port in self.inputs}
        counts = {name: x.shape[-1] for name, x in frames.items()}
        if len(set(counts.values())) > 1:
            raise ParameterError(
                "TorchNetwork: every input must have the same number of frames, not "
                + ", ".join(map(str, counts.values()))
            )
        return frames


def _made(layers: Sequence[Any]) -> nn.Module:
    """The module of a layer, of which each chip has its own."""
    kind = layers[0].kind
    if kind == "dense":
        return DenseChips(layers)
    if kind == "quantise":
        return QuantiseChips(layers)
    if kind == "join":
        return JoinChips(layers)
    if kind not in ALIKE:
        raise ParameterError(
            f"TorchNetwork: layers must be of a kind that it computes, not {kind}; use Network.run"
        )
    return ALIKE[kind](layers)


def _largest(layer: Any, module: nn.Module) -> int:
    """Values of a frame in the largest tensor of a layer."""
    size = math.prod(layer.shape)
    if isinstance(module, DenseChips) and module.groups:
        size *= layer.slices * layer.converters * layer.chunks
    return size


def _checked(port: Any, values: Any) -> Tensor:
    """Inputs of one port, frames last, in the narrowest type."""
    x = torch.as_tensor(values)
    if x.dtype.is_floating_point or x.dtype.is_complex or x.dtype == torch.bool:
        raise ParameterError(
            f"TorchNetwork: input {port.name} must hold integers, not {x.dtype}: "
            f"divide by its scale ({port.scale:g}) and round"
        )
    if x.shape[1:] != tuple(port.shape) or x.ndim != len(port.shape) + 1:
        sizes = ", ".join(map(str, port.shape))
        raise ParameterError(
            f"TorchNetwork: input {port.name} must have the shape (batch, {sizes}), "
            f"not {tuple(x.shape)}"
        )
    if x.numel():
        low, high = int(x.min()), int(x.max())
        if low < port.type.low or high > port.type.high:
            raise ParameterError(
                f"TorchNetwork: input {port.name} must lie in {port.type.low}..{port.type.high}, "
                f"not in {low}..{high}"
            )
    return x.to(carrier(port.type)).movedim(0, -1)[None]
