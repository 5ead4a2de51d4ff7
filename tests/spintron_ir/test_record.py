"""Tests of spintron_ir.record."""

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pytest

from spintron_ir import IntType, NetworkError, ParameterError, record
from spintron_ir.record import Record, array, check_array, decode, encode


@dataclass(frozen=True, eq=False, kw_only=True)
class Leaf(Record):
    kind: ClassVar[str] = "test_leaf"
    values: np.ndarray | None = array("int8", 2, default=None)
    size: int = 0
    newer: np.ndarray | None = array("int8", 1, later=True, default=None)


@dataclass(frozen=True, eq=False, kw_only=True)
class Branch(Record):
    kind: ClassVar[str] = "test_branch"
    leaf: Leaf | IntType
    leaves: tuple[Leaf, ...] = ()
    maybe: int | None = None


def test_arrays_are_checked_owned_and_read_only():
    given = np.array([[1, 2], [3, 4]]).T
    leaf = Leaf(values=given)
    given[:] = 9
    assert leaf.values.tolist() == [[1, 3], [2, 4]]
    assert leaf.values.dtype == np.int8 and leaf.values.flags.c_contiguous
    assert not leaf.values.flags.writeable
    assert Leaf().values is None


def test_fields_become_plain():
    branch = Branch(leaf=IntType(3), leaves=[Leaf(size=np.int16(4))], maybe=np.uint8(5))
    assert type(branch.leaves) is tuple
    assert type(branch.leaves[0].size) is int and type(branch.maybe) is int


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Branch(leaf=None), "Branch: leaf must be Leaf or IntType, not NoneType"),
        (
            lambda: Branch(leaf=Leaf(), leaves=(Leaf(), 3)),
            "Branch: leaves[1] must be Leaf, not int",
        ),
        (lambda: Branch(leaf=Leaf(), leaves="ab"), "Branch: leaves must be a tuple, not 'ab'"),
        (
            lambda: Leaf(values=[[1], [128]]),
            "Leaf: values must lie in -128..127, not in 1..128",
        ),
        (
            lambda: Leaf(values=[[True]]),
            "Leaf: values must hold integers, not bool",
        ),
        (
            lambda: Leaf(values=[[1 << 90]]),
            "Leaf: values must hold integers, not object",
        ),
        (
            lambda: Leaf(values=np.zeros((0, 2), int)),
            "Leaf: values must be an array of 2 axes with at least one entry, not of shape (0, 2)",
        ),
        (
            lambda: check_array("Leaf", "values", {}, np.dtype("int8"), 1),
            "Leaf: values must be an array of 1 axes with at least one entry, not of shape ()",
        ),
    ],
)
def test_refuses(make, message):
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        make()


def test_encode_takes_arrays_out():
    tensors = {}
    branch = Branch(leaf=Leaf(values=[[1]]), leaves=(Leaf(), Leaf(values=[[2]], size=7)))
    assert encode(branch, "net", tensors) == {
        "kind": "test_branch",
        "leaf": {
            "kind": "test_leaf",
            "values": {"kind": "tensor", "name": "net.leaf.values"},
            "size": 0,
        },
        "leaves": [
            {"kind": "test_leaf", "values": None, "size": 0},
            {
                "kind": "test_leaf",
                "values": {"kind": "tensor", "name": "net.leaves.1.values"},
                "size": 7,
            },
        ],
        "maybe": None,
    }
    assert {name: value.tolist() for name, value in tensors.items()} == {
        "net.leaf.values": [[1]],
        "net.leaves.1.values": [[2]],
    }
    assert encode({"b": "2", "a": "1"}, "net", {}) == {
        "kind": "notes",
        "values": {"a": "1", "b": "2"},
    }


def test_a_later_field_is_left_out_where_it_is_none(monkeypatch):
    monkeypatch.setitem(record._KINDS, "test_leaf", Leaf)
    old = {"kind": "test_leaf", "values": None, "size": 3}
    assert encode(decode(old, {}), "net", {}) == old
    tensors, given = {}, Leaf(size=3, newer=[1, 2])
    new = encode(given, "net", tensors)
    assert new == old | {"newer": {"kind": "tensor", "name": "net.newer"}}
    assert decode(new, tensors).newer.tolist() == [1, 2]
    message = "the network file has a test_leaf with missing or unknown fields: size"
    with pytest.raises(NetworkError, match=f"^{message}$"):
        decode({"kind": "test_leaf", "values": None, "newer": [1]}, {})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            {"kind": "tensor", "name": "x"},
            "the network file lacks the tensor 'x', or uses it twice",
        ),
        (
            {"kind": "tensor", "name": "x", "more": 1},
            "the network file has a tensor with missing or unknown fields: more",
        ),
        (
            {"kind": "notes"},
            "the network file has a notes with missing or unknown fields: values",
        ),
        (
            {"kind": "int", "bits": 3},
            "the network file has a int with missing or unknown fields: signed",
        ),
        (
            {"kind": "test_leaf"},
            "the network file has a part of unknown kind 'test_leaf'; this version knows adc, "
            "argmax, cell, concat, dense, flatten, gather, join, mulshift, network, node, noise, "
            "output, pool, port, quantise, softmax, table, tflite, thresholds, topk, window: was "
            "it written by a newer version?",
        ),
        ({}, "the network file has a part of unknown kind None; .*"),
        ({"kind": ["int"]}, r"the network file has a part of unknown kind \['int'\]; .*"),
    ],
)
def test_decode_refuses(value, message):
    pattern = message if ".*" in message else re.escape(message)
    with pytest.raises(NetworkError, match=f"^{pattern}$"):
        decode(value, {})
