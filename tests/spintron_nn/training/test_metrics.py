"""Tests of spintron_nn.training.metrics."""

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, top_k_accuracy_score

from spintron_ir import ParameterError
from spintron_nn.training.metrics import accuracy, top_k


@pytest.mark.parametrize("k", [1, 2, 5])
def test_as_in_scikit_learn(k):
    random = np.random.default_rng(k)
    scores, labels = random.standard_normal((64, 6)).astype(np.float32), random.integers(0, 6, 64)
    found = torch.from_numpy(scores), torch.from_numpy(labels)
    assert float(top_k(k)(*found)) == top_k_accuracy_score(labels, scores, k=k, labels=range(6))
    assert float(accuracy(*found)) == accuracy_score(labels, scores.argmax(1))


def test_more_than_the_classes():
    assert float(top_k(9)(torch.rand(4, 3), torch.tensor([0, 1, 2, 0]))) == 1


def test_refuses():
    with pytest.raises(
        ParameterError, match=r"^top_k: k must be an integer in 1\.\.1048576, not 0$"
    ):
        top_k(0)
