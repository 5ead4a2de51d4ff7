"""The command ``spintron``: its subcommands, its exit codes and how it reports errors."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import NoReturn

import click

from spintron_ir.errors import MismatchError, SpintronError, ToolError

from .boards import boards
from .build import build
from .cells import cells
from .convert import convert
from .demo import demo
from .estimate import estimate
from .lint import lint
from .run import run
from .show import show
from .tech import tech
from .verify import verify
from .verilog import verilog
from .weights import weights

__all__ = ["command_line", "exit_code", "main", "package_version"]

DONE, USER_ERROR, USAGE, DIFFERENCE, TOOL_FAILED, INTERRUPTED = 0, 1, 2, 3, 4, 130


def package_version() -> str:
    """Version of this package, or ``0+tree`` where the tree is used without installing it."""
    try:
        return version("spintron-nn-kit")
    except PackageNotFoundError:
        return "0+tree"


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done, 1 an error in one line with a way out, 2 wrong usage, 3 a check "
    "found a difference, 4 an outside tool failed or is missing.",
)
@click.version_option(package_version(), prog_name="spintron")
def command_line() -> None:
    """Turn a trained PyTorch network into verified hardware of a spintronic crossbar chip."""


for _command in (
    demo,
    convert,
    lint,
    show,
    run,
    verilog,
    weights,
    verify,
    estimate,
    build,
    boards,
    cells,
    tech,
):
    command_line.add_command(_command)


def exit_code(error: SpintronError) -> int:
    """Exit code that tells the kind of :py:`error`."""
    if isinstance(error, MismatchError):
        return DIFFERENCE
    if isinstance(error, ToolError):
        return TOOL_FAILED
    return USER_ERROR


def main(
    arguments: Sequence[str] | None = None,
    *,
    command: click.Command = command_line,
    name: str = "spintron",
) -> NoReturn:
    """Run a command and exit.

    Only errors that a user can put right become one line; a defect keeps its traceback.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after the name of the command; those of this process where absent.
    command : click.Command
        What to run: an example is a command of its own.
    name : str
        What the command is called.

    Raises
    ------
    SystemExit
        Always, with one of the exit codes of the command line.
    """
    try:
        words = sys.argv[1:] if arguments is None else list(arguments)
        code = command.main(words, prog_name=name, standalone_mode=False, obj=(name, *words))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except SpintronError as error:
        click.echo("error: " + " ".join(str(error).split()), err=True)
        sys.exit(exit_code(error))
    except (click.Abort, KeyboardInterrupt):
        click.echo("error: interrupted", err=True)
        sys.exit(INTERRUPTED)
    sys.exit(code if isinstance(code, int) else DONE)
