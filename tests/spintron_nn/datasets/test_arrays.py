"""Tests of spintron_nn.datasets.arrays."""

import re

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.datasets import array_dataset, arrays, read_arrays

X = np.arange(40, dtype=np.float64).reshape(10, 2, 2)
Y = np.arange(10) % 3
PARTS = {"train_x": X[:7], "train_y": Y[:7], "test_x": X[7:], "test_y": Y[7:]}


def folder(root, **held):
    for name, array in held.items():
        np.save(root / f"{name}.npy", array)
    return root


def archive(root, **held):
    np.savez(root / "data.npz", **held)
    return root / "data.npz"


def test_every_input_is_in_one_part():
    data = array_dataset(X, Y, held_out=0.3, seed=1)
    assert len(data.train_x) == 7 and data.classes == 3 and data.name == "arrays"
    for x, y in ((data.train_x, data.train_y), (data.test_x, data.test_y)):
        assert x.dtype == np.float32 and y.dtype == np.int64
        np.testing.assert_array_equal(Y[x[:, 0, 0].astype(int) // 4], y)
    together = np.concatenate([data.train_x, data.test_x])
    np.testing.assert_array_equal(np.sort(together[:, 0, 0]), X[:, 0, 0])


def test_the_seed_decides_the_draw():
    digests = [array_dataset(X, Y, seed=seed).digest() for seed in (0, 0, 1, 2)]
    assert digests[0] == digests[1] and len(set(digests)) == 3


@pytest.mark.parametrize("share", [1e-9, 1 - 1e-9])
def test_no_part_is_empty(share):
    data = array_dataset(X, Y, held_out=share)
    assert min(len(data.train_y), len(data.test_y)) == 1


@pytest.mark.parametrize("write", [folder, archive])
def test_files_hold_parts_or_a_whole(tmp_path, write):
    parts = read_arrays(write(tmp_path, **PARTS))
    for name, array in PARTS.items():
        np.testing.assert_array_equal(getattr(parts, name), array)
    for path in tmp_path.iterdir():
        path.unlink()
    whole = read_arrays(write(tmp_path, x=X, y=Y), held_out=0.5, seed=3)
    assert whole.digest() == array_dataset(X, Y, held_out=0.5, seed=3).digest()


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (
            X,
            Y[:9],
            "x must have the shape (n, *input) and its labels (n,), with n of at least 1, "
            "not (10, 2, 2) and (9,)",
        ),
        (
            X[:0],
            Y[:0],
            "x must have the shape (n, *input) and its labels (n,), with n of at least "
            "1, not (0, 2, 2) and (0,)",
        ),
        (X[:1], Y[:1], "x must have 2 inputs or more, one to train and one to test, not 1"),
        (
            X,
            Y / 2,
            "x must hold numbers and its labels integers, not float64 and float64; give "
            "labels as numbers of classes, from 0 on",
        ),
        (
            np.array(["a", "b"]),
            Y[:2],
            "x must hold numbers and its labels integers, not <U1 and "
            "int64; give labels as numbers of classes, from 0 on",
        ),
        (
            np.array([1e300, 2]),
            Y[:2],
            "x must be finite in float32, and 1 of 2 values are not; clean the data first",
        ),
        (X, Y - 1, "labels of x must be numbers of classes, from 0 on, not -1"),
    ],
    ids="shapes none one float text huge negative".split(),
)
def test_refuses_arrays(x, y, message):
    with pytest.raises(ParameterError, match=f"^array_dataset: {re.escape(message)}$"):
        array_dataset(x, y)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"held_out": 1}, "held_out must be a number above 0 and below 1, not 1"),
        ({"seed": -1}, "seed must be an integer in 0..9223372036854775807, not -1"),
    ],
    ids=["share", "seed"],
)
def test_refuses_choices(given, message):
    with pytest.raises(ParameterError, match=f"^array_dataset: {re.escape(message)}$"):
        array_dataset(X, Y, **given)


def test_refuses_a_missing_file(tmp_path):
    with pytest.raises(
        ParameterError,
        match=r"^read_arrays: path must name an \.npz file or a folder of \.npy files, and there "
        r"is no '.*nothing'$",
    ):
        read_arrays(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("held", "found"), [({"x": X}, "x"), ({"x": X, "y": Y, "train_x": X}, "train_x, x, y")]
)
def test_refuses_other_names(tmp_path, held, found):
    with pytest.raises(
        ParameterError,
        match=r"^read_arrays: data\.npz must hold the arrays train_x, train_y, test_x, test_y, or "
        rf"x and y, not {found}$",
    ):
        read_arrays(archive(tmp_path, **held))


def test_refuses_parts_of_two_shapes(tmp_path):
    with pytest.raises(
        ParameterError,
        match=r"^read_arrays: inputs of train_x and test_x must have one shape, not \(2, 2\) and "
        r"\(4,\)$",
    ):
        read_arrays(archive(tmp_path, **PARTS | {"test_x": X[7:].reshape(3, 4)}))


def test_nothing_is_unpickled(tmp_path):
    objects = np.array([{}, {}], dtype=object)
    for path in (archive(tmp_path, x=objects, y=Y[:2]), folder(tmp_path, x=objects, y=Y[:2])):
        with pytest.raises(
            ParameterError,
            match=r"^read_arrays: (data\.npz|x\.npy) must be a whole file of arrays of numbers "
            r"\(.*\); write it with numpy\.savez or numpy\.save$",
        ):
            read_arrays(path)


def test_a_hostile_header_allocates_nothing(tmp_path):
    path = folder(tmp_path, x=X, y=Y) / "x.npy"
    whole = path.read_bytes()
    hostile = whole.replace(b"(10, 2, 2), }" + 12 * b" ", b"(10000000000, 2, 2), }   ")
    assert len(hostile) == len(whole) and hostile != whole
    path.write_bytes(hostile)
    with pytest.raises(ParameterError, match=r"^read_arrays: x\.npy must be a whole file "):
        read_arrays(tmp_path)


def test_refuses_too_much(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "MAX_BYTES", 100)
    with pytest.raises(
        ParameterError,
        match=r"^read_arrays: data\.npz must be a whole file of arrays of numbers \(more than 100 "
        r"bytes\); write it with numpy\.savez or numpy\.save$",
    ):
        read_arrays(archive(tmp_path, x=X, y=Y))


@pytest.mark.parametrize("write", [folder, archive])
def test_any_damage_is_one_error(tmp_path, write):
    path = write(tmp_path, x=X, y=Y)
    broken = path if path.is_file() else path / "x.npy"
    whole, random, refused = broken.read_bytes(), np.random.default_rng(5), 0
    for _ in range(200):
        data = bytearray(whole[: random.integers(1, len(whole) + 1)])
        for place in random.integers(0, len(data), 3):
            data[place] = random.integers(0, 256)
        broken.write_bytes(data)
        try:
            read_arrays(path)
        except ParameterError:
            refused += 1
    assert refused > 100
