"""``spintron run``: the golden integers of a network."""

from __future__ import annotations

from pathlib import Path

import click

from .console import Console
from .options import cells_option, input_option, json_option, network_argument

__all__ = ["run"]


@click.command()
@network_argument
@input_option(required=True)
@click.option(
    "-o",
    "--output",
    "output_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the outputs here, .npy (.npz where the network has several).",
)
@click.option(
    "--scores",
    is_flag=True,
    help="Give real values, the codes times their scale, in place of the codes.",
)
@click.option(
    "--first-frame",
    metavar="N",
    type=click.IntRange(0),
    default=0,
    show_default=True,
    help="Number of the first frame: read noise depends on it.",
)
@cells_option
@json_option
def run(
    network: Path,
    input_file: Path,
    output_file: Path | None,
    scores: bool,
    first_frame: int,
    cell_files: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Compute the golden integer outputs of NET."""
    import numpy as np

    from ..converter.scores import real_outputs
    from .files import load_network, write_arrays
    from .inputs import read_frames

    console = Console(as_json)
    net = load_network(network, cell_files)
    frames = read_frames(input_file, net)
    outputs = net.run(frames, first_frame=first_frame)
    arrays = outputs if isinstance(outputs, dict) else {net.outputs[0].name: outputs}
    if scores:
        arrays = real_outputs(net, arrays)
    written = None if output_file is None else write_arrays(output_file, arrays)
    count = len(next(iter(frames.values())))
    console.result(
        {
            "network": str(network),
            "digest": net.digest(),
            "frames": count,
            "output": written,
            "outputs": arrays if written is None else {k: v.shape for k, v in arrays.items()},
        }
    )
    if written is not None:
        console.text(f"{count} frames -> {written}")
        return
    for name, values in arrays.items():
        console.text(f"{name}:")
        console.text(np.array2string(values, threshold=200))
