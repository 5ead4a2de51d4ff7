"""``spintron lint``: what stands in the way, before any work."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .console import Console
from .options import (
    READABLE_FILE,
    board_option,
    cells_option,
    input_type_of,
    integer_input_options,
    json_option,
)

if TYPE_CHECKING:
    from ..deployment.lint import Lint

__all__ = ["lint"]

FOUND = 1

MODELS = (".onnx", ".pt2", ".tflite")


@click.command()
@click.argument("model_or_net", metavar="MODEL_OR_NET", type=READABLE_FILE)
@board_option()
@integer_input_options
@cells_option
@json_option
def lint(
    model_or_net: Path,
    board: str | None,
    input_type: str | None,
    input_scale: float,
    cell_files: tuple[Path, ...],
    as_json: bool,
) -> int | None:
    """List what stands in the way, with a fix each, and what is worth knowing.

    In a model (.pt2, .onnx, .tflite): what is not supported; of a quantised one for the input type
    that convert will be given. In a model or a network: what does not fit the board. Notes name
    values that saturate, and the buffers that branches need. The exit code is 1 where there is a
    finding.
    """
    console = Console(as_json)
    if model_or_net.suffix in MODELS:
        from ..deployment.lint import lint_model

        kind = None if input_type is None else input_type_of(input_type)
        found = lint_model(model_or_net, board=board, input_type=kind, input_scale=input_scale)
    else:
        found = _of_network(model_or_net, board, cell_files)
    console.result(
        {
            "file": str(model_or_net),
            "board": board,
            "findings": found.findings,
            "notes": found.notes,
        }
    )
    for finding in found.findings:
        console.text(finding)
    for note in found.notes:
        console.text(f"note: {note}")
    count = len(found.findings)
    console.text(f"{count} finding{'' if count == 1 else 's'}")
    return FOUND if found.findings else None


def _of_network(path: Path, board: str | None, cell_files: tuple[Path, ...]) -> Lint:
    from spintron_ir.errors import NetworkError

    from ..deployment.lint import Lint, lint_network
    from .files import load_network

    try:
        network = load_network(path, cell_files)
    except NetworkError as error:
        return Lint((str(error),))
    return lint_network(network, board=board)
