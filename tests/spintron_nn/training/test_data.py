"""Tests of spintron_nn.training.data."""

import re

import numpy as np
import pytest
import torch
from torch.utils.data import (
    DataLoader,
    Dataset,
    IterableDataset,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)

from spintron_ir import ParameterError
from spintron_nn.training.data import batch_size_of, tensors_of

X = torch.arange(21, dtype=torch.float32).reshape(7, 3)
Y = torch.tensor([0, 1, 2, 0, 1, 2, 0])


class Pictures(Dataset):
    """Bytes and plain integers, as of an image folder; each read counts."""

    def __init__(self):
        self.read = 0

    def __len__(self):
        return len(X)

    def __getitem__(self, place):
        self.read += 1
        return X[place].numpy().astype(np.uint8), int(Y[place])


class Stream(IterableDataset):
    def __iter__(self):
        return iter([(X[2], Y[2]), (X[1], Y[1])])


def same(found, x=X, y=Y):
    return (
        [part.dtype for part in found] == [torch.float32, torch.int64]
        and torch.equal(found[0], x)
        and torch.equal(found[1], y)
    )


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("drop_last", [False, True])
def test_tensors_of_a_loader_are_those_of_its_data_set(shuffle, drop_last):
    data = TensorDataset(X, Y)
    loader = DataLoader(data, batch_size=2, shuffle=shuffle, drop_last=drop_last)
    for given in (loader, data, (X, Y), [X, Y]):
        found = tensors_of("train_loader", given)
        assert found[0].data_ptr() == X.data_ptr() and found[1].data_ptr() == Y.data_ptr()
        assert same(found)


def test_a_data_set_is_read_once_in_its_order_and_draws_nothing():
    before = torch.get_rng_state()
    pictures = Pictures()
    assert same(tensors_of("train_loader", DataLoader(pictures, batch_size=3, shuffle=True)))
    assert pictures.read == 7
    assert same(tensors_of("train_loader", Subset(pictures, [3, 0])), X[[3, 0]], Y[[3, 0]])
    assert torch.equal(torch.get_rng_state(), before)


def test_a_loader_with_another_order_is_read_as_it_is():
    data = TensorDataset(X, Y)
    sampler = SubsetRandomSampler([1, 4], generator=torch.Generator().manual_seed(0))
    found = tensors_of("train_loader", DataLoader(data, sampler=sampler))
    assert sorted(found[0][:, 0].tolist()) == [3, 12] and found[1].tolist() == [1, 1]
    batches = DataLoader(data, batch_sampler=[[6, 0], [5]])
    assert same(tensors_of("train_loader", batches), X[[6, 0, 5]], Y[[6, 0, 5]])
    more = torch.utils.data.RandomSampler(data, replacement=True, num_samples=9)
    assert len(tensors_of("train_loader", DataLoader(data, sampler=more))[0]) == 9
    assert same(tensors_of("train_loader", DataLoader(Stream())), X[[2, 1]], Y[[2, 1]])


def test_what_a_loader_makes_of_its_items():
    def doubled(items):
        return torch.stack([x for x, _ in items]) * 2, torch.stack([y for _, y in items])

    loader = DataLoader(TensorDataset(X, Y), batch_size=2, collate_fn=doubled)
    assert same(tensors_of("train_loader", loader), X * 2)


@pytest.mark.parametrize("frozen", [False, True])
def test_arrays(frozen):
    x, y = X.numpy().astype(np.float64), Y.numpy().astype(np.uint8)
    x.flags.writeable = not frozen
    assert same(tensors_of("train_loader", (x, y)))
    assert same(tensors_of("train_loader", (X.tolist(), Y.tolist())))
    inputs = X.numpy().copy()
    inputs.flags.writeable = not frozen
    found, _ = tensors_of("train_loader", (inputs, y))
    assert (found.data_ptr() == inputs.ctypes.data) is not frozen


def test_labels_of_a_regression():
    _, y = tensors_of("train_loader", (X, X.double()[:, :1]))
    assert y.dtype == torch.float32 and y.shape == (7, 1)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (5, "train_loader must be a DataLoader or a Dataset of torch, or a pair (inputs, labels), "
            "not int"),
        ((X, Y[1:]), "train_loader must be inputs (n, *input) and labels (n, *label) with n of at "
                     "least 1, not shapes (7, 3) and (6,)"),
        ((X[:0], Y[:0]), "train_loader must be inputs (n, *input) and labels (n, *label) with n of "
                         "at least 1, not shapes (0, 3) and (0,)"),
        ((X / 0, Y), "inputs of train_loader must be finite, and 21 of 21 values are not; clean "
                     "the data first"),
        ((X * 1j, Y), "inputs of train_loader must be real numbers, not torch.complex64"),
        ((X, "0120120"), "labels of train_loader must be a tensor or an array of numbers, not str"),
        (([[1.0], [1.0, 2.0]], [0, 1]),
         "inputs of train_loader must be a tensor or an array of numbers, not list"),
        (DataLoader(TensorDataset(X)),
         "train_loader must give pairs (inputs, labels), and batch 0 is a list of 1"),
        (DataLoader(X),
         "train_loader must give pairs (inputs, labels), and batch 0 is a Tensor"),
        (DataLoader(TensorDataset(X, Y), batch_sampler=[]),
         "train_loader must give at least one batch, and gives none"),
        (DataLoader([(X[0], 0), (X[0, :2], 1)], batch_sampler=[[0], [1]]),
         "train_loader must give inputs and labels of one shape, not (2,) and () in one batch, "
         "(3,) and () in another"),
    ],
)  # fmt: skip
def test_refuses(data, message):
    with pytest.raises(ParameterError, match=f"^training: {re.escape(message)}$"):
        tensors_of("train_loader", data)


def test_batch_size():
    data = TensorDataset(X, Y)
    assert batch_size_of(DataLoader(data, batch_size=5)) == 5
    assert batch_size_of(DataLoader(data, batch_size=None)) is None
    assert batch_size_of(DataLoader(data, batch_sampler=[[0]])) is None
    assert batch_size_of((X, Y)) is None and batch_size_of(data) is None
