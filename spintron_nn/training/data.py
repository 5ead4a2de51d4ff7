"""What people train on (loaders, data sets, arrays) as the two tensors that ``Fit`` takes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    TensorDataset,
    default_collate,
)

from spintron_ir import ParameterError

__all__ = ["batch_size_of", "tensors_of"]

BATCH = 256
"""Inputs read at a time from what has no batches."""

Pair = tuple[Tensor, Tensor]


def tensors_of(name: str, data: Any) -> Pair:
    """Return inputs and labels as tensors on the processor, all of them.

    Data are read once: what a loader draws anew whenever it is read, such as augmented pictures, is
    drawn once for the whole training. Order, batches and shares are the training's own, so of a
    loader over a whole data set neither ``shuffle`` nor ``drop_last`` counts; the data set is read
    in its order. A loader with a sampler of another kind is read as it is.

    Parameters
    ----------
    name : str
        What the data are called in messages.
    data : DataLoader, Dataset, or (inputs, labels)
        Of loaders and data sets every batch or item is such a pair. Inputs become float32; integer
        labels int64, others float32. Tensors of these types, alone or in a ``TensorDataset``, are
        used as they are, without a copy.

    Raises
    ------
    ParameterError
        If there are no pairs, or as many labels as inputs, or inputs are not finite.

    Examples
    --------
    >>> pictures, labels = torch.rand(5, 3), torch.tensor([0, 1, 0, 1, 1])
    >>> loader = DataLoader(TensorDataset(pictures, labels), batch_size=2, shuffle=True)
    >>> x, y = tensors_of("train_loader", loader)
    >>> x.data_ptr() == pictures.data_ptr(), y.dtype
    (True, torch.int64)
    """
    if isinstance(data, (DataLoader, Dataset)):
        inputs, labels = _read(name, data)
    elif isinstance(data, (tuple, list)) and len(data) == 2:
        inputs, labels = data
    else:
        raise ParameterError(
            f"training: {name} must be a DataLoader or a Dataset of torch, or a pair "
            f"(inputs, labels), not {type(data).__name__}"
        )
    x, y = _tensor(name, "inputs", inputs).to(torch.float32), _tensor(name, "labels", labels)
    y = y.to(torch.float32 if y.is_floating_point() else torch.int64)
    if x.ndim < 2 or y.ndim < 1 or len(x) != len(y) or len(x) < 1:
        raise ParameterError(
            f"training: {name} must be inputs (n, *input) and labels (n, *label) with n of at "
            f"least 1, not shapes {tuple(x.shape)} and {tuple(y.shape)}"
        )
    bad = int((~torch.isfinite(x)).sum())
    if bad:
        raise ParameterError(
            f"training: inputs of {name} must be finite, and {bad} of {x.numel()} values are not; "
            "clean the data first"
        )
    return x, y


def batch_size_of(data: Any) -> int | None:
    """Batch size of a loader; None of what has none.

    Examples
    --------
    >>> batch_size_of(DataLoader([0, 1], batch_size=2)), batch_size_of((0, 1))
    (2, None)
    """
    if not isinstance(data, DataLoader):
        return None
    size = data.batch_size
    if size is None:  # batches come from a sampler, or ready made from the data set
        size = getattr(data.batch_sampler, "batch_size", None)
    return size


def _read(name: str, data: Any) -> tuple[Any, Any]:
    """Inputs and labels of a loader or a data set."""
    loader = data if isinstance(data, DataLoader) else None
    dataset: Any = data if loader is None else loader.dataset
    whole = loader is None or _covers_all(loader)
    collated = loader is None or loader.collate_fn is default_collate
    if whole and collated and isinstance(dataset, TensorDataset) and len(dataset.tensors) == 2:
        inputs, labels = dataset.tensors
        return inputs, labels
    batches: Iterable[Any]
    if loader is not None and not whole:
        batches = loader
    else:
        collate = None if loader is None else loader.collate_fn
        workers = 0 if loader is None else loader.num_workers
        # A generator of its own: a loader draws from the global one, even where it has an order.
        own = torch.Generator()
        batches = DataLoader(dataset, BATCH, collate_fn=collate, num_workers=workers, generator=own)
    pairs = list(_pairs(name, batches))
    if not pairs:
        raise ParameterError(f"training: {name} must give at least one batch, and gives none")
    shapes = {(tuple(x.shape[1:]), tuple(y.shape[1:])) for x, y in pairs}
    if len(shapes) > 1:
        (x, y), (other_x, other_y), *_ = sorted(shapes)
        raise ParameterError(
            f"training: {name} must give inputs and labels of one shape, not {x} and {y} in one "
            f"batch, {other_x} and {other_y} in another"
        )
    return torch.cat([x for x, _ in pairs]), torch.cat([y for _, y in pairs])


def _covers_all(loader: DataLoader[Any]) -> bool:
    """Whether a loader gives every item of a data set that has an order once."""
    if isinstance(loader.dataset, IterableDataset) or loader.batch_size is None:
        return False
    sampler = loader.sampler
    if isinstance(sampler, RandomSampler):
        return not sampler.replacement and sampler.num_samples == len(sampler.data_source)
    return isinstance(sampler, SequentialSampler)


def _pairs(name: str, batches: Iterable[Any]) -> Iterator[Pair]:
    for place, batch in enumerate(batches):
        if not isinstance(batch, (tuple, list)) or len(batch) != 2:
            parts = f" of {len(batch)}" if isinstance(batch, (tuple, list)) else ""
            raise ParameterError(
                f"training: {name} must give pairs (inputs, labels), and batch {place} is a "
                f"{type(batch).__name__}{parts}"
            )
        yield (
            torch.atleast_1d(_tensor(name, "inputs", batch[0])),
            torch.atleast_1d(_tensor(name, "labels", batch[1])),
        )


def _tensor(name: str, part: str, value: Any) -> Tensor:
    """Return a tensor of real numbers; an array that can be written shares its memory."""
    if isinstance(value, Tensor):
        if value.is_complex():
            raise ParameterError(
                f"training: {part} of {name} must be real numbers, not {value.dtype}"
            )
        return value.detach().cpu()
    try:
        found = np.asarray(value)
        numeric = found.dtype.kind in "biuf"
    except (TypeError, ValueError):
        numeric = False
    if not numeric:
        raise ParameterError(
            f"training: {part} of {name} must be a tensor or an array of numbers, not "
            f"{type(value).__name__}"
        )
    kind = np.float32 if found.dtype.kind == "f" else np.int64
    found = np.ascontiguousarray(found, dtype=kind)
    return torch.from_numpy(found if found.flags.writeable else found.copy())
