"""Tests of spintron_nn.training.energy_opt and energy_front."""

import copy

import pytest
import torch
from rich.console import Console
from torch import as_tensor, nn
from torch.nn import functional as F

from spintron_ir import ParameterError
from spintron_nn import MTJConfig
from spintron_nn.core.energy import EnergyModel
from spintron_nn.datasets import digits
from spintron_nn.models.base import SpintronicNet
from spintron_nn.training import Fit
from spintron_nn.training.chip_model import ChipModel
from spintron_nn.training.energy_front import ParetoFront, ParetoPoint
from spintron_nn.training.energy_opt import EnergyOptimizedTraining
from spintron_nn.training.energy_steps import Weighted
from spintron_nn.training.networks import lenet, mlp, separable

UNEVEN = MTJConfig(
    levels=4, cell_bits=8, resistance_variation=0.0, level_fractions=(0.0, 0.2, 0.7, 1.0)
)

DATA = torch.rand(8, 64), torch.arange(8)

CHOICES = ((4, 4), (3, 4), (3, 3), (3, 2), (2, 2))
"""Bits of converters and activations of a front."""


@pytest.fixture(scope="module")
def data():
    found = digits()
    train = as_tensor(found.train_x), as_tensor(found.train_y)
    return train, (as_tensor(found.test_x), as_tensor(found.test_y))


@pytest.fixture(scope="module")
def trained(data):
    """A network of digits that has seen chips: 4 levels, 10 % spread, 6-bit converters."""
    module = mlp((64, 32, 24, 10))
    Fit(epochs=10, learning_rate=0.01).run(module, data[0])
    model = ChipModel(module, MTJConfig(levels=4), data[0][0][:512], adc_bits=6)
    EnergyOptimizedTraining(model, 0.0, 1.0).train(data[0], epochs=2, lr=5e-3)
    return model


@pytest.mark.parametrize(
    ("layers", "shape", "choices"),
    [
        (mlp((12, 9, 5)), (12,), {"activation_bits": 3}),
        (mlp((12, 9, 5)), (12,), {"activation_bits": 8, "dac_bits": 2, "quantization_bits": 4}),
        (lenet((2, 3, 6, 5, 4)), (28, 28), {}),
        (separable((3, 4, 4), seed=1), (28, 28), {"crossbar_size": 16}),
    ],
    ids=["3 bits", "8 bits", "positions", "blocks"],
)
def test_the_energy_of_a_nominal_chip_is_that_of_the_hardware(layers, shape, choices):
    x = torch.rand(32, *shape, generator=torch.Generator().manual_seed(0)) - 0.3
    model = ChipModel(layers, UNEVEN, x, adc_bits=None, **choices)
    made = model.convert(ideal=True)
    report = EnergyModel(UNEVEN).of_network(made.network, made.quantise_input(x.numpy()))
    found = EnergyOptimizedTraining(model).energy_of(x)
    # A code on the edge between two may fall on the other side in float32.
    assert found == pytest.approx(report.cell_read_j + report.driver_j, rel=1e-3)


def test_the_loss_is_the_weighted_sum(trained, data):
    model, (x, y) = copy.deepcopy(trained), data[0]
    trainer = EnergyOptimizedTraining(model, 0.3, 0.7, inferences=1e4)
    steps = Weighted(trainer, F.cross_entropy, start=2e-12)
    with torch.no_grad():
        for weight in model.module.parameters():
            weight *= -1
    model.train()
    random = torch.Generator().manual_seed(0)
    scores = steps.forward(x[:64], random)
    reads = float(sum(part.detach() for part in steps.meter.parts))
    writes = float(trainer.energy.write_j(model.get_weight_updates()).detach())
    assert reads > 1e-13
    assert writes > 1e-10
    expected = 0.7 * F.cross_entropy(scores, y[:64]) + 0.3 * (reads + writes / 1e4) / 2e-12
    assert steps.loss(scores, y[:64]).item() == pytest.approx(expected.item())


