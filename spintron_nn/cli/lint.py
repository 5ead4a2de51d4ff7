"""``spintron lint``: what stands in the way, before any work."""

from __future__ import annotations

from pathlib import Path

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

__all__ = ["lint"]

FOUND = 1


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
    """List what stands in the way, with a fix each.

    In a model (.pt2, .onnx): what is not supported, of an .onnx for the input type that convert
    will be given. In a network: what does not fit the board.
    The exit code is 1 where there is a finding.
    """
    console = Console(as_json)
    if model_or_net.suffix == ".pt2":
        findings = _of_model(model_or_net)
    elif model_or_net.suffix == ".onnx":
        findings = _of_onnx(model_or_net, input_type, input_scale)
    else:
        findings = _of_network(model_or_net, board, cell_files)
    console.result({"file": str(model_or_net), "board": board, "findings": findings})
    for finding in findings:
        console.text(finding)
    console.text(f"{len(findings)} finding{'' if len(findings) == 1 else 's'}")
    return FOUND if findings else None


def _of_model(path: Path) -> list[str]:
    from spintron_ir.errors import ConversionError

    from ..converter.loading import load_pt2
    from ..converter.pytorch_parser import parse

    try:
        parse(load_pt2(path))
    except ConversionError as error:
        return list(error.findings)
    return []


def _of_onnx(path: Path, input_type: str | None, input_scale: float) -> list[str]:
    from spintron_ir.errors import ConversionError

    from ..converter.onnx_front import load_onnx

    try:
        kind = input_type_of("uint8" if input_type is None else input_type)
        load_onnx(path, input_type=kind, input_scale=input_scale)
    except ConversionError as error:
        return list(error.findings)
    return []


def _of_network(path: Path, board: str | None, cell_files: tuple[Path, ...]) -> list[str]:
    from spintron_hw.mapping.capacity import check_capacity
    from spintron_ir.errors import MappingError, NetworkError

    from ..deployment.flow import plan_for
    from .files import load_network

    try:
        plan = plan_for(load_network(path, cell_files), board=board)
        check_capacity(plan.resources, plan.target)
    except (NetworkError, MappingError) as error:
        return [str(error)]
    return []
