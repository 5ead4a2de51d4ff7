"""Tests of spintron_ir.files."""

import os
import stat

import pytest

from spintron_ir.errors import ParameterError
from spintron_ir.files import inside, write_atomic


@pytest.mark.parametrize("data", ["x = 1\n", b"\x00\xff", "µm²\r\n"])
def test_writes_what_it_is_given(tmp_path, data):
    path = tmp_path / "file"
    assert write_atomic(path, data) == path
    assert path.read_bytes() == (data.encode() if isinstance(data, str) else data)


def test_replaces_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "file"
    write_atomic(path, "old")
    write_atomic(path, "new")
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_permissions_are_those_of_other_files(tmp_path):
    (tmp_path / "plain").write_text("")
    os.chmod(write_atomic(tmp_path / "program", "1"), 0o750)
    write_atomic(tmp_path / "program", "2")
    modes = [
        stat.S_IMODE(path.stat().st_mode)
        for path in (write_atomic(tmp_path / "new", ""), tmp_path / "plain", tmp_path / "program")
    ]
    assert modes == [modes[1], modes[1], 0o750]


def test_what_fails_leaves_the_old_file(tmp_path, monkeypatch):
    path = write_atomic(tmp_path / "file", "old")

    def fail(source, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("name", ["", ".", "..", "../top.v", "a/b", "a\\b", "c:top", "top\0"])
def test_refuses_names_that_lead_elsewhere(name):
    with pytest.raises(ParameterError) as caught:
        inside("out", name)
    assert str(caught.value) == (
        f"a generated file must have a plain file name without folders, not {name!r}"
    )
