"""Convolutions on a sampled chip: Fashion-MNIST, 1,000 test images in RTL, a bitstream.

    python examples/fashion_cnn.py [--network lenet|separable] [--frames N] [--out DIR] [--json]

LeNet-5's shape, or depthwise separable convolutions whose kernels are packed block-diagonally. The
images come with Debian's package dataset-fashion-mnist, or from --data.
"""

from pathlib import Path

import click

from spintron_nn.cli import main
from spintron_nn.cli.console import Console
from spintron_nn.cli.demo import present
from spintron_nn.datasets import FASHION_MNIST, fashion_mnist


@click.command()
@click.option(
    "--network",
    type=click.Choice(["lenet", "separable"]),
    default="lenet",
    show_default=True,
    help="What is trained.",
)
@click.option(
    "--frames",
    metavar="N",
    type=click.IntRange(1, 10_000),
    default=1000,
    show_default=True,
    help="Test images in RTL.",
)
@click.option(
    "--data",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=FASHION_MNIST,
    show_default=True,
    help="Folder of the four IDX files.",
)
@click.option(
    "--out",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything goes; build/fashion_NETWORK where absent.",
)
@click.option("--board", metavar="BOARD", default="ulx3s-85f", show_default=True)
@click.option("--build/--no-build", default=True, help="Whether a bitstream is made.")
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def command(
    network: str, frames: int, data: Path, out: Path | None, board: str, build: bool, as_json: bool
) -> None:
    """Train a network, put it on sampled chips, verify images in RTL, build a bitstream."""
    from spintron_nn.deployment.demo import DEMO_CARD, Job
    from spintron_nn.training import recipes

    # Nine weights of a depthwise kernel average little: it needs devices of little spread.
    recipe, card = {
        "lenet": (recipes.FASHION_LENET, DEMO_CARD),
        "separable": (recipes.FASHION_SEPARABLE, "hikstor-sot-2024"),
    }[network]
    job = Job(
        recipe=recipe,
        technology=card,
        board=board,
        body="folded",
        frames=frames,
        effects=False,
        build=build,
    )
    present(Console(as_json), job, fashion_mnist(data), out or Path(f"build/fashion_{network}"))


if __name__ == "__main__":
    main(command=command, name="fashion_cnn.py")
