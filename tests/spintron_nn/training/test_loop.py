"""Tests of spintron_nn.training.loop."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from spintron_ir import ParameterError
from spintron_nn.training import Fit, Progress, accuracy, top_k, warm_up
from spintron_nn.training.networks import mlp

RANDOM = torch.Generator().manual_seed(0)
X = torch.randn(101, 8, generator=RANDOM)
Y = (X[:, 0] + X[:, 1] > 0).long() + 2 * (X[:, 2] > 1).long()
NEW = torch.randn(50, 8, generator=RANDOM)
DATA, VALIDATION = (X, Y), (NEW, (NEW[:, 0] + NEW[:, 1] > 0).long() + 2 * (NEW[:, 2] > 1).long())
QUICK = {"epochs": 2, "batch_size": 20, "learning_rate": 0.01}


@pytest.fixture
def model():
    return mlp((8, 6, 4), dropout=0.1, seed=3)


def state(model):
    return {key: value.clone() for key, value in model.state_dict().items()}


def same(one, other):
    return all(torch.equal(value, other[key]) for key, value in one.items())


def test_is_the_loop_that_one_would_write_by_hand(model):
    by_hand = mlp((8, 6, 4), dropout=0.1, seed=3).train()
    adam = torch.optim.AdamW(by_hand.parameters(), lr=0.01, weight_decay=0.1)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, 0.01, total_steps=12, pct_start=0.2)
    random = torch.Generator().manual_seed(7)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        for _ in range(2):
            order = torch.randperm(101, generator=random)
            for start in range(0, 101, 18):
                picked = order[start : start + 18]
                loss = functional.cross_entropy(by_hand(X[picked]), Y[picked])
                adam.zero_grad()
                loss.backward()
                nn.utils.clip_grad_norm_(by_hand.parameters(), 0.5)
                adam.step()
                rate.step()
    adamw = partial(torch.optim.AdamW, weight_decay=0.1)
    fit = Fit(epochs=2, batch_size=18, learning_rate=0.01, seed=7, clip=0.5, optimiser=adamw)
    before = torch.get_rng_state()
    fit.run(model, DATA)
    assert same(state(by_hand), state(model))
    assert not model.training
    assert torch.equal(torch.get_rng_state(), before)


def test_a_last_batch_of_one_is_left_out(model):
    fit = Fit(**QUICK)  # 101 inputs: five batches of 20, then one
    history = fit.run(model, DATA)
    assert model.norm1.num_batches_tracked == 10
    assert history[0].metrics["accuracy"] * 100 == pytest.approx(
        round(history[0].metrics["accuracy"] * 100)
    )


def test_progress_tells_loss_metrics_rate_and_time(model):
    told = []
    fit = Fit(metrics={"accuracy": accuracy, "top": top_k(2)}, progress=told.append, **QUICK)
    history = fit.run(model, DATA, validation_data=VALIDATION)
    assert list(history) == told and all(isinstance(state, Progress) for state in told)
    assert [(state.epoch, state.epochs) for state in told] == [(1, 2), (2, 2)]
    last = told[-1]
    assert list(last.figures()) == [
        *("loss", "learning_rate", "seconds", "accuracy", "top"),
        *("validation_loss", "validation_accuracy", "validation_top"),
    ]
    with torch.no_grad():
        scores = model(NEW)
    loss = float(functional.cross_entropy(scores, VALIDATION[1]))
    assert last.metrics["validation_loss"] == pytest.approx(loss)
    right = float((scores.argmax(1) == VALIDATION[1]).double().mean())
    assert last.accuracy == pytest.approx(right)
    assert last.metrics["top"] >= last.metrics["accuracy"]
    assert last.learning_rate < told[0].learning_rate < 0.01 and last.seconds > 0


def test_accuracy_of_progress():
    assert Progress(1, 1, 0.5).accuracy is None
    assert Progress(1, 1, 0.5, metrics={"accuracy": 0.25}).accuracy == 0.25


@pytest.mark.parametrize("monitor", ["loss", "accuracy"])
def test_stops_early_with_the_best_weights(monitor):
    """Labels without any sense: validation gets worse from some epoch on."""
    random = torch.Generator().manual_seed(2)
    noise = torch.randint(0, 4, (101,), generator=random)
    other = torch.randint(0, 4, (50,), generator=random)
    seen, model = [], mlp((8, 32, 4), seed=3)
    fit = Fit(
        epochs=40, batch_size=20, learning_rate=0.05, patience=3, monitor=monitor,
        progress=lambda state: seen.append(state.metrics[f"validation_{monitor}"]),
    )  # fmt: skip
    history = fit.run(model, (X, noise), validation_data=(NEW, other))
    best = seen.index(min(seen) if monitor == "loss" else max(seen))
    assert len(history) == len(seen) == best + 4 < 40
    with torch.no_grad():
        scores = model(NEW)
    judge = functional.cross_entropy if monitor == "loss" else accuracy
    assert float(judge(scores, other)) == pytest.approx(seen[best])


def test_a_loss_that_is_no_number_is_never_the_best(model):
    losses = iter([float("nan"), 2.0, float("nan"), float("nan")])
    kept = []

    def loss(scores, labels):
        value = functional.cross_entropy(scores, labels)
        return value if scores.requires_grad else torch.tensor(next(losses))

    def keep(_):
        kept.append(state(model))

    fit = Fit(epochs=9, batch_size=101, patience=2, loss=loss, progress=keep)
    history = fit.run(model, DATA, validation_data=VALIDATION)
    assert len(history) == 4 and same(kept[1], state(model))


def test_modes_of_modules_survive_a_validation(model):
    seen = []
    frozen = model.norm1.eval()

    def forward(x, random):
        seen.append((model.training, frozen.training))
        return model(x)

    model.train()
    frozen.eval()
    Fit(**QUICK).run(model, DATA, validation_data=VALIDATION, forward=forward)
    assert set(seen) == {(True, False)}


def test_other_ways_forward_and_to_predict(model):
    drawn, asked = [], []

    def forward(x, random):
        drawn.append(float(torch.rand((), generator=random)))
        return model(x)

    def predict(x):
        asked.append(len(x))
        return model(x)

    Fit(**QUICK).run(model, DATA, validation_data=VALIDATION, forward=forward, predict=predict)
    assert len(set(drawn)) == 10 and asked == [20, 20, 10] * 2


def test_regression():
    line = nn.Linear(8, 1)
    fit = Fit(epochs=30, batch_size=20, learning_rate=0.1, loss=nn.MSELoss(), metrics={},
              schedule=warm_up(0.1))  # fmt: skip
    history = fit.run(line, (X, X[:, :1] * 2))
    assert history[-1].loss < 1e-2 and history[-1].accuracy is None


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_mixed_precision(model, precision):
    """The same course as in float32, and not the same numbers; weights stay float32."""
    plain = mlp((8, 6, 4), dropout=0.1, seed=3)
    exact = Fit(**QUICK | {"epochs": 6}).run(plain, DATA)
    mixed = Fit(precision=precision, **QUICK | {"epochs": 6}).run(model, DATA)
    assert not same(state(plain), state(model))
    assert {part.dtype for part in model.parameters()} == {torch.float32}
    assert mixed[-1].loss == pytest.approx(exact[-1].loss, rel=0.05)


def test_an_overflow_in_float16_takes_no_step():
    """Gradients times the first scale of 65536 are no float16: the scale is halved."""
    line = nn.Linear(8, 1, bias=False)
    nn.init.zeros_(line.weight)
    rates = []
    fit = Fit(epochs=1, batch_size=101, precision="float16", metrics={}, clip=None,
              schedule=warm_up(0), loss=lambda scores, y: (scores * 3e4).float().sum() * 1e3,
              progress=lambda told: rates.append(told.learning_rate))  # fmt: skip
    fit.run(line, (X, Y))
    assert not line.weight.any() and rates == [pytest.approx(1e-3)]


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"epochs": 0}, "epochs must be an integer in 1..1048576, not 0"),
        ({"seed": -1}, "seed must be an integer in 0..4611686018427387904, not -1"),
        ({"batch_size": 1}, "batch_size must be an integer in 2..1048576, not 1"),
        ({"learning_rate": 0}, "learning_rate must be a number above 0, not 0"),
        ({"clip": -1.0}, "clip must be a number above 0, not -1.0"),
        ({"patience": 0}, "patience must be an integer in 1..1099511627776, not 0"),
        ({"checkpoint_every": 0}, "checkpoint_every must be an integer in 1..1099511627776, not 0"),
        ({"monitor": "top"}, "monitor must be one of 'loss', 'accuracy', not 'top'"),
        ({"precision": "half"}, "precision must be one of 'float32', 'bfloat16', 'float16', not "
                                "'half'"),
        ({"distributed": 1}, "distributed must be True or False, not 1"),
        ({"device": "gpu"}, "device must be 'cpu', or 'cuda' with or without a number, not 'gpu'"),
        ({"device": 0}, "device must be 'cpu', or 'cuda' with or without a number, not 0"),
    ],
    ids=str,
)  # fmt: skip
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^training: {re.escape(message)}$"):
        Fit(**QUICK | changed)


def test_refuses_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    message = "training: device 'cuda:1' needs a GPU of that number, and torch finds 1; use 'cpu'"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        Fit(epochs=1, device="cuda:1")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"train_data": (X, Y[1:])}, "train_data must be inputs (n, *input) and labels (n, *label) "
                                     "with n of at least 2, not shapes (101, 8) and (100,)"),
        ({"validation_data": (NEW[:0], Y[:0])},
         "validation_data must be inputs (n, *input) and labels (n, *label) with n of at least 1, "
         "not shapes (0, 8) and (0,)"),
        ({"train_data": (np.ones((3, 8)), Y[:3])},
         "train_data must be two tensors, not ndarray and Tensor; use torch.as_tensor"),
    ],
    ids=["lengths", "empty", "arrays"],
)  # fmt: skip
def test_refuses_data(model, data, message):
    with pytest.raises(ParameterError, match=f"^training: {re.escape(message)}$"):
        Fit(**QUICK).run(model, **{"train_data": DATA} | data)


def test_patience_needs_validation(model):
    message = "training: patience judges by validation_data; give them, or no patience"
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        Fit(patience=1, **QUICK).run(model, DATA)
