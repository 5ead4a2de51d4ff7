"""Tests of spintron_nn.cli.main: exit codes, and what goes where."""

import click
import pytest

from spintron_ir import MappingError, MismatchError, NetworkError, ParameterError, ToolError
from spintron_nn.cli import command_line
from spintron_nn.cli.main import exit_code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ParameterError("no"), 1),
        (NetworkError("no"), 1),
        (MappingError("no"), 1),
        (MismatchError("no"), 3),
        (ToolError("no"), 4),
    ],
    ids=lambda value: type(value).__name__,
)
def test_exit_code_tells_the_kind_of_error(error, code):
    assert exit_code(error) == code


def test_help(spintron):
    result = spintron("--help")
    assert (result.code, result.err) == (0, "")
    assert "demo" in result.out


@pytest.mark.parametrize("words", [("nothing",), ("show",), ("show", "missing.safetensors")])
def test_wrong_usage(spintron, words):
    result = spintron(*words)
    assert (result.code, result.out) == (2, "")
    assert result.err.startswith("Usage: spintron")


def test_an_error_of_the_user_is_one_line(spintron, tmp_path):
    (tmp_path / "net.safetensors").write_bytes(b"nonsense")
    result = spintron("show", "net.safetensors", "--json")
    assert (result.code, result.out) == (1, "")
    assert result.err.startswith("error: net.safetensors: not a network file")
    assert result.err.count("\n") == 1


@pytest.fixture
def broken(monkeypatch):
    """Give ``broken(error)``: makes a command that raises it."""

    def make(error):
        @click.command()
        def command():
            raise error

        monkeypatch.setitem(command_line.commands, "broken", command)

    return make


def test_a_message_of_several_lines_becomes_one(spintron, broken):
    broken(ToolError("it\n  failed"))
    result = spintron("broken")
    assert (result.code, result.err) == (4, "error: it failed\n")


def test_a_defect_keeps_its_traceback(spintron, broken):
    broken(ZeroDivisionError("a defect"))
    with pytest.raises(ZeroDivisionError, match="^a defect$"):
        command_line.main(["broken"], standalone_mode=False)


def test_an_interruption_is_no_defect(spintron, broken):
    broken(KeyboardInterrupt())
    result = spintron("broken")
    assert (result.code, result.err.strip()) == (130, "error: interrupted")
