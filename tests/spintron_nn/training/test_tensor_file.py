"""Tests of spintron_nn.training.tensor_file: what is written is read, and hostile files."""

import contextlib
import json
import math
import os
import random
import re

import pytest
import torch
from safetensors.torch import save

from spintron_ir import ParameterError
from spintron_nn.training.tensor_file import KEY, TrainingFileError, read_tree, write_tree


def some_value(random, depth):
    kind = random.randrange(4 if depth == 0 else 7)
    if kind == 0:
        return random.choice([None, True, False, "", "text é", -(2**80), 0])
    if kind == 1:
        return random.choice([0.1, -0.0, math.inf, 5e-324, random.random()])
    if kind in (2, 3):
        dtype = random.choice([torch.float32, torch.float16, torch.int64, torch.uint8, torch.bool])
        shape = random.choices([0, 1, 3], k=random.randrange(3))
        return torch.randint(0, 2, shape).to(dtype)
    inside = [some_value(random, depth - 1) for _ in range(random.randrange(4))]
    if kind == 4:
        return inside
    return tuple(inside) if kind == 5 else dict(zip(["a", 1, "1.2", -3], inside, strict=False))


def same(one, other):
    if isinstance(one, torch.Tensor):
        return one.dtype == other.dtype and one.shape == other.shape and torch.equal(one, other)
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return list(one) == list(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)


@pytest.mark.parametrize("seed", range(20))
def test_what_is_written_is_read(tmp_path, seed):
    tree = {"x": some_value(random.Random(seed), 4)}
    write_tree(tmp_path / "a", "note", tree)
    assert same(read_tree(tmp_path / "a", "note"), tree)
    write_tree(tmp_path / "b", "note", tree)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_tensors_that_share_memory_or_are_views(tmp_path):
    base = torch.arange(6.0).reshape(2, 3)
    write_tree(tmp_path / "a", "note", [base, base, base.T, base[1]])
    assert same(read_tree(tmp_path / "a", "note"), [base, base, base.T, base[1]])


def test_a_failed_write_leaves_the_old_file_alone(tmp_path, monkeypatch):
    write_tree(tmp_path / "a", "note", 1)

    def full(number):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    message = "cannot be written (No space left on device); give a path in a writable folder"
    with pytest.raises(ParameterError, match=re.escape(message) + "$"):
        write_tree(tmp_path / "a", "note", 2)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert read_tree(tmp_path / "a", "note") == 1


@pytest.mark.parametrize("place", ["missing/a", "file/a"])
def test_a_place_that_cannot_be_written(tmp_path, place):
    (tmp_path / "file").write_text("")
    with pytest.raises(ParameterError, match=r"a: cannot be written \(.*\); give a path in a "):
        write_tree(tmp_path / place, "note", 1)


def test_refuses_other_values(tmp_path):
    message = (
        "note.0.x: only tensors, numbers, text, None, and lists, tuples and dicts of them can be "
        "written, not set"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        write_tree(tmp_path / "a", "note", [{"x": set()}])
    assert not list(tmp_path.iterdir())


def body(content, **changed):
    return json.dumps({"format": 1, "kind": "note", "content": content} | changed)


def deep(levels):
    return '{"list":[' * levels + "]}" * levels


MALFORMED = "the note in the file is malformed ({}); write it again"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a safetensors file, or cut off "),
        (b"\xff" * 100, "not a safetensors file, or cut off "),
        (save({"x": torch.zeros(4)}, {KEY: body({"tensor": "x"})})[:-1],
         "not a safetensors file, or cut off "),
        (save({}), "a safetensors file without a note in it"),
        (body(1, format=2), "written in format 2, this version reads up to 1: install a newer "
                            "spintron-nn-kit"),
        (body(1, format=True), "the format version must be a positive integer, not True"),
        (body(1, kind="model"), "the file must hold a note, not a 'model'"),
        ("[]", "the format version must be a positive integer, not None"),
        ("{", MALFORMED.format("JSONDecodeError")),
        ('{"format": 1}', MALFORMED.format("KeyError")),
        (body([1]), MALFORMED.format("TypeError")),
        (body({}), MALFORMED.format("ValueError")),
        (body({"pickle": []}), MALFORMED.format("KeyError")),
        (body({"list": 3}), MALFORMED.format("TypeError")),
        (body({"tensor": "y"}), MALFORMED.format("KeyError")),
        (body({"tensor": ["x"]}), MALFORMED.format("TypeError")),
        (body({"list": [{"tensor": "x"}, {"tensor": "x"}]}), MALFORMED.format("KeyError")),
        (body({"dict": [["a", 1], ["a", 2]]}), MALFORMED.format("KeyError")),
        (body({"dict": [["a"]]}), MALFORMED.format("ValueError")),
        (body({"dict": [[{}, 1]]}), MALFORMED.format("TypeError")),
        (body(0).replace("0", deep(100_000)), MALFORMED.format("RecursionError")),
        (body(0).replace("0", "9" * 5000), MALFORMED.format("ValueError")),
        (body(None), "the file has tensors that nothing uses: x"),
    ],
    ids=range(23),
)  # fmt: skip
def test_hostile_files(tmp_path, data, message):
    file = tmp_path / "a"
    data = data if isinstance(data, bytes) else save({"x": torch.zeros(1)}, {KEY: data})
    file.write_bytes(data)
    with pytest.raises(TrainingFileError) as caught:
        read_tree(file, "note")
    found = str(caught.value).removeprefix(f"{file}: ")
    assert found == message or (message.endswith(" ") and found.startswith(message))


@pytest.mark.parametrize("seed", range(40))
def test_changed_bytes_end_in_one_kind_of_error(tmp_path, seed):
    pick = random.Random(seed)
    write_tree(tmp_path / "a", "note", {"x": torch.zeros(9), "y": [1, 2.5, None, ("a", {3: 4})]})
    data = bytearray((tmp_path / "a").read_bytes())
    for _ in range(pick.randrange(1, 4)):
        data[pick.randrange(len(data))] = pick.randrange(256)
    (tmp_path / "a").write_bytes(data)
    with contextlib.suppress(TrainingFileError):
        read_tree(tmp_path / "a", "note")


def test_no_file(tmp_path):
    with pytest.raises(TrainingFileError, match=r"a: there is no such file$"):
        read_tree(tmp_path / "a", "note")
