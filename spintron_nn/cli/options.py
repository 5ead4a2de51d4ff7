"""Arguments and options that several subcommands take, declared once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from spintron_ir.types import IntType

__all__ = [
    "READABLE_FILE",
    "board_option",
    "cells_option",
    "command_words",
    "input_option",
    "input_type_of",
    "integer_input_options",
    "json_option",
    "mapping_options",
    "network_argument",
    "output_folder_option",
    "seed_option",
    "vectors_option",
]

F = TypeVar("F", bound=Callable[..., Any])

READABLE_FILE = click.Path(exists=True, dir_okay=False, readable=True, path_type=Path)

network_argument = click.argument("network", metavar="NET", type=READABLE_FILE)

json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the result as one JSON object on stdout."
)

cells_option = click.option(
    "--cells",
    "cell_files",
    metavar="FILE",
    type=READABLE_FILE,
    multiple=True,
    help="Python file with hardware cells to use; may be given more than once.",
)

vectors_option = click.option(
    "--vectors",
    metavar="N",
    type=click.IntRange(1),
    default=64,
    show_default=True,
    help="Random input frames, besides the corner frames, where no --input is given.",
)

seed_option = click.option(
    "--seed",
    metavar="N",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Seed of the random inputs.",
)


def command_words() -> tuple[str, ...]:
    """Words of the command that runs, for manifests."""
    return tuple(click.get_current_context().find_root().obj or ())


def board_option(*, default: str | None = None, required: bool = False) -> Callable[[F], F]:
    """Declare ``--board``."""
    return click.option(
        "--board",
        metavar="BOARD",
        default=default,
        required=required,
        show_default=default is not None,
        help="Board to build for; spintron boards lists them.",
    )


def mapping_options(command: F) -> F:
    """Declare ``--body`` and ``--interval``, which say how the network is laid out."""
    body = click.option(
        "--body",
        type=click.Choice(["auto", "unrolled", "folded"]),
        default="auto",
        show_default=True,
        help="Tiles as lookup tables (unrolled), in block RAM (folded), or whichever fits.",
    )
    interval = click.option(
        "--interval",
        metavar="N",
        type=click.IntRange(1),
        help="At most N clock cycles between frames; as fast as fits where absent.",
    )
    return body(interval(command))


def input_option(*, required: bool = False) -> Callable[[F], F]:
    """Declare ``--input``."""
    return click.option(
        "--input",
        "input_file",
        metavar="FILE",
        type=READABLE_FILE,
        required=required,
        help="Integer codes, .npy of shape (frames, *shape), or .npz with an array each input.",
    )


def integer_input_options(command: F) -> F:
    """Declare ``--input-type`` and ``--input-scale``, for models with real inputs."""
    kind = click.option(
        "--input-type",
        metavar="TYPE",
        help="Quantised models: integers that stand for the real input, uint1..16 or int1..16.",
    )
    scale = click.option(
        "--input-scale",
        metavar="S",
        type=click.FloatRange(1e-30, 1e30),
        default=1.0,
        show_default=True,
        help="Quantised models: real value of one unit of the input.",
    )
    return kind(scale(command))


def input_type_of(text: str | None) -> IntType:
    """The type that ``--input-type`` names."""
    import re

    from spintron_ir.types import IntType

    found = re.fullmatch(r"(u?)int([1-9]|1[0-6])", text or "")
    if found is None:
        raise click.UsageError(
            "A quantised model needs --input-type uint1 to uint16 or int1 to int16, the integers "
            "that stand for its real input, and --input-scale, the real value of one unit."
        )
    return IntType(int(found[2]), signed=not found[1])


output_folder_option = click.option(
    "-o",
    "--output",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    required=True,
    help="Folder to write to; made if need be.",
)