def test_training_saves_energy_and_keeps_accuracy(trained, data):
    hidden = {}
    for weight in (0.0, 0.6):
        model = copy.deepcopy(trained)
        trainer = EnergyOptimizedTraining(model, weight, 1 - weight)
        history = trainer.train(data[0], data[1], epochs=4, lr=0.01)
        assert not model.training
        assert history[-1].metrics["validation_accuracy"] > 0.94
        made = model.convert(chip_seed=1)
        report = trainer.energy.of_network(made.network, made.quantise_input(data[1][0]))
        hidden[weight] = sum(layer.cell_read_j for layer in report.layers[1:])
    assert hidden[0.6] < 0.75 * hidden[0.0]


def test_the_front_of_the_digits(trained, data):
    before = {name: value.clone() for name, value in trained.state_dict().items()}
    trainer = EnergyOptimizedTraining(trained)
    choices = [{"adc_bits": adc, "activation_bits": bits} for adc, bits in CHOICES]
    front = trainer.front(
        *data,
        weights=(0.0, 0.5),
        choices=[{}, *choices],
        epochs=1,
        lr=0.01,
        chips=3,
        batch_size=128,
    )
    assert len(front.points) >= 5
    energies = [point.energy_j for point in front.points]
    accuracies = [point.accuracy for point in front.points]
    assert energies == sorted(energies)
    assert accuracies == sorted(accuracies)
    # A seventh of the energy costs at most two points of accuracy.
    most = max(point.energy_j for point in front.points + front.dominated)
    cheap = next(p for p in front.points if p.accuracy > accuracies[-1] - 0.02)
    assert cheap.energy_j < most / 7
    assert len(front.points) + len(front.dominated) == 12
    for name, value in trained.state_dict().items():
        assert torch.equal(value, before[name]), name
    # Each point has its model, and its figures are those of the hardware's integers.
    point = front.points[0]
    made = [point.model.convert(chip_seed=seed) for seed in (1, 2, 3)]
    x, y = (part.numpy() for part in data[1])
    found = [float((chip.predict(x) == y).mean()) for chip in made]
    assert point.accuracy == pytest.approx(sum(found) / 3)
    assert point.worst == min(found)
    page = Console(record=True, width=150)
    page.print(front.table())
    assert "adc_bits=2, activation_bits=2" in page.export_text()


def test_the_snippet_of_the_seed_runs(trained, data):
    model, mtj_config, energy_weight = copy.deepcopy(trained), MTJConfig(levels=4), 0.3
    train_loader, val_loader = (
        torch.utils.data.DataLoader(torch.utils.data.TensorDataset(*part), batch_size=128)
        for part in data
    )

    energy_trainer = EnergyOptimizedTraining(model, energy_weight=0.3, accuracy_weight=0.7)

    def energy_loss(model, input, target):
        output = model(input)
        accuracy_loss = F.cross_entropy(output, target)
        weight_changes = model.get_weight_updates()
        switching_energy = mtj_config.estimate_switching_energy(weight_changes)
        return accuracy_loss + energy_weight * switching_energy

    energy_trainer.set_custom_loss(energy_loss)
    history = energy_trainer.train(train_loader, val_loader, epochs=1)
    assert history[-1].metrics["accuracy"] > 0.9
    assert history[-1].metrics["validation_accuracy"] > 0.9


def test_refuses_a_loss_that_is_no_function(trained):
    message = "loss must be a function of model, input and target, not int"
    with pytest.raises(ParameterError, match=f"^EnergyOptimizedTraining: {message}$"):
        EnergyOptimizedTraining(trained).set_custom_loss(3)


@pytest.mark.parametrize("custom", [False, True])
def test_an_interrupted_training_goes_on(trained, data, tmp_path, custom):
    x, y = data[0][0][:256], data[0][1][:256]

    def run(checkpoint, progress=None):
        model = copy.deepcopy(trained)
        trainer = EnergyOptimizedTraining(model, 0.5, 0.5)
        if custom:
            trainer.set_custom_loss(lambda model, x, y: F.cross_entropy(model(x), y))
        trainer.train((x, y), epochs=3, checkpoint=tmp_path / checkpoint, progress=progress)
        return model.state_dict()

    def interrupted(state):
        if state.epoch == 2:
            raise KeyboardInterrupt

    whole = run("whole.safetensors")
    with pytest.raises(KeyboardInterrupt):
        run("cut.safetensors", interrupted)
    found = run("cut.safetensors")
    assert all(torch.equal(found[name], whole[name]) for name in whole)


