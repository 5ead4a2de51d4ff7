"""Tests of spintron_nn.training.chip_model."""

import copy

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from spintron_nn.core.mtj_models import MTJConfig
from spintron_nn.training import Fit, forward_pass
from spintron_nn.training.chip_model import ChipModel
from spintron_nn.training.networks import lenet, mlp, separable

EXACT = {"resistance_variation": 0.0}
UNEVEN = (0.0, 0.2, 0.7, 1.0)


def images(count=48, seed=0):
    return torch.rand((count, 28, 28), generator=torch.Generator().manual_seed(seed))


class Branches(nn.Module):
    """A residual sum, a join of channels, a table, a mean, odd padding and a dropout."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(1)
            self.first, self.norm = nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.BatchNorm2d(4)
            self.inner, self.last = nn.Conv2d(4, 4, 3), nn.Conv2d(8, 6, 3, stride=2)
            self.drop, self.scores = nn.Dropout2d(0.2), nn.Linear(6, 5)

    def forward(self, x):
        x = torch.relu(self.norm(self.first(x.unsqueeze(1))))
        y = torch.relu(self.inner(functional.pad(x, (0, 2, 1, 1)))) + x
        y = torch.cat([self.drop(y), functional.silu(x)], 1)
        return self.scores(functional.hardswish(self.last(y)).mean((2, 3)))


class Line(nn.Module):
    """Convolutions of one axis, a matrix at every place, a product, a pool with a pad."""

    def __init__(self):
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(2)
            self.conv, self.norm = nn.Conv1d(28, 6, 3, padding=1, bias=False), nn.BatchNorm1d(6)
            self.deep, self.gate = nn.Conv1d(6, 6, 5, groups=3), nn.Linear(6, 6)
            self.scores = nn.Linear(36, 4)

    def forward(self, x):
        x = torch.relu(self.norm(self.conv(x)))
        x = functional.max_pool1d(torch.relu(self.deep(x)), 4, 4, 1).transpose(1, 2)
        x = x * torch.sigmoid(self.gate(x))
        return self.scores(x[:, :6].flatten(1))


NETS = {
    "mlp": lambda: mlp((784, 20, 12, 10)),
    "lenet": lambda: lenet((3, 4, 16, 12, 10)),
    "separable": lambda: separable((4, 6, 8, 10)),
    "branches": lambda: Branches().eval(),
    "line": Line,
}
TECHNOLOGIES = {
    "binary slices": ({"levels": 2}, 2),
    "four levels": ({"levels": 4}, 2),
    "uneven levels": ({"levels": 4, "level_fractions": UNEVEN}, 2),
    "uneven slices": ({"levels": 4, "level_fractions": UNEVEN}, 4),
}


def made(net="mlp", technology=None, **choices):
    config = {"levels": 4} | (technology or {})
    return ChipModel(NETS[net](), MTJConfig(**config), images(), **choices)


def random(seed=0):
    return torch.Generator().manual_seed(seed)


def without_dropout(model):
    model.trial.dropped.clear()
    return model


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_a_pass_on_nominal_devices_is_the_network(net, technology):
    """Codes, statistics and lines of a batch are those of a conversion on the same data."""
    config, bits = TECHNOLOGIES[technology]
    model = without_dropout(made(net, config | EXACT, adc_bits=None, quantization_bits=bits))
    found = model.on_chips(images(), 1, random())[0].detach().double().numpy()
    wanted = model.convert(ideal=True).run(images())
    spread = wanted.std(axis=0).max()
    close = np.abs(found - wanted) < 0.02 * spread  # a rounding may fall otherwise in float32
    assert close.mean() > 0.95


@pytest.mark.parametrize("net", ["mlp", "separable"])
def test_reads_of_nominal_devices_are_those_of_the_network(net):
    model = without_dropout(made(net, EXACT, adc_bits=6, crossbar_size=64))
    found = model.on_chips(images(), 1, random())[0].detach().double().numpy()
    wanted = model.convert().run(images())
    coarse = model.convert(ideal=True).run(images())
    error = np.square(found - wanted).mean()
    assert error < 0.25 * np.square(coarse - wanted).mean()


@pytest.mark.parametrize("net", NETS)
def test_evaluation_is_the_network_exactly(net):
    model = made(net, {"read_noise": 0.1}, adc_bits=6).eval()
    x = images(20, 1)
    for place in ({"ideal": True}, {"chip_seed": 3, "wafer": 1}):
        wanted = model.place(**place)
        found = model(x)
        assert found.dtype == torch.float64
        np.testing.assert_array_equal(found.numpy(), wanted.run(x))
        np.testing.assert_array_equal(found.numpy(), model.convert(**place).run(x))


@pytest.mark.parametrize("technology", TECHNOLOGIES)
def test_evaluation_is_the_network_on_all_levels(technology):
    config, bits = TECHNOLOGIES[technology]
    model = made("mlp", config, quantization_bits=bits).eval()
    np.testing.assert_array_equal(
        model(images(9)).numpy(), model.convert(ideal=True).run(images(9))
    )
    chip = {"chip_seed": 2}
    assert model.place(**chip).chip.seed == 2
    np.testing.assert_array_equal(model(images(9)).numpy(), model.convert(**chip).run(images(9)))


def test_a_placed_model_follows_its_parameters():
    model = made("mlp", adc_bits=None).eval()
    before = model(images(8))
    with torch.no_grad():
        model.module.fc3.weight.mul_(-1)
    after = model(images(8))
    assert not torch.equal(before, after)
    np.testing.assert_array_equal(after.numpy(), model.convert(ideal=True).run(images(8)))
    model.train()(images(8))
    assert model._placed is None


@pytest.mark.parametrize("net", NETS)
@pytest.mark.parametrize("adc_bits", [None, 6])
def test_gradients_reach_everything_on_every_chip(net, adc_bits):
    technology = {"read_noise": 0.05} if adc_bits else {}
    model = made(net, technology, adc_bits=adc_bits, learn_ranges=adc_bits is not None)
    found = model.on_chips(images(16), 3, random())
    assert found.shape == (3, 16, *found.shape[2:])
    assert not torch.equal(found[0], found[1])
    functional.cross_entropy(found.flatten(0, 1), torch.arange(48) % 4).backward()
    still = [
        name
        for name, part in model.named_parameters()
        if name != "sizes.ranges" and (part.grad is None or not part.grad.isfinite().all())
    ]
    assert not still
    assert (model.sizes.steps.grad != 0).all()


def test_chips_of_one_call_are_those_of_the_same_devices():
    """With all devices alike each chip gives what one alone does."""
    model = made("lenet", EXACT, adc_bits=7)
    x = images(16)
    one, three = model.on_chips(x, 1, random()), model.on_chips(x, 3, random())
    torch.testing.assert_close(three, one.expand(3, *one.shape[1:]), rtol=1e-3, atol=1e-3)


def test_statistics_move_as_those_of_torch_by_the_mean_over_chips(monkeypatch):
    model = made("mlp", adc_bits=None)
    norm, mean = model.module.norm1, torch.zeros(20)
    model.on_chips(images(), 3, random(4), observe=None)
    three = norm.running_mean.clone(), norm.running_var.clone()
    assert int(norm.num_batches_tracked) == 1
    first = {}

    def normalised(module, tensors, norm, x):
        first.setdefault("x", x.detach())
        return real(module, tensors, norm, x)

    real = forward_pass.normalised
    monkeypatch.setattr(forward_pass, "normalised", normalised)
    model.on_chips(images(), 3, random(4))
    wanted = torch.stack([_statistics(chip) for chip in first["x"]]).mean(dim=0)
    torch.testing.assert_close(three[0], mean + 0.1 * wanted[0])
    torch.testing.assert_close(three[1], 0.9 + 0.1 * wanted[1])


def _statistics(x):
    """Running mean and variance of torch after one batch, undone of their momentum."""
    norm = nn.BatchNorm1d(x.shape[1], momentum=1.0).train()
    norm(x)
    return torch.stack([norm.running_mean, norm.running_var])


def test_observers_see_codes_and_states():
    model = made("separable", EXACT, adc_bits=None)
    seen = {}

    def observe(name, crossbar, codes, states):
        seen[name] = crossbar, codes, states

    model.on_chips(images(5), 1, random(), observe=observe)
    network = model.convert(ideal=True).network
    layers = {node.name: node.layer for node in network.nodes}
    assert list(seen) == list(model.trial.crossbars)
    for name, (crossbar, codes, states) in seen.items():
        layer, kind = layers[name], crossbar.kind
        assert codes.shape == (5 * (layer.positions or 1), layer.inputs)
        assert states.shape == (layer.cols, layer.rows)
        assert (codes == codes.round()).all() and (states == states.round()).all()
        assert kind.low <= codes.min() and codes.max() <= kind.high
        assert codes.requires_grad == (name != "conv1") and states.requires_grad


def test_dropout_keeps_its_place_and_its_mean():
    model = made("branches", EXACT, adc_bits=None)
    ((place, dropped),) = model.trial.dropped.items()
    assert (place[1], dropped.share, dropped.channels) == (0, 0.2, True)
    assert place[0].startswith("cat")
    plain = ChipModel(mlp((784, 8, 10), dropout=0.5), MTJConfig(**EXACT), images(), adc_bits=None)
    with torch.no_grad():
        runs = torch.stack([plain.on_chips(images(), 1, random(seed))[0] for seed in range(20)])
        assert runs.std(dim=0).mean() > 0.05
        mean = without_dropout(plain).on_chips(images(), 1, random())[0]
    assert torch.corrcoef(torch.stack([runs.mean(0).flatten(), mean.flatten()]))[0, 1] > 0.8


def _no_eps(module):
    """What is added to variances does not scale with them."""
    module.norm1.eps = 1e-12
    return module


def test_a_folded_normalisation_has_the_same_states():
    """A step of the weights for each channel: the factor of the normalisation is part of it."""
    factor, config = torch.tensor([0.25, 4.0] * 10), MTJConfig(levels=4, **EXACT)
    plain, folded = (
        ChipModel(_no_eps(NETS["mlp"]()), config, images(), adc_bits=None) for _ in range(2)
    )
    with torch.no_grad():
        folded.module.fc1.weight.mul_(factor[:, None])
        folded.module.fc1.bias.mul_(factor)
        folded.sizes.steps[:20] += factor.log()
    one, other = (model.convert(ideal=True).network for model in (plain, folded))
    for first, second in zip(one.nodes, other.nodes, strict=True):
        if first.layer.kind == "dense":
            np.testing.assert_array_equal(first.layer.codes, second.layer.codes)
            if first.layer.requantise is not None:
                edges = [layer.requantise.thresholds for layer in (first.layer, second.layer)]
                assert np.abs(edges[0] - edges[1]).max() <= 1
    found = plain.on_chips(images(), 1, random()), folded.on_chips(images(), 1, random())
    assert torch.isclose(*found, rtol=1e-2, atol=1e-2).float().mean() > 0.95


def test_updates_are_shares_of_the_range_since_the_last_write():
    model = made("mlp", adc_bits=None)
    assert all(not update.any() for update in model.get_weight_updates())
    with torch.no_grad():
        model.module.fc2.weight.mul_(-1)
    first, second, _ = model.get_weight_updates()
    assert not first.any() and second.abs().max() <= 1 and second.abs().max() > 0.6
    second.abs().mean().backward()
    assert model.module.fc2.weight.grad.any()
    model.program()
    assert all(not update.any() for update in model.get_weight_updates())


def test_ranges_are_calibrated_again():
    model = made("mlp", adc_bits=6)
    start = model.sizes.ranges.clone()
    with torch.no_grad():
        model.passes.fill_(99)
        model.sizes.ranges.add_(3.0)
        model.on_chips(images(8), 1, random())
        assert torch.equal(model.sizes.ranges, start + 3.0)
        model.on_chips(images(8), 1, random())
    assert not torch.equal(model.sizes.ranges, start + 3.0)
    assert (model.sizes.ranges - start).abs().max() < 1.0


def test_learned_ranges_are_those_that_converters_have():
    model = made("mlp", adc_bits=6, learn_ranges=True)
    with torch.no_grad():
        model.sizes.ranges.add_(0.3)
    steps = model.trained().adc_steps
    assert set(steps) == {"fc1", "fc2", "fc3"}
    layers = {layer.name: layer for layer in model.convert().report.layers}
    assert {name: layers[name].adc_step for name in steps} == dict(steps)


@pytest.mark.parametrize("adc_bits", [None, 6])
def test_resumed_equals_uninterrupted(tmp_path, adc_bits):
    data = images(96), torch.arange(96) % 10

    def run(checkpoint, stop=None):
        model = made("mlp", {"read_noise": 0.05}, adc_bits=adc_bits, learn_ranges=True)

        def progress(state):
            if state.epoch == stop:
                raise KeyboardInterrupt

        fit = Fit(epochs=3, batch_size=32, learning_rate=1e-2, checkpoint=checkpoint,
                  progress=progress)  # fmt: skip
        fit.run(model.train(), data, forward=lambda x, draws: model.on_chips(x, 1, draws)[0])
        return model.state_dict()

    file = tmp_path / "run.safetensors"
    with pytest.raises(KeyboardInterrupt):
        run(file, 2)
    resumed, whole = run(file), run(None)
    assert all(torch.equal(value, whole[key]) for key, value in resumed.items())
    assert int(whole["passes"]) == 9


def test_a_state_gives_the_same_model_again():
    model, other = made("lenet", adc_bits=None), made("lenet", adc_bits=None)
    with torch.no_grad():
        for part in model.parameters():
            part.mul_(1.1)
    other.load_state_dict(model.state_dict())
    np.testing.assert_array_equal(model.eval()(images(5)), other.eval()(images(5)))
    kept = copy.deepcopy(model)
    np.testing.assert_array_equal(kept(images(5)), model(images(5)))


def test_the_global_generator_draws_in_training_mode():
    model = made("mlp", adc_bits=None).train()
    torch.manual_seed(3)
    first = model(images(8))
    torch.manual_seed(3)
    assert first.shape == (8, 10) and torch.equal(first, model(images(8)))
    model.samples = 2
    assert model(images(8)).shape == (2, 8, 10)


@pytest.mark.parametrize("net", ["mlp", "lenet"])
def test_a_pass_is_float32_in_mixed_precision(net):
    model, other = (made(net, adc_bits=None) for _ in range(2))
    with torch.autocast("cpu", torch.bfloat16):
        found = model.on_chips(images(8), 2, random())
    found.sum().backward()
    wanted = other.on_chips(images(8), 2, random())
    wanted.sum().backward()
    assert found.dtype == torch.float32 and torch.equal(found, wanted)
    assert torch.equal(model.sizes.steps.grad, other.sizes.steps.grad)


def test_what_a_pass_does_not_use_is_no_parameter():
    """Processes that share a batch wait for the gradient of every parameter."""
    x = torch.rand((32, 6), generator=random())
    model = ChipModel(nn.Linear(6, 2), MTJConfig(), x, adc_bits=None, learn_ranges=True)
    assert {name for name, _ in model.named_parameters()} == {
        "module.weight", "module.bias", "sizes.steps"
    }  # fmt: skip
    model.on_chips(x, 1, random()).sum().backward()
    assert all(part.grad is not None for part in model.parameters())
