"""Tests of spintron_ir.files."""

import os
import stat
import threading

import pytest

from spintron_ir.errors import ParameterError
from spintron_ir.files import inside, write_atomic


def test_writes_text_and_bytes_as_they_are(tmp_path):
    assert write_atomic(tmp_path / "a", "é\r\n").read_bytes() == b"\xc3\xa9\r\n"
    assert write_atomic(str(tmp_path / "a"), b"\x00").read_bytes() == b"\x00"
    assert os.listdir(tmp_path) == ["a"]


def test_keeps_the_mode_of_a_file_and_obeys_the_umask(tmp_path):
    old = os.umask(0o027)
    try:
        path = write_atomic(tmp_path / "a", "1")
        assert stat.S_IMODE(path.stat().st_mode) == 0o640
        path.chmod(0o755)
        write_atomic(path, "2")
        assert stat.S_IMODE(path.stat().st_mode) == 0o755
    finally:
        os.umask(old)


def test_a_failure_leaves_the_old_file_alone(tmp_path, monkeypatch):
    path = write_atomic(tmp_path / "a", "old")

    def interrupted(*paths):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomic(path, "new")
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["a"]


def test_writers_at_once_leave_one_whole_file(tmp_path):
    path, texts = tmp_path / "a", [letter * 100_000 for letter in "abcd"]
    threads = [threading.Thread(target=write_atomic, args=(path, text)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert path.read_text() in texts and os.listdir(tmp_path) == ["a"]


def test_refuses_a_folder_that_is_not_there(tmp_path):
    message = (
        r"^.*/no/a: the file cannot be written \(No such file or directory\); "
        r"name a file in a folder that exists and is writable$"
    )
    with pytest.raises(ParameterError, match=message):
        write_atomic(tmp_path / "no" / "a", "")
    with pytest.raises(ParameterError, match=r"^.*: the file cannot be written \(.*\); name .*$"):
        write_atomic(tmp_path, "")


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "/a", "..\\a", "c:a", "a\0"])
def test_inside_takes_plain_names_only(tmp_path, name):
    assert inside(tmp_path, "a.v") == tmp_path / "a.v"
    with pytest.raises(ParameterError) as caught:
        inside(tmp_path, name)
    assert str(caught.value) == (
        f"a generated file must have a plain file name without folders, not {name!r}"
    )
