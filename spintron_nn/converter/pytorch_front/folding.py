"""What is computed from constants alone, worked out by torch before anything else."""

from __future__ import annotations

from typing import Any

import torch

from .walk import Constant, Refused

__all__ = ["FOLDABLE", "fold"]

MAX_NUMBERS = 1 << 28
"""Most numbers of a constant."""

FOLDABLE = frozenset(
    """
    abs add addmm alias amax amin arange argmax argmin argsort bmm cat ceil chunk clamp
    clamp_max clamp_min clone concat contiguous copy cos cumsum detach diag div eq exp exp2 expand
    expand_as eye fill flatten flip floor fmod full full_like ge gelu gt index index_select le
    lift_fresh_copy linalg_norm linalg_vector_norm linear linspace log logical_and logical_not
    logical_or lt masked_fill matmul max maximum mean meshgrid min minimum mm movedim mT mul
    narrow ne neg new_full new_ones new_zeros norm norm_except_dim numpy_T ones ones_like
    outer permute pow prod reciprocal relu remainder repeat repeat_interleave reshape roll
    round rsqrt rsub scalar_tensor select select_scatter sigmoid sign sin slice slice_scatter
    softmax softplus sort split split_with_sizes sqrt square squeeze stack std sub sum t tanh
    tile to _to_copy topk transpose tril triu type_as unbind unflatten _unsafe_view unsqueeze
    var view view_as _weight_norm _weight_norm_interface where zeros zeros_like
    """.split()
)
"""Operations without randomness that look at nothing outside; others of constants are refused."""


def fold(target: Any, arguments: dict[str, Any], name: str) -> Any:
    """Run an operation on constants; its size is known before any memory is taken.

    Raises
    ------
    Refused
        If it is none of :data:`FOLDABLE`, or its result is too large.
    """
    if name not in FOLDABLE or target.namespace != "aten":
        raise Refused("works on constants alone; compute it before the export")
    if target._schema.is_mutable and _kept(arguments):
        raise Refused("changes the model's own state; keep forward() free of that")
    given = _mapped(arguments, "meta")
    if "device" in given:
        given["device"] = torch.device("meta")
    sketch = _call(target, given)
    if sum(part.numel() for part in _tensors(sketch)) > MAX_NUMBERS:
        raise Refused("makes a constant of more numbers than a model holds; make it smaller")
    given = _mapped(arguments, "cpu")
    if "device" in given:
        given["device"] = torch.device("cpu")
    made = _call(target, given)
    constant = next((item for item in arguments.values() if isinstance(item, Constant)), None)
    return _wrapped(made, name, constant)


def _kept(arguments: dict[str, Any]) -> bool:
    """Whether a tensor of the model's state is among the arguments."""
    return any(isinstance(item, Constant) and item.key is not None for item in arguments.values())


def _call(target: Any, given: dict[str, Any]) -> Any:
    schema = target._schema.arguments
    places = [given[part.name] for part in schema if not part.kwarg_only]
    named = {part.name: given[part.name] for part in schema if part.kwarg_only}
    with torch.no_grad():
        return target(*places, **named)


def _mapped(item: Any, device: str) -> Any:
    if isinstance(item, Constant):
        return item.tensor.detach().to(device)
    if isinstance(item, dict):
        return {name: _mapped(part, device) for name, part in item.items()}
    if isinstance(item, list | tuple):
        return [_mapped(part, device) for part in item]
    if isinstance(item, torch.SymInt | torch.SymFloat | torch.SymBool):
        raise Refused("makes a constant of the size of the batch; use one without that axis")
    return item


def _tensors(item: Any) -> list[torch.Tensor]:
    if isinstance(item, torch.Tensor):
        return [item]
    if isinstance(item, list | tuple):
        return [tensor for part in item for tensor in _tensors(part)]
    return []


def _wrapped(made: Any, name: str, source: Constant | None) -> Any:
    if isinstance(made, list | tuple):
        return [_wrapped(part, name, None) for part in made]
    if not isinstance(made, torch.Tensor):
        return made
    if source is None or source.key is None:
        return Constant(made)
    # A parameter keeps its name where the tensor stays what it is, or is turned over.
    before = source.tensor
    if made.shape == before.shape and name in ("alias", "clone", "contiguous", "detach", "to"):
        return Constant(made, source.key, source.flipped)
    if name in ("t", "transpose", "permute", "numpy_T", "mT") and made.ndim == 2:
        turned = made.shape == before.shape[::-1] and torch.equal(made, before.T)
        if turned:
            return Constant(made, source.key, not source.flipped)
    return Constant(made)
