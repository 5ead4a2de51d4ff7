"""Tests of spintron_nn.training.schedules."""

import math

import pytest
import torch

from spintron_ir import ParameterError
from spintron_nn.training.schedules import one_cycle, warm_up


def rates(schedule, steps, largest=0.5):
    adam = torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=largest)
    rate, found = schedule(adam, steps), []
    for _ in range(steps):
        found.append(adam.param_groups[0]["lr"])
        adam.step()
        rate.step()
    return [*found, adam.param_groups[0]["lr"]]


@pytest.mark.parametrize("steps", [*range(1, 12), 97])
@pytest.mark.parametrize("schedule", [one_cycle, warm_up(), warm_up(0, "linear"), warm_up(0.5)])
def test_every_number_of_steps(steps, schedule):
    found = rates(schedule, steps)
    assert all(math.isfinite(rate) and -1e-9 <= rate <= 0.5 + 1e-9 for rate in found)
    assert steps < 6 or max(found) > 0.45


def test_one_cycle():
    found = rates(one_cycle, 100)
    assert found.index(max(found)) == 19 and found[0] == pytest.approx(0.02)
    assert found[99] < 1e-5


def test_cosine_after_a_linear_rise():
    found = rates(warm_up(0.2), 50)
    wanted = [0.5 * (0.1 + 0.09 * step) for step in range(10)]
    wanted += [0.25 * (1 + math.cos(math.pi * step / 40)) for step in range(41)]
    assert found == pytest.approx(wanted, abs=1e-9)


def test_linear():
    found = rates(warm_up(0, "linear"), 10)
    assert found == pytest.approx([0.5 - 0.05 * step for step in range(11)], abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0,), r"^warm_up: share must be a number at least 0 and below 1, not 1\.0$"),
        ((0.1, "step"), r"^warm_up: decay must be one of 'cosine', 'linear', not 'step'$"),
    ],
)
def test_refuses(arguments, message):
    with pytest.raises(ParameterError, match=message):
        warm_up(*arguments)