def test_what_other_choices_leave_is_carried_over(trained):
    trainer, known = EnergyOptimizedTraining(trained), trained.sizes
    for changed, scales, steps in (
        ({"adc_bits": 3}, True, True),
        ({"activation_bits": 3}, False, True),
        ({"quantization_bits": 4}, True, False),
    ):
        made = trainer._with(changed)
        assert made.choices == trained.choices | changed
        assert made.module is not trained.module
        assert torch.equal(made.sizes.scales, known.scales) is scales
        assert torch.equal(made.sizes.steps, known.steps) is steps
        assert torch.equal(made.written, trained.written) is steps


def test_choices_of_a_front(trained):
    assert EnergyOptimizedTraining(trained)._choices() == [
        {},
        *({"adc_bits": bits} for bits in (5, 4, 3, 2)),
    ]
    x = torch.rand(16, 4)
    lossless = ChipModel(nn.Linear(4, 2), MTJConfig(), x, adc_bits=None)
    assert EnergyOptimizedTraining(lossless)._choices()[1] == {"adc_bits": 8}
    sense = ChipModel(nn.Linear(4, 2), MTJConfig(), x, adc_bits=1)
    assert EnergyOptimizedTraining(sense)._choices() == [{}]


def point(energy, accuracy):
    return ParetoPoint(energy, 0.0, accuracy, accuracy, 0.0, {}, None)


def test_points_of_a_front():
    points = [point(3, 0.8), point(1, 0.5), point(2, 0.5), point(4, 0.9), point(5, 0.7)]
    points += [point(1, 0.4), point(4, 0.9)]
    front = ParetoFront.of(points)
    assert [(p.energy_j, p.accuracy) for p in front.points] == [(1, 0.5), (3, 0.8), (4, 0.9)]
    assert [p.energy_j for p in front.dominated] == [1, 2, 4, 5]
    assert front.as_dict()["points"][0] == {
        "energy_j": 1,
        "read_j": 0.0,
        "accuracy": 0.5,
        "worst": 0.5,
        "weight": 0.0,
        "choices": {},
    }


def test_a_network_of_the_zoo(trained):
    net = SpintronicNet(
        trained.module, (64,), config=trained.config, choices=trained.choices, arguments={}
    )
    net.chips = trained
    assert EnergyOptimizedTraining(net).model is trained


def test_refusals(trained):
    with pytest.raises(
        ParameterError,
        match=r"^EnergyOptimizedTraining: model must be a ChipModel, or a network of "
        r"spintron_nn\.models after prepare\(calibration\), not a Linear$",
    ):
        EnergyOptimizedTraining(nn.Linear(2, 2))
    with pytest.raises(
        ParameterError,
        match=r"^EnergyOptimizedTraining: energy_weight must be a number at least 0, not -1$",
    ):
        EnergyOptimizedTraining(trained, energy_weight=-1)
    with pytest.raises(
        ParameterError,
        match=r"^EnergyOptimizedTraining: weights must be a number in 0\.\.1, not 2$",
    ):
        EnergyOptimizedTraining(trained).front(None, None, weights=(2,))
    known = (
        r"seed, batch_size, loss, optimiser, schedule, clip, metrics, patience, monitor, "
        r"precision, device, distributed, checkpoint, checkpoint_every, generators, facts, progress"
    )
    with pytest.raises(
        ParameterError,
        match=rf"^training: train takes, beside its own arguments, {known}, not momentum$",
    ):
        EnergyOptimizedTraining(trained).train(DATA, momentum=0.9)
    with pytest.raises(ParameterError, match=r", not learning_rate$"):
        EnergyOptimizedTraining(trained).front(DATA, DATA, learning_rate=1)
