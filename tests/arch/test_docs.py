"""The documentation runs: every snippet, every command line, every path that it names."""

import re
import shlex
import subprocess
import sys

import click
import pytest

from spintron_nn.cli import command_line
from tests.arch.conftest import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
# A path in back quotes: a folder of ours, or a file at any depth below one.
PATH = re.compile(
    r"`((?:spintron_ir|spintron_hw|spintron_nn|boards|sim|tests|docs|examples)/[\w./-]*)`"
)
LINK = re.compile(r"\]\(([\w./-]+\.md)(?:#[\w-]+)?\)")


def fences(page, language):
    text = page.read_text(encoding="utf8")
    return [body for kind, body in FENCE.findall(text) if kind == language]


def name(page):
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    "page", [page for page in PAGES if fences(page, "python")], ids=lambda page: name(page)
)
def test_snippets_run(page, tmp_path):
    script = "\n".join(fences(page, "python"))
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]


def commands():
    for page in PAGES:
        for body in fences(page, "console"):
            for line in body.splitlines():
                for part in line.removeprefix("$ ").split(" && "):
                    words = shlex.split(part.replace(".venv/bin/", ""))
                    if words and words[0] == "spintron":
                        yield pytest.param(words[1:], id=f"{name(page)}: {part}")


@pytest.mark.parametrize("words", list(commands()))
def test_command_lines_are_understood(words):
    command, parent = command_line, None
    while isinstance(command, click.Group):
        found = command.commands.get(words[0])
        assert found is not None, f"no command {words[0]}"
        command, words, parent = found, words[1:], click.Context(command, parent=parent)
    known = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)}
    used = {word.split("=")[0] for word in words if word.startswith("-")}
    assert used <= known


def leaves(group, prefix=("spintron",)):
    for command in group.commands.values():
        path = (*prefix, command.name)
        if isinstance(command, click.Group):
            yield from leaves(command, path)
        else:
            yield path, command


def test_the_reference_lists_every_command_and_option():
    rows = re.findall(
        r"^\| `(spintron [^`]*)` \|.*\| (.*) \|$", (ROOT / "docs/cli.md").read_text(), re.M
    )
    written = {
        " ".join(word for word in command.split() if word.islower()): set(
            re.findall(r"`(--[\w-]+)`", options)
        )
        for command, options in rows
    }
    real = {
        " ".join(path): {
            next(flag for flag in option.opts if flag.startswith("--"))
            for option in command.params
            if isinstance(option, click.Option)
        }
        for path, command in leaves(command_line)
    }
    assert written == real


@pytest.mark.parametrize("page", PAGES, ids=lambda page: name(page))
def test_paths_exist(page):
    text = page.read_text(encoding="utf8")
    missing = [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    missing += [link for link in LINK.findall(text) if not (page.parent / link).exists()]
    assert missing == []


def test_docstrings_name_pages_that_exist(tree):
    missing = [
        f"{source.name}: {page}"
        for source in tree.modules
        for page in re.findall(r"docs/[\w/-]+\.md", source.text)
        if not (ROOT / page).exists()
    ]
    assert missing == []
