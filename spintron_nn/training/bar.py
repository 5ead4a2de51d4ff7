"""A bar on the terminal that shows how far a training is, with its loss and accuracy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from .progress import Progress

__all__ = ["progress_bar"]


@contextmanager
def progress_bar(
    title: str = "training", *, console: Console | None = None
) -> Iterator[Callable[[Progress], None]]:
    """Give a ``progress`` that draws a bar of the epochs, for :class:`~spintron_nn.training.Fit`.

    A run that goes on from a checkpoint starts where that ends. Where the output is no terminal
    the last state is printed once.

    Parameters
    ----------
    title : str
        What stands before the bar.
    console : rich.console.Console or None
        Where to draw; None is standard error.

    Examples
    --------
    >>> import io
    >>> page = Console(file=io.StringIO(), width=100)
    >>> with progress_bar("digits", console=page) as show:
    ...     show(Progress(1, 2, 0.7, metrics={"accuracy": 0.5}))
    ...     show(Progress(2, 2, 0.25, metrics={"accuracy": 0.5, "validation_accuracy": 0.875}))
    >>> print(" ".join(page.file.getvalue().split()[-6:]))
    loss 0.2500 accuracy 87.50 % 0:00:00
    """
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[figures]}", markup=False),
        TimeRemainingColumn(),
    )
    with Bar(*columns, console=Console(stderr=True) if console is None else console) as bar:
        task = bar.add_task(title, total=None, figures="")

        def show(state: Progress) -> None:
            figures = f"loss {state.loss:.4f}"
            if state.accuracy is not None:
                figures += f"  accuracy {100 * state.accuracy:.2f} %"
            bar.update(task, total=state.epochs, completed=state.epoch, figures=figures)

        yield show
