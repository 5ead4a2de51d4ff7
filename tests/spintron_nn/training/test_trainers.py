"""Tests of spintron_nn.training.trainer, variation_aware and chip_training."""

import copy
import re
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from spintron_ir import ConversionError, ParameterError
from spintron_nn import MTJConfig
from spintron_nn.datasets import digits
from spintron_nn.models import TinyConvNet_Spintronic
from spintron_nn.training import Fit
from spintron_nn.training.chip_model import ChipModel
from spintron_nn.training.networks import mlp
from spintron_nn.training.trainer import SpintronicTrainer
from spintron_nn.training.variation_aware import VariationAwareTraining

DATA = digits()
X, Y = torch.from_numpy(DATA.train_x), torch.from_numpy(DATA.train_y)
SOME = X[:300], Y[:300]
FOUR = MTJConfig(levels=4)
MODEL = {
    "resistance": {"mean": 1.0, "std": 0.1},
    "switching_voltage": {"mean": 0.3, "std": 0.05},
    "retention_time": {"mean": 10, "std": 2},
}
QUICK = {"epochs": 2, "lr": 0.01, "batch_size": 100}


def network(seed=0):
    return mlp((64, 16, 10), seed=seed)


def state(model):
    return {key: value.clone() for key, value in model.state_dict().items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def accuracy_on(chips, seeds=range(10, 14), **changed):
    test = DATA.test_x, DATA.test_y
    found = [chips.convert(chip_seed=one, wafer=one, **changed).accuracy(*test) for one in seeds]
    return sum(found) / len(found)


@pytest.fixture(scope="module")
def floating():
    """Parameters of a network that was trained in floating point."""
    model = network()
    Fit(epochs=8, learning_rate=0.01).run(model, (X, Y))
    return model.state_dict()


@pytest.fixture
def plain(floating):
    model = network()
    model.load_state_dict(floating)
    return model


@pytest.fixture(scope="module")
def trained(floating):
    """The seed's snippet, in small: loaders in, 20 % of variation, 0 to 85 Celsius."""
    model = network()
    model.load_state_dict(floating)
    loader = DataLoader(TensorDataset(X, Y), batch_size=64, shuffle=True)
    held_out = DataLoader(TensorDataset(X[:200], Y[:200]), batch_size=50)
    trainer = SpintronicTrainer(
        model, device_variations=0.2, temperature_range=(0, 85), config=FOUR, adc_bits=6
    )
    history = trainer.train(loader, held_out, epochs=5, lr=0.006, floating_epochs=0)
    return trainer, model, history


def test_wins_back_what_devices_cost(trained, plain):
    """Some of it, against the same network that was trained for nominal devices as long."""
    trainer, model, history = trained
    assert trainer.chips.module is model and len(history) == 5
    nominal = replace(FOUR, resistance_variation=0.0)
    unaware = ChipModel(plain, nominal, X[:512], adc_bits=6)
    Fit(epochs=5, learning_rate=0.006).run(
        unaware, (X, Y), forward=lambda x, random: unaware.on_chips(x, 1, random)[0]
    )
    hot = replace(trainer.config, ageing=replace(FOUR.ageing, temperature=85.0))
    before = accuracy_on(unaware, config=hot)
    assert unaware.convert(ideal=True).accuracy(DATA.test_x, DATA.test_y) > before + 0.05
    assert accuracy_on(trainer.chips, config=hot) > before + 0.01


def test_validation_is_the_integers_of_two_chips_of_other_temperatures(trained):
    trainer, _, history = trained
    points = trainer.conditions.points(trainer.config)
    assert points[0].temperature != points[1].temperature
    found = [
        trainer.chips.convert(
            chip_seed=place, wafer=place, config=replace(trainer.config, ageing=points[place])
        ).accuracy(X[:200].numpy(), Y[:200].numpy())
        for place in (0, 1)
    ]
    assert history[-1].metrics["validation_accuracy"] == pytest.approx(sum(found) / 2, abs=1e-7)
    assert not trainer.chips.training


def test_batch_normalisations_are_measured_on_the_chip(trained):
    """Statistics that are wrong do harm only where a conversion is told to keep them."""
    chips = copy.deepcopy(trained[0].chips)
    norm = chips.module.norm1
    norm.running_mean += 1.0
    norm.running_var *= 9.0
    own = accuracy_on(chips)
    assert own > 0.85 and accuracy_on(chips, recalibrate=False) < own - 0.1


def test_converters_are_calibrated_on_the_chip(trained):
    """Offsets of another chip's converters do worse than its own."""
    trainer, _, _ = trained
    own, other = (trainer.chips.convert(chip_seed=seed, adc_bits=4) for seed in (1, 2))
    nodes = [
        replace(node, layer=replace(node.layer, adc=there.layer.adc))
        if getattr(node.layer, "adc", None) is not None
        else node
        for node, there in zip(own.network.nodes, other.network.nodes, strict=True)
    ]
    swapped = replace(own, network=replace(own.network, nodes=tuple(nodes)))
    test = DATA.test_x, DATA.test_y
    assert own.accuracy(*test) > swapped.accuracy(*test) + 0.01


def test_the_seeds_variation_model(plain):
    trainer = VariationAwareTraining(plain, MODEL, monte_carlo_samples=100, quantization_bits=2)
    before, asked = state(plain), []
    on_chips = ChipModel.on_chips

    def counted(self, x, samples, random, **more):
        asked.append((len(x), samples))
        return on_chips(self, x, samples, random, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ChipModel, "on_chips", counted)
        history = trainer.train(
            (X[:80], Y[:80]), epochs=2, robustness_weight=0.1, batch_size=40, floating_epochs=0
        )
    assert asked == [(40, 100)] * 4
    assert len(history) == 2 and history[-1].accuracy > 0.8
    assert not same(before, state(plain))
    assert trainer.config.ageing.thermal_stability == pytest.approx(40.293, abs=1e-3)
    assert len(trainer.conditions.points(trainer.config)) == 64


def test_the_spread_counts(plain):
    losses = []
    for weight in (0.0, 10.0):
        trainer = VariationAwareTraining(network(1), MODEL, monte_carlo_samples=3, config=FOUR)
        history = trainer.train(SOME, epochs=1, robustness_weight=weight, floating_epochs=0)
        losses.append(history[0].loss)
    assert losses[1] > losses[0] + 0.1


def test_a_plain_module_is_trained_in_floating_point_first():
    told, model = [], network()
    trainer = SpintronicTrainer(model, config=FOUR, monte_carlo_samples=1)
    history = trainer.train(SOME, **QUICK | {"epochs": 6}, progress=told.append)
    assert [(one.epoch, one.epochs) for one in told[:3]] == [(1, 2), (2, 2), (1, 6)]
    assert tuple(told[2:]) == history
    by_hand = network()
    Fit(epochs=2, learning_rate=0.01, batch_size=100).run(by_hand, SOME)
    again = SpintronicTrainer(by_hand, config=FOUR, monte_carlo_samples=1)
    again.train(SOME, **QUICK | {"epochs": 6}, floating_epochs=0)
    assert same(state(trainer.chips), state(again.chips))


def test_trains_on(plain):
    trainer = SpintronicTrainer(plain, config=FOUR)
    trainer.train(SOME, **QUICK, floating_epochs=0)
    chips, before = trainer.chips, state(trainer.chips)
    trainer.train(SOME, **QUICK)
    assert trainer.chips is chips and not same(before, state(chips))


def test_a_chip_model_is_put_on_chips_of_the_trainer(plain):
    chips = ChipModel(plain, FOUR, X[:256], adc_bits=6, quantization_bits=4)
    with torch.no_grad():
        chips.sizes.steps.add_(0.3)
    before = state(chips)
    trainer = SpintronicTrainer(chips, device_variations=0.3, temperature_range=(10, 20))
    assert trainer.chips is chips and same(before, state(chips))
    assert chips.config == trainer.config == replace(FOUR, resistance_variation=0.3)
    assert chips.choices == {"adc_bits": 6, "quantization_bits": 4}
    assert {10 <= one.temperature <= 20 for one in chips.sampler.conditions} == {True}
    trainer.train(SOME, **QUICK)
    assert not same(before, state(chips))


@pytest.mark.parametrize("prepared", [False, True])
def test_a_network_of_the_zoo(prepared):
    net = TinyConvNet_Spintronic(input_shape=(8, 8, 1), filters=[4])
    x = SOME[0].reshape(-1, 1, 8, 8)
    if prepared:
        net.prepare(x)
    trainer = SpintronicTrainer(net, device_variations=0.25)
    history = trainer.train((x, SOME[1]), **QUICK)
    assert len(history) == 2 and trainer.chips is net.chips
    assert net.config.resistance_variation == net.chips.config.resistance_variation == 0.25
    assert len(net.chips.sampler.conditions) == 64
    exact = net.convert(ideal=True).run(x[:5].numpy())
    assert torch.equal(net.eval()(x[:5]), torch.from_numpy(exact))


class Cut(Exception):
    pass


def job(folder, stop=None):
    """A run with all parts, cut off after so many epochs in floating point and on chips."""
    left = [stop]

    def tell(_):
        if left[0] is not None:
            left[0] -= 1
            if left[0] == 0:
                raise Cut

    trainer = VariationAwareTraining(network(), MODEL, monte_carlo_samples=2, adc_bits=6)
    trainer.train(
        SOME, (X[300:400], Y[300:400]), epochs=3, lr=0.01, batch_size=100, floating_epochs=2,
        patience=2, monitor="accuracy", progress=tell, checkpoint=folder / "run.safetensors",
    )  # fmt: skip
    return state(trainer.chips)


def test_an_interrupted_run_ends_with_the_same_weights(tmp_path):
    (tmp_path / "whole").mkdir()
    whole = job(tmp_path / "whole")
    for stop in (1, 4):
        folder = tmp_path / str(stop)
        folder.mkdir()
        with pytest.raises(Cut):
            job(folder, stop)
        assert same(job(folder), whole)
    names = [path.name for path in sorted(folder.iterdir())]
    assert names == ["run-floating.safetensors", "run.safetensors"]


def test_a_group_of_processes(monkeypatch, plain):
    """One process under torchrun is as none."""
    one = SpintronicTrainer(network(1), config=FOUR)
    one.train(SOME, **QUICK, floating_epochs=1)
    for name, value in {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("MASTER_ADDR", "localhost")
    monkeypatch.setenv("MASTER_PORT", "0")
    other = SpintronicTrainer(network(1), config=FOUR)
    other.train(SOME, **QUICK, floating_epochs=1, distributed=True)
    assert same(state(one.chips), state(other.chips))


def refusal(message):
    return pytest.raises(ParameterError, match=f"^{re.escape(message)}$")


def test_refuses(plain):
    trainer = partial(SpintronicTrainer, plain)
    with refusal("training: model must be a torch.nn.Module, not NoneType"):
        SpintronicTrainer(None)
    with refusal("training: monte_carlo_samples must be an integer in 1..65536, not 0"):
        trainer(monte_carlo_samples=0)
    with refusal("MTJConfig: resistance_variation must be a number in 0..1, not 2"):
        trainer(device_variations=2)
    with refusal(
        "Conditions: temperature must be a lowest and a highest value in Celsius, not (85, 0)"
    ):
        trainer(temperature_range=(85, 0))
    with refusal(
        "training: train takes, beside its own arguments, seed, batch_size, loss, optimiser, "
        "schedule, clip, metrics, patience, monitor, precision, device, distributed, checkpoint, "
        "checkpoint_every, generators, facts, progress, not momentum, learning_rate"
    ):
        trainer().train(SOME, momentum=0.9, learning_rate=1)
    with refusal("training: robustness_weight must be a number at least 0, not -1"):
        trainer().train(SOME, robustness_weight=-1)
    with refusal("training: floating_epochs must be an integer in 0..1048576, not -1"):
        trainer().train(SOME, floating_epochs=-1)
    chips = ChipModel(plain, FOUR, X[:64])
    with refusal("training: a ChipModel has its choices already; give adc_bits where it is made"):
        SpintronicTrainer(chips, adc_bits=6)
    with refusal(
        "training: floating_epochs must be 0 for a model that is on chips already, not 1; train "
        "it in floating point before"
    ):
        SpintronicTrainer(chips).train(SOME, floating_epochs=1)
    with pytest.raises(ConversionError):
        SpintronicTrainer(nn.LSTM(64, 4)).train(SOME, floating_epochs=0)
