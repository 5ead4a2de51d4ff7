"""Tests of spintron_nn.training.robust."""

import pytest
import torch
from torch import nn
from torch.nn import functional

from spintron_ir import ParameterError
from spintron_nn.training import accuracy, top_k
from spintron_nn.training.robust import loss_over_chips, metric_over_chips

RANDOM = torch.Generator().manual_seed(0)
SCORES = torch.randn(5, 16, 4, generator=RANDOM)
LABELS = torch.randint(0, 4, (16,), generator=RANDOM)


@pytest.mark.parametrize(
    "loss",
    [functional.cross_entropy, nn.CrossEntropyLoss(label_smoothing=0.1)],
    ids=["plain", "soft"],
)
def test_is_what_one_would_compute_chip_by_chip(loss):
    each = torch.stack([loss(scores, LABELS) for scores in SCORES])
    assert float(loss_over_chips(loss)(SCORES, LABELS)) == pytest.approx(float(each.mean()))
    deviation = float(((each - each.mean()) ** 2).mean()) ** 0.5
    found = float(loss_over_chips(loss, 0.3)(SCORES, LABELS))
    assert found == pytest.approx(float(each.mean()) + 0.3 * deviation)


def test_targets_that_are_no_classes():
    soft = torch.softmax(SCORES[0] * 2, dim=1)
    each = [functional.cross_entropy(scores, soft) for scores in SCORES]
    found = loss_over_chips(functional.cross_entropy)(SCORES, soft)
    assert float(found) == pytest.approx(float(torch.stack(each).mean()))
    lines = loss_over_chips(nn.MSELoss())(SCORES[:, :, :1], SCORES[0, :, :1])
    assert float(lines) == pytest.approx(
        float((SCORES[..., :1] - SCORES[0, :, :1]).square().mean())
    )


def test_gradient_against_finite_differences():
    scores = SCORES[:2, :3].double().requires_grad_()
    judge = loss_over_chips(functional.cross_entropy, 0.7)
    assert torch.autograd.gradcheck(lambda values: judge(values, LABELS[:3]), scores)


@pytest.mark.parametrize("chips", [1, 3])
def test_chips_that_lose_the_same_have_a_gradient(chips):
    scores = SCORES[:1].expand(chips, -1, -1).clone().requires_grad_()
    loss_over_chips(functional.cross_entropy, 0.5)(scores, LABELS).backward()
    plain = SCORES[0].clone().requires_grad_()
    functional.cross_entropy(plain, LABELS).backward()
    torch.testing.assert_close(scores.grad.sum(0), plain.grad)


@pytest.mark.parametrize("metric", [accuracy, top_k(2)], ids=["accuracy", "top 2"])
def test_metrics_are_means_over_chips(metric):
    each = torch.stack([metric(scores, LABELS) for scores in SCORES])
    assert float(metric_over_chips(metric)(SCORES, LABELS)) == pytest.approx(float(each.mean()))


def test_refuses():
    message = r"^training: robustness_weight must be a number at least 0, not -1$"
    with pytest.raises(ParameterError, match=message):
        loss_over_chips(functional.cross_entropy, -1)
