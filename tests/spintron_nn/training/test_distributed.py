"""Tests of spintron_nn.training.distributed: two processes over gloo under torchrun."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from spintron_ir import ParameterError
from spintron_nn.training import Fit, SpintronicTrainer, TrainingFileError, load_weights

ROOT = Path(__file__).resolve().parents[3]

SCRIPT = """
import os, sys
from pathlib import Path
from torch import distributed
from spintron_nn.training import save_model
from tests.spintron_nn.training.test_distributed import job, on_chips

distributed.init_process_group("gloo")  # one group for all of the runs
here, rank = Path(sys.argv[1]), os.environ["RANK"]
told = []
model, history = job(distributed=True, progress=told.append)
save_model(model, here / f"whole{rank}")
try:
    job(distributed=True, checkpoint=here / "run", stop=3)
except KeyboardInterrupt:
    pass
again, _ = job(distributed=True, checkpoint=here / "run")
save_model(again, here / f"again{rank}", loss=[state.loss for state in history],
           validation=[state.metrics["validation_accuracy"] for state in history],
           told=len(told))
normed, _ = job(distributed=True, norm=True)
save_model(normed, here / f"norm{rank}")
aware, history = on_chips(distributed=True)
save_model(aware, here / f"chips{rank}", loss=[state.loss for state in history])
distributed.destroy_process_group()
"""


def network(norm=False):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        hidden = nn.BatchNorm1d(6) if norm else nn.Identity()
        dropped = nn.Dropout(0.2) if norm else nn.Identity()
        return nn.Sequential(nn.Linear(8, 6), hidden, nn.Tanh(), dropped, nn.Linear(6, 2))


def job(norm=False, stop=None, **changed):
    """Five batches of 21, the last of 17: no share of two processes is as large as the other."""
    x = torch.randn(101, 8, generator=torch.Generator().manual_seed(0))
    y = (x[:, 0] > 0).long()
    model, left = network(norm), [stop]

    def loss(scores, labels):
        if scores.requires_grad and left[0] is not None:
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
        return nn.functional.cross_entropy(scores, labels)

    fit = Fit(epochs=2, batch_size=21, learning_rate=0.05, loss=loss, checkpoint_every=1, **changed)
    history = fit.run(model, (x, y), validation_data=(x[:30], y[:30]))
    return model, history


def on_chips(**changed):
    """A trainer over chips: two epochs in floating point, six on two fresh chips a step."""
    x = torch.randn(101, 8, generator=torch.Generator().manual_seed(0))
    model = network()
    model[2] = nn.ReLU()
    trainer = SpintronicTrainer(model, 0.1, (25, 85), monte_carlo_samples=2)
    history = trainer.train(
        (x, (x[:, 0] > 0).long()), epochs=6, lr=0.05, floating_epochs=2, batch_size=21, **changed
    )
    return model, history


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two")
    (folder / "script.py").write_text(SCRIPT)
    words = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    done = subprocess.run(
        [sys.executable, *words, str(folder / "script.py"), str(folder)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


def weights(folder, name, norm=False):
    model = network(norm)
    return load_weights(model, folder / name), model.state_dict()


def test_both_processes_have_the_same_weights(made):
    for name in ("whole", "again", "norm", "chips"):
        ((_, one), (_, other)) = (weights(made, f"{name}{rank}", name == "norm") for rank in (0, 1))
        assert all(torch.equal(value, other[key]) for key, value in one.items())


def test_as_one_process_with_the_whole_batch(made):
    alone, history = job()
    manifest, found = weights(made, "again0")
    for key, value in alone.state_dict().items():
        assert torch.allclose(value, found[key], rtol=1e-4, atol=1e-6)
    facts = manifest["facts"]
    assert facts["loss"] == pytest.approx([state.loss for state in history], rel=1e-5)
    assert facts["validation"] == [state.metrics["validation_accuracy"] for state in history]


def test_an_interrupted_run_of_two_continues(made):
    (_, whole), (_, again) = weights(made, "whole0"), weights(made, "again0")
    assert all(torch.equal(value, again[key]) for key, value in whole.items())


def test_trainers_over_chips_learn_in_two_processes(made):
    (manifest, _), (_, alone) = weights(made, "chips0"), on_chips()
    loss = manifest["facts"]["loss"]
    assert len(loss) == 6 and loss[-1] < 0.7 * loss[0]
    assert loss[-1] == pytest.approx(alone[-1].loss, abs=0.1)


def test_only_the_first_tells_and_writes(made):
    told = [weights(made, f"again{rank}")[0]["facts"]["told"] for rank in (0, 1)]
    assert told == [2, 0]
    with pytest.raises(TrainingFileError, match="another run: processes 2 there, 1 here; "):
        job(checkpoint=made / "run")


def test_refuses_without_torchrun(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    message = (
        "training: distributed needs the environment of torchrun, and RANK is not set; "
        "start the script with torchrun"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        job(distributed=True)


def test_a_group_of_one_is_made_and_left(monkeypatch, tmp_path):
    alone, _ = job()
    for name, value in {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("MASTER_PORT", "0")
    group, _ = job(distributed=True)
    assert not torch.distributed.is_initialized()
    assert all(
        torch.equal(value, group.state_dict()[key]) for key, value in alone.state_dict().items()
    )
