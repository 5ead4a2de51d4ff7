"""Tests of benchmarks.training.step."""

from importlib.util import find_spec

import torch

from benchmarks.training.step import Drawn, measured, medians, ratio


def test_every_row_has_both_sides_or_says_why_not():
    threads = torch.get_num_threads()
    try:
        rows = list(measured(1, 1))
    finally:
        torch.set_num_threads(threads)
    assert [row.demanded for row in rows] == [0.5, None, None, 2.0, 2.0, None]
    assert all(row.name.endswith(", 1 thread") and row.value > 0 for row in rows)
    for row in rows:
        if row.peer_value is None:
            assert find_spec("aihwkit") is None and row.note == "aihwkit is not installed"
        else:
            assert row.ratio == row.peer_value / row.value  # of one round


def test_medians_by_hand():
    # Ten turns take 1, 3 five times, 2 four times; then all take 7.
    times = iter([0, 1, *[2, 5] * 5, *[3, 5] * 4, *[1, 8] * 10])
    assert medians({"step": lambda: None}, 2, lambda: next(times)) == {"step": [2.5, 7]}


def test_the_ratio_is_of_rounds():
    assert ratio([1, 10, 2], [3, 20, 5]) == 2.5


def test_weights_of_the_hand_made_network_are_learned_on_other_devices_each_time():
    model = Drawn()
    x = torch.rand((64, 784), generator=torch.Generator().manual_seed(0))
    first, second = model(x), model(x)
    assert (first != second).all()
    first.sum().backward()
    assert all(layer.weight.grad.any() for layer in model.matrices.values())
