"""The bar of a training shows epochs, loss and accuracy."""

import io

import torch
from rich.console import Console
from torch import nn

from spintron_nn.training import Fit, Progress, progress_bar


def drawn(*states):
    page = Console(file=io.StringIO(), width=100, force_terminal=False)
    with progress_bar("clothes", console=page) as show:
        for state in states:
            show(state)
    return " ".join(page.file.getvalue().split())


def test_the_last_state_stands_in_the_bar():
    text = drawn(
        Progress(1, 3, 0.9, metrics={"accuracy": 0.25}),
        Progress(2, 3, 0.5, metrics={"accuracy": 0.5, "validation_accuracy": 0.75}),
    )
    assert text.startswith("clothes ")
    assert "2/3 loss 0.5000 accuracy 75.00 %" in text


def test_a_run_without_accuracy_shows_its_loss_alone():
    text = drawn(Progress(1, 1, 0.125))
    assert "1/1 loss 0.1250" in text and "accuracy" not in text


def test_a_title_is_text_and_no_markup():
    page = Console(file=io.StringIO(), width=100)
    with progress_bar("[red]x", console=page):
        pass
    assert "[red]x" in page.file.getvalue()


def test_a_fit_draws_it():
    page = Console(file=io.StringIO(), width=100)
    x = torch.randn(32, 2, generator=torch.Generator().manual_seed(0))
    with progress_bar("fit", console=page) as show:
        Fit(epochs=2, batch_size=16, progress=show).run(nn.Linear(2, 2), (x, (x[:, 0] > 0).long()))
    assert "2/2" in page.file.getvalue()
