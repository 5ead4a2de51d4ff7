"""Tests of spintron_nn.training.checkpoint: continued runs, and refusals."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training import Fit, TrainingFileError, fine_tune, save_model, train, warm_up
from spintron_nn.training.checkpoint import differences
from spintron_nn.training.networks import mlp
from spintron_nn.training.tensor_file import read_tree, write_tree

ROOT = Path(__file__).resolve().parents[3]
RANDOM = torch.Generator().manual_seed(0)
X, NEW = torch.randn(100, 8, generator=RANDOM), torch.randn(40, 8, generator=RANDOM)
DATA, VALIDATION = (X, (X[:, 0] > 0).long()), (NEW, (NEW[:, 0] > 0).long())


class Run:
    """A run with everything random and all that a checkpoint keeps, cut off where it is told."""

    def __init__(self, folder, stop=None, **changed):
        self.noise = np.random.Generator(np.random.MT19937(5))
        self.dirt = torch.Generator().manual_seed(6)
        self.left, self.model = stop, mlp((8, 6, 2), dropout=0.2, seed=3)
        settings = {
            "epochs": 4, "batch_size": 20, "learning_rate": 0.05, "schedule": warm_up(0.3),
            "loss": self.loss, "patience": 2, "checkpoint": folder / "run.safetensors",
            "checkpoint_every": 2, "generators": {"noise": self.noise, "dirt": self.dirt},
        }  # fmt: skip
        self.fit = Fit(**settings | changed)
        self.file = folder / "model.safetensors"

    def loss(self, scores, labels):
        if self.left == 0:
            raise KeyboardInterrupt
        self.left = None if self.left is None else self.left - 1
        dirt = torch.rand((), generator=self.dirt)
        return functional.cross_entropy(scores * (1 + self.noise.random() + dirt), labels)

    def go(self):
        """Bytes of the file of the trained model."""
        self.history = self.fit.run(self.model, DATA, validation_data=VALIDATION)
        save_model(self.model, self.file)
        return self.file.read_bytes()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("whole"))
    return run.go(), run.history


# A loss is asked for 5 times by the steps of an epoch and twice by its validation.
@pytest.mark.parametrize("stop", [0, 1, 2, 4, 5, 6, 7, 9, 13, 14, 20, 27])
def test_an_interrupted_run_ends_with_the_same_bytes(whole, tmp_path, stop):
    with pytest.raises(KeyboardInterrupt):
        Run(tmp_path, stop).go()
    run = Run(tmp_path)
    assert run.go() == whole[0]
    ends = [(state.epoch, state.loss, state.learning_rate, state.metrics) for state in run.history]
    assert ends == [(e.epoch, e.loss, e.learning_rate, e.metrics) for e in whole[1]]


def test_interrupted_at_every_turn(whole, tmp_path):
    """Each try gets three losses further at most, and begins at the last checkpoint."""
    tries = 0
    while tries < 30:
        try:
            found = Run(tmp_path, 3).go()
            break
        except KeyboardInterrupt:
            tries += 1
            assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]
    assert found == whole[0] and 8 < tries < 20


@pytest.mark.parametrize("stop", [1, 6, 12])
def test_the_interrupted_model_itself_may_be_given_again(whole, tmp_path, stop):
    """Its weights are those of the checkpoint again, also before the first step is kept."""
    cut, run = Run(tmp_path, stop), Run(tmp_path)
    with pytest.raises(KeyboardInterrupt):
        cut.go()
    run.model = cut.model
    assert run.go() == whole[0]


def test_keeping_checkpoints_changes_nothing(whole, tmp_path):
    assert Run(tmp_path, checkpoint=None).go() == whole[0]


def test_a_finished_run_gives_its_result_at_once(whole, tmp_path):
    assert Run(tmp_path).go() == Run(tmp_path, stop=0).go() == whole[0]


KILLED = """
import os, signal, sys
from pathlib import Path
from tests.spintron_nn.training.test_checkpoint import Run

