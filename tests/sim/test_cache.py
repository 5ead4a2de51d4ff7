"""Tests of sim.cache."""

import os
import signal
import subprocess
import sys
import time

import pytest

from sim.cache import cache_folder, cached


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("SPINTRON_CACHE", str(tmp_path))
    return tmp_path


class Builder:
    """Counts how often it is called."""

    def __init__(self, text="built"):
        self.calls, self.text = 0, text

    def __call__(self, folder):
        self.calls += 1
        (folder / "product").write_text(self.text)


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_builds_once(folder):
    build = Builder()
    entries = [cached("kind", "key", build) for _ in range(3)]
    assert entries == [folder / "kind/key"] * 3
    assert build.calls == 1
    assert (entries[0] / "product").read_text() == "built"


def test_other_keys_and_kinds_are_other_entries():
    build = Builder()
    assert len({cached(kind, key, build) for kind in "ab" for key in "cd"}) == 4
    assert build.calls == 4


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entry: (entry / "product").write_text("built?"),
        lambda entry: (entry / "product").unlink(),
        lambda entry: (entry / "manifest.json").write_text("{"),
        lambda entry: (entry / "manifest.json").write_text("[]"),
        lambda entry: (entry / "manifest.json").unlink(),
    ],
    ids=["changed", "missing", "half a manifest", "another manifest", "no manifest"],
)
def test_a_spoilt_entry_is_built_again(folder, spoil):
    build = Builder()
    spoil(cached("kind", "key", build))
    assert (cached("kind", "key", build) / "product").read_text() == "built"
    assert build.calls == 2
    assert names(folder / "kind") == ["key"]


def test_a_build_that_fails_leaves_nothing(folder):
    def fail(path):
        (path / "product").write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cached("kind", "key", fail)
    assert names(folder / "kind") == []


def test_an_entry_that_another_process_made_meanwhile_is_kept(folder):
    def build(path):
        cached("kind", "key", Builder("first"))
        (path / "product").write_text("second")

    assert (cached("kind", "key", build) / "product").read_text() == "first"
    assert names(folder / "kind") == ["key"]


def test_a_killed_build_loses_nothing(folder):
    script = """
import pathlib, time
from sim.cache import cached
def build(folder):
    (folder / "product").write_text("half")
    print("building", flush=True)
    time.sleep(60)
cached("kind", "key", build)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"building\n"
        process.send_signal(signal.SIGKILL)
    (left,) = names(folder / "kind")

    assert (cached("kind", "key", Builder()) / "product").read_text() == "built"
    assert names(folder / "kind") == sorted([left, "key"])

    day_before = time.time() - 25 * 3600
    os.utime(folder / "kind" / left, (day_before, day_before))
    cached("kind", "other", Builder())
    assert names(folder / "kind") == ["key", "other"]


@pytest.mark.parametrize(
    "platform, environment, expected",
    [
        ("linux", {"SPINTRON_CACHE": "/c"}, "/c"),
        ("linux", {"XDG_CACHE_HOME": "/x"}, "/x/spintron"),
        ("linux", {"HOME": "/users/u"}, "/users/u/.cache/spintron"),
        ("darwin", {"HOME": "/Users/u"}, "/Users/u/Library/Caches/spintron"),
        ("win32", {"LOCALAPPDATA": "/u/Local"}, "/u/Local/spintron"),
    ],
)
def test_folder_of_each_platform(monkeypatch, platform, environment, expected):
    for name in ("SPINTRON_CACHE", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    assert cache_folder().as_posix() == expected
