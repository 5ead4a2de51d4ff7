"""Tests of spintron_nn.datasets.idx."""

import gzip
import re
import struct

import numpy as np
import pytest

from spintron_ir import ParameterError
from spintron_nn.datasets import read_idx

VALUES = np.arange(12, dtype=np.uint8).reshape(3, 2, 2)


def idx(values, *, kind=8, head=b"\0\0", sizes=None):
    shape = values.shape if sizes is None else sizes
    return (
        head
        + bytes([kind, len(shape)])
        + struct.pack(f">{len(shape)}I", *shape)
        + (values.astype(values.dtype.newbyteorder(">")).tobytes())
    )


@pytest.mark.parametrize("pack", [bytes, gzip.compress], ids=["plain", "packed"])
@pytest.mark.parametrize(("kind", "dtype"), [(8, "u1"), (9, "i1"), (11, "i2"), (13, "f4")])
def test_reads_idx(tmp_path, pack, kind, dtype):
    values = VALUES.astype(dtype) - np.array(kind > 8, dtype=dtype)
    path = tmp_path / "values-idx3"
    path.write_bytes(pack(idx(values, kind=kind)))
    found = read_idx(path)
    np.testing.assert_array_equal(found, values)
    assert found.dtype == values.dtype


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"",
            "must start with two zero bytes, a type of 8, 9 or 11..14 and 1..8 axes, not with "
            "nothing; it is not an IDX file",
        ),
        (
            b"PK\3\4rest",
            "must start with two zero bytes, a type of 8, 9 or 11..14 and 1..8 axes, "
            "not with 50 4b 03 04; it is not an IDX file",
        ),
        (
            idx(VALUES, kind=10),
            "must start with two zero bytes, a type of 8, 9 or 11..14 and 1..8 "
            "axes, not with 00 00 0a 03; it is not an IDX file",
        ),
        (idx(VALUES)[:9], "must name 3 sizes, and ends after 5 of 12 bytes; get it again"),
        (
            idx(VALUES)[:-1],
            "must hold 12 bytes of values, as its header says, and holds only 11; get it again",
        ),
        (
            idx(VALUES) + b"x",
            "must hold 12 bytes of values, as its header says, and holds more; get it again",
        ),
        (
            idx(VALUES, sizes=(4_000_000_000, 4_000_000_000)),
            "must hold at most 1073741824 values, and its header says "
            "4000000000x4000000000 = 16000000000000000000",
        ),
        (
            gzip.compress(idx(VALUES))[:-9],
            "must be a whole gzip file, and is damaged (Compressed "
            "file ended before the end-of-stream marker was reached); get it again",
        ),
    ],
    ids=["empty", "zip", "type", "sizes", "short", "long", "hostile", "cut"],
)
def test_refuses_damaged_idx(tmp_path, data, message):
    path = tmp_path / "f-idx"
    path.write_bytes(data)
    with pytest.raises(ParameterError, match=f"^read_idx: f-idx {re.escape(message)}$"):
        read_idx(path)


def test_a_hostile_header_allocates_nothing(tmp_path):
    path = tmp_path / "f-idx"
    path.write_bytes(idx(VALUES, sizes=(1 << 30,)))
    with pytest.raises(
        ParameterError,
        match=r"^read_idx: f-idx must hold 1073741824 bytes of "
        r"values, as its header says, and holds only 12; get it again$",
    ):
        read_idx(path)


def test_refuses_a_missing_file(tmp_path):
    with pytest.raises(
        ParameterError, match=r"^read_idx: path must name a file, and there is no '.*nothing'$"
    ):
        read_idx(tmp_path / "nothing")