class Killed(Run):
    def loss(self, scores, labels):
        if self.left == 1:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().loss(scores, labels)

Killed(Path(sys.argv[1]), 12).go()
"""


def test_a_killed_process_is_continued_by_another(whole, tmp_path):
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT)
    assert done.returncode == -signal.SIGKILL
    assert [path.name for path in tmp_path.iterdir()] == ["run.safetensors"]
    assert Run(tmp_path).go() == whole[0]


class Stop(Exception):
    """Ends a run from its progress."""


def stop_after(epoch):
    def progress(state):
        if state.epoch == epoch:
            raise Stop

    return progress


@pytest.mark.parametrize("on_chips", [False, True])
def test_train_and_fine_tune_continue(tmp_path, on_chips):
    data = tuple(part.numpy() for part in DATA)

    def go(**changed):
        model, settings = mlp((8, 6, 2), dropout=0.1, seed=3), {"epochs": 4, "batch_size": 32}
        if on_chips:
            return fine_tune(model, data, **{"config": MTJConfig()} | settings | changed)
        return train(model, data, **settings | changed)

    file = tmp_path / "run.safetensors"
    with pytest.raises(Stop):
        go(checkpoint=file, progress=stop_after(2))
    told = []
    continued, straight = go(checkpoint=file, progress=told.append), go()
    assert [state.epoch for state in told] == [3, 4]
    for key, value in straight.state_dict().items():
        assert torch.equal(value, continued.state_dict()[key])
    other = {"config": MTJConfig(resistance_variation=0.3)} if on_chips else {"label_smoothing": 0}
    with pytest.raises(TrainingFileError, match="the checkpoint of another run: "):
        go(checkpoint=file, **other)


@pytest.mark.parametrize(("optimiser", "precision"), [("SGD", "float32"), ("AdamW", "float16")])
def test_other_optimisers_and_precisions_continue(tmp_path, optimiser, precision):
    changed = {"optimiser": getattr(torch.optim, optimiser), "precision": precision}
    whole = Run(tmp_path, checkpoint=None, **changed).go()
    with pytest.raises(KeyboardInterrupt):
        Run(tmp_path, 11, **changed).go()
    assert Run(tmp_path, **changed).go() == whole


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Content of a checkpoint within the second epoch."""
    folder = tmp_path_factory.mktemp("cut")
    with pytest.raises(KeyboardInterrupt):
        Run(folder, 10).go()
    return lambda: read_tree(folder / "run.safetensors", "checkpoint")


def refusal(tree, folder, **changed):
    write_tree(folder / "run.safetensors", "checkpoint", tree)
    run = Run(folder, **changed)
    before = {key: value.clone() for key, value in run.model.state_dict().items()}
    with pytest.raises(TrainingFileError) as caught:
        run.go()
    assert differences("model", before, run.model.state_dict()) == []
    assert all(torch.equal(value, before[key]) for key, value in run.model.state_dict().items())
    return str(caught.value).removeprefix(f"{folder / 'run.safetensors'}: ")


def test_refuses_another_run(tree, tmp_path):
    assert refusal(tree(), tmp_path, batch_size=25, seed=1, facts={"chip": 3}) == (
        "the checkpoint of another run: seed 0 there, 1 here; batch_size 20 there, 25 here; "
        "chip None there, 3 here; give the same arguments, or another file"
    )


def test_refuses_other_data(tree, tmp_path, monkeypatch):
    monkeypatch.setitem(globals(), "DATA", (X + 1, DATA[1]))
    found = refusal(tree(), tmp_path)
    assert re.fullmatch(
        r"the checkpoint of another run: data \w{16} there, \w{16} here; "
        r"give the same arguments, or another file",
        found,
    )


def changed(place, value):
    def change(tree):
        *keys, last = place
        for key in keys:
            tree = tree[key]
        if value is None:
            del tree[last]
        else:
            tree[last] = value

    return change


