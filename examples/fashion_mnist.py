"""Clothes on a sampled chip: 784-128-10 on Fashion-MNIST, folded, all 10,000 test images in RTL.

    python examples/fashion_mnist.py [--data DIR] [--out DIR] [--board BOARD] [--json]

The images come with Debian's package dataset-fashion-mnist, or from --data.
"""

from pathlib import Path

import click

from spintron_nn.cli import main
from spintron_nn.cli.console import Console
from spintron_nn.cli.demo import present
from spintron_nn.datasets import FASHION_MNIST, fashion_mnist

INTERVAL = 2000
"""Most clock cycles between images."""


@click.command()
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
    default=Path("build/fashion_mnist"),
    show_default=True,
    help="Where everything goes.",
)
@click.option("--board", metavar="BOARD", default="ulx3s-85f", show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the report as one JSON object.")
def command(data: Path, out: Path, board: str, as_json: bool) -> None:
    """Train 784-128-10, put it on sampled chips, verify 10,000 images in RTL, build a bitstream."""
    from spintron_nn.deployment.demo import DEMO_CARD, Job
    from spintron_nn.training import recipes

    job = Job(
        recipe=recipes.FASHION_MNIST,
        technology=DEMO_CARD,
        board=board,
        body="folded",
        interval=INTERVAL,
    )
    present(Console(as_json), job, fashion_mnist(data), out)


if __name__ == "__main__":
    main(command=command, name="fashion_mnist.py")
