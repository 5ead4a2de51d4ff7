"""Tests of spintron_nn.training.recipes: the accuracy that the project promises."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from spintron_nn.datasets import digits
from spintron_nn.training.recipes import DIGITS, float_accuracy


@pytest.fixture(scope="module")
def trained():
    told = []
    made = DIGITS.run(digits(), progress=lambda phase, state: told.append(phase))
    assert told == ["train"] * DIGITS.float_epochs + ["tune"] * DIGITS.tune_epochs
    return made


def test_five_chips_classify_digits(trained):
    found = trained.accuracies(range(5))
    assert np.mean(found) >= 0.95, found
    assert min(found) >= 0.94, found


def test_accuracies_are_those_of_each_chip(trained):
    config = replace(trained.config, read_noise=0.02, stuck_p=0.01)
    test = trained.data.test_x, trained.data.test_y
    wanted = tuple(trained.on_chip(seed, config=config).accuracy(*test) for seed in (3, 1))
    assert trained.accuracies((3, 1), config=config) == wanted
    assert trained.accuracies(()) == ()


def test_float_and_ideal(trained):
    assert float_accuracy(trained.float_model, trained.data) >= 0.97
    assert trained.accuracies([0], ideal=True)[0] >= 0.97


def test_fine_tuning_pays(trained):
    direct = replace(trained, model=trained.float_model)
    assert np.mean(trained.accuracies(range(3))) > np.mean(direct.accuracies(range(3)))


def test_network_of_the_demo(trained):
    made = trained.on_chip(3, adc_bits=5)
    names = [node.name for node in made.network.nodes]
    assert names == ["flatten", "fc1", "fc2", "fc3", "argmax"] or names == [
        "fc1",
        "fc2",
        "fc3",
        "argmax",
    ]
    assert made.network.name == "digits" and made.chip.seed == 3
    assert made.network.nodes[-2].layer.adc.bits == 5


def test_an_interrupted_run_goes_on(tmp_path):
    recipe = replace(DIGITS, widths=(64, 8, 10), float_epochs=1, tune_epochs=2)

    def stop(phase, state):
        if (phase, state.epoch) == ("tune", 1):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recipe.run(digits(), checkpoint=tmp_path / "run", progress=stop)
    assert sorted(file.name for file in (tmp_path / "run").iterdir()) == [
        "train.safetensors", "tune.safetensors"
    ]  # fmt: skip
    resumed = recipe.run(digits(), checkpoint=tmp_path / "run").model.state_dict()
    whole = recipe.run(digits()).model.state_dict()
    assert all(torch.equal(value, whole[key]) for key, value in resumed.items())
