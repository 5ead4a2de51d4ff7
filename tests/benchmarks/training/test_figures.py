"""Tests of benchmarks.training.figures."""

from benchmarks.training import figures
from spintron_ir import ParameterError
from spintron_nn.training.networks import lenet


def test_the_convolutional_network_is_as_small_as_it_says():
    sizes = [part.numel() for part in lenet(figures.LENET).parameters() if part.ndim > 1]
    assert sum(sizes) == 58_448 <= 62_000


def test_digits_and_what_variations_cost():
    task = figures._digits(quick=True)
    found = list(figures._digit_rows(task, quick=True))
    assert [(row.peer_value, row.demanded) for row in found[:2]] == [(96.5, 1.0), (94.0, 1.0)]
    mean, low, plain = (row.value for row in found)
    assert low <= mean and mean > plain
    robust = figures._robust_row(task, True, 0.1, None)
    assert robust.name.endswith("at 20 % and 85 C, labels smoothed by 0.1")
    assert robust.demanded is None and robust.note.startswith("plain QAT: ideal chip ")


def test_below_floating_point():
    assert figures._row("net", 0.88, 0.88, "", peer="1.5 points below").holds
    assert figures._row("net", 0.879, 0.88, "").holds is False


def test_without_the_data(monkeypatch):
    def missing(*_):
        raise ParameterError("no such data; install them")

    monkeypatch.setattr(figures, "fashion_mnist", missing)
    monkeypatch.setattr(figures, "zoo_data", missing)
    for rows in (figures._fashion_rows(True), figures._keyword_rows(True)):
        (row,) = rows
        assert row.value is None and row.note == "no such data; install them"
