"""The tree as the tests of its shape see it."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("spintron_ir", "spintron_hw", "spintron_nn", "boards", "sim")


@dataclass(frozen=True)
class Source:
    """One Python file."""

    path: Path

    @property
    def name(self):
        return self.path.relative_to(ROOT).as_posix()

    @cached_property
    def text(self):
        return self.path.read_text(encoding="utf8")

    @cached_property
    def tree(self):
        return ast.parse(self.text)

    @property
    def package(self):
        return self.name.split("/")[0]


class Tree:
    """Files of this project, without what is made or installed."""

    root = ROOT
    packages = PACKAGES

    @cached_property
    def files(self):
        """Everything under version control or about to be, or every file of an unpacked archive."""
        command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            names = [name for name in done.stdout.split("\0") if name]
        except (OSError, subprocess.CalledProcessError):
            skipped = {".venv", "build", ".git", "__pycache__"}
            found = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
            names = [path.as_posix() for path in found if not skipped & set(path.parts)]
        return [ROOT / name for name in sorted(names) if (ROOT / name).is_file()]

    @cached_property
    def sources(self):
        """Every Python file."""
        return [Source(path) for path in self.files if path.suffix == ".py"]

    @cached_property
    def modules(self):
        """Every Python file of the packages."""
        return [source for source in self.sources if source.package in PACKAGES]


@pytest.fixture(scope="session")
def tree():
    return Tree()
