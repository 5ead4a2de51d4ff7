"""Tests of spintron_nn.training.tracking."""

import re
import sys
from contextlib import contextmanager

import pytest
import torch
from torch import nn

from spintron_ir import ToolError
from spintron_nn.training import Fit, mlflow_run


class Client:
    """Stands in for mlflow."""

    def __init__(self):
        self.calls = []

    def set_experiment(self, name):
        self.calls.append(("experiment", name))

    @contextmanager
    def start_run(self):
        self.calls.append("start")
        yield
        self.calls.append("end")

    def log_params(self, parameters):
        self.calls.append(("params", parameters))

    def log_metrics(self, metrics, step):
        self.calls.append((step, sorted(metrics)))


def test_records_every_epoch():
    client = Client()
    x = torch.randn(8, 2)
    with mlflow_run("digits", parameters={"seed": 0}, client=client) as record:
        Fit(epochs=2, progress=record).run(nn.Linear(2, 2), (x, (x[:, 0] > 0).long()))
    names = ["accuracy", "learning_rate", "loss", "seconds"]
    assert client.calls == [
        ("experiment", "digits"), "start", ("params", {"seed": 0}), (1, names), (2, names), "end",
    ]  # fmt: skip


def test_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "mlflow", None)
    message = "mlflow is not installed; install it with: pip install 'spintron-nn-kit[mlflow]'"
    with pytest.raises(ToolError, match=f"^{re.escape(message)}$"), mlflow_run("digits"):
        pass