MODEL = "the checkpoint of another model: {}; build the model that it is of, or give another file"
MALFORMED = "the checkpoint is malformed: {}; remove it to start anew"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed(("model", "fc1.weight"), torch.zeros(6, 9)),
         MODEL.format("model.fc1.weight: shape (6, 9) instead of (6, 8)")),
        (changed(("model", "fc1.weight"), None), MODEL.format("model.fc1.weight is missing")),
        (changed(("model", "fc9"), torch.zeros(1)), MODEL.format("model.fc9 is not known")),
        (changed(("model", "fc1.bias"), torch.zeros(6).double()),
         MODEL.format("model.fc1.bias: torch.float64 instead of torch.float32")),
        (changed(("best", "weights", "fc1.bias"), 3),
         MALFORMED.format("best.weights.fc1.bias is no tensor")),
        (changed(("optimiser", "state", 0, "exp_avg"), torch.zeros(1)),
         MALFORMED.format("optimiser.state.0.exp_avg: shape (1,) instead of (6, 8)")),
        (changed(("optimiser", "state", 0, "exp_avg"), None),
         MALFORMED.format("optimiser.state.0.exp_avg is missing")),
        (changed(("optimiser", "state", 77), {}),
         MALFORMED.format("optimiser.state.77 is not known")),
        (changed(("optimiser", "param_groups", 0, "lr"), "x"),
         MALFORMED.format("optimiser.param_groups.0.lr: 'x' instead of 0.008333333333333333")),
        (changed(("optimiser", "param_groups"), []),
         MALFORMED.format("optimiser.param_groups is no list of 1")),
        (changed(("schedule", "step"), 3), MALFORMED.format("schedule.step is not known")),
        (changed(("scaler",), {"scale": 1.0}), MALFORMED.format("scaler.scale is not known")),
        (changed(("random", 0, "run"), torch.zeros(5).byte()),
         MALFORMED.format("random.0.run: shape (5,) instead of (5056,)")),
        (changed(("random", 0, "named", "noise"), None),
         MALFORMED.format("random.0.named.noise is missing")),
        (changed(("random", 0, "named", "noise", "bit_generator"), "PCG64"),
         MALFORMED.format("random.0.named.noise.bit_generator: 'PCG64' instead of 'MT19937'")),
        (changed(("epoch",), 9), MALFORMED.format("the position is outside the run; the history is "
                                                  "not that of the position")),
        (changed(("step",), 1.5), MALFORMED.format("the position is outside the run")),
        (changed(("order",), torch.zeros(100, dtype=torch.int64)),
         MALFORMED.format("the order of the data is no order of them")),
        (changed(("order",), torch.arange(100.0)),
         MALFORMED.format("the order of the data is no order of them")),
        (changed(("step",), 0),
         MALFORMED.format("the order of the data does not fit the position")),
        (changed(("sums",), {"loss": 0.0}), MALFORMED.format("sums.accuracy is missing")),
        (changed(("history",), []),
         MALFORMED.format("the history is not that of the position")),
        (changed(("history",), [{"epoch": 1}]),
         "the checkpoint is malformed (TypeError); remove it to start anew"),
        (changed(("more",), 1), MALFORMED.format("parts.more is not known")),
        (changed(("epoch",), None),
         "the checkpoint is malformed (KeyError); remove it to start anew"),
        (changed(("run",), 5),
         "the checkpoint is malformed (TypeError); remove it to start anew"),
        (changed(("random", 0, "run"), torch.full((5056,), 255, dtype=torch.uint8)),
         "the checkpoint is malformed (RuntimeError); remove it to start anew"),
    ],
    ids=lambda value: value[-40:] if isinstance(value, str) else "",
)  # fmt: skip
def test_refuses_what_does_not_fit(tree, tmp_path, change, message):
    hostile = tree()
    change(hostile)
    assert refusal(hostile, tmp_path) == message


@pytest.mark.parametrize("content", [None, [1, 2], "text", {}])
def test_refuses_what_is_no_checkpoint(tmp_path, content):
    found = refusal(content, tmp_path)
    assert re.fullmatch(
        r"the checkpoint is malformed \((Type|Key)Error\); remove it to start anew", found
    )
