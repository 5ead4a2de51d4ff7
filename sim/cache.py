"""Where built simulators are kept, so that each is built once."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

__all__ = ["cache_folder", "cached"]

_MANIFEST = "manifest.json"
_STALE = 24 * 3600.0
"""Seconds after which the folder of a build that did not end is swept up."""


def cache_folder() -> Path:
    """Return the folder of the cache: ``SPINTRON_CACHE``, or the user's on this platform."""
    named = os.environ.get("SPINTRON_CACHE")
    if named:
        return Path(named)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData/Local")) / "spintron"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/spintron"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "spintron"


def cached(kind: str, key: str, build: Callable[[Path], None]) -> Path:
    """Return the folder of entry :py:`key`, which :py:`build` fills if it is not there.

    A build goes on in a folder of its own, which takes its name when it is done: a build that is
    killed leaves nothing that is taken for an entry, and of two at once one is kept. An entry
    whose files are not those that were built is thrown away and built again.

    Parameters
    ----------
    kind : str
        Folder within the cache.
    key : str
        Hash of everything that the entry depends on.
    build : callable
        Fills the folder it is given with files; no subfolders are kept.
    """
    parent = cache_folder() / kind
    entry = parent / key
    if _whole(entry):
        return entry
    parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    _sweep(parent)
    folder = Path(tempfile.mkdtemp(prefix=".build-", dir=parent))
    try:
        build(folder)
        manifest = {path.name: _digest(path) for path in sorted(folder.iterdir())}
        (folder / _MANIFEST).write_text(json.dumps(manifest, indent=1))
        _put(folder, entry)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return entry


def _put(folder: Path, entry: Path) -> None:
    """Give :py:`folder` the name of :py:`entry`, unless a whole one has it by now."""
    while not _whole(entry):
        broken = folder.with_name(f"{folder.name}-broken")
        try:
            entry.rename(broken)
        except FileNotFoundError:
            pass
        else:
            shutil.rmtree(broken, ignore_errors=True)
        try:
            folder.rename(entry)
        except OSError:
            if not entry.exists():
                raise


def _whole(entry: Path) -> bool:
    """Whether :py:`entry` holds the files that its manifest names, unchanged."""
    try:
        manifest = json.loads((entry / _MANIFEST).read_text())
        return all(_digest(entry / name) == digest for name, digest in manifest.items())
    except (OSError, ValueError, AttributeError):
        return False


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sweep(parent: Path) -> None:
    """Remove what builds that were killed have left."""
    for folder in parent.glob(".build-*"):
        try:
            stale = time.time() - folder.stat().st_mtime > _STALE
        except OSError:
            continue
        if stale:
            shutil.rmtree(folder, ignore_errors=True)
