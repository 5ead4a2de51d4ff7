"""A training step on fresh chips beside an ordinary one, and beside aihwkit's torch tile."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from benchmarks.rows import Row
from spintron_nn.converter.levels import weight_values
from spintron_nn.converter.quantise import quantise_weights
from spintron_nn.core import MTJConfig
from spintron_nn.training.chip_model import ChipModel
from spintron_nn.training.devices import DeviceSampler
from spintron_nn.training.held import Held
from spintron_nn.training.networks import mlp
from spintron_nn.training.product import Result, held_product, product
from spintron_nn.training.quantisers import LevelSet

__all__ = ["rows"]

WIDTHS, BATCH, SPREAD = (784, 256, 128, 10), 64, 0.1
ROUNDS, QUICK_ROUNDS, TURN = 30, 1, 10

TECHNOLOGY = MTJConfig(levels=4, resistance_variation=SPREAD)
"""Two bits a pair; each device has a log-normal factor of 10 %."""

PAIR = (
    SPREAD
    * (TECHNOLOGY.conductance_p**2 + TECHNOLOGY.conductance_ap**2) ** 0.5
    / (TECHNOLOGY.conductance_p - TECHNOLOGY.conductance_ap)
)
"""Deviation of a pair that holds the largest weight, over that weight."""

TILE, INPUT_BITS, ADC_BITS = 128, 4, 8

Step = Callable[[], None]


def step_of(forward: Callable[[Tensor], Tensor], optimiser: torch.optim.Optimizer) -> Step:
    """Forward, backward and update on one batch, always the same."""
    random = torch.Generator().manual_seed(0)
    x = torch.rand((BATCH, WIDTHS[0]), generator=random)
    y = torch.randint(0, WIDTHS[-1], (BATCH,), generator=random)

    def step() -> None:
        optimiser.zero_grad()
        functional.cross_entropy(forward(x), y).backward()
        optimiser.step()

    return step


def ordinary() -> Step:
    """A step of the plain network."""
    model = mlp(WIDTHS).train()
    return step_of(model, torch.optim.Adam(model.parameters(), fused=True))


def on_chips(**choices: Any) -> Step:
    """A step of the same network, on the devices of another chip each time."""
    random = torch.Generator().manual_seed(0)
    calibration = torch.rand((256, WIDTHS[0]), generator=random)
    model = ChipModel(mlp(WIDTHS), TECHNOLOGY, calibration, crossbar_size=TILE, **choices).train()
    return step_of(
        lambda x: model.on_chips(x, 1, random)[0],
        torch.optim.Adam(model.parameters(), fused=True),
    )


class Drawn(nn.Module):
    """The same network with weights on pairs of devices, of another chip each time.

    Steps of the weights stay as they are found at the start; activations are those of the plain
    network, and nothing is read, fitted or learned beside it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.network = mlp(WIDTHS)
        self.levels = LevelSet(weight_values(TECHNOLOGY, TECHNOLOGY.level_bits))
        self.sampler = DeviceSampler(TECHNOLOGY, tile=TILE)
        self.random = torch.Generator().manual_seed(0)
        self.matrices = {
            name: layer
            for name, layer in self.network.named_children()
            if isinstance(layer, nn.Linear)
        }
        self.steps = {
            name: torch.from_numpy(
                quantise_weights(
                    layer.weight.detach().numpy(), self.levels.exact, per_channel=True
                )[1]
            ).float()
            for name, layer in self.matrices.items()
        }

    def forward(self, x: Tensor) -> Tensor:
        """Scores of a batch."""
        with torch.no_grad():
            weights = [layer.weight for layer in self.matrices.values()]
            sizes = [weight.numel() for weight in weights]
            states = torch.empty(sum(sizes), dtype=torch.int8)
            parts = [
                part.view(weight.shape)
                for part, weight in zip(states.split(sizes), weights, strict=True)
            ]
            for weight, step, part in zip(weights, self.steps.values(), parts, strict=True):
                self.levels.put_(weight, step, part)
            dies = self.sampler.dies(1, self.random)
            codes, unit = self.sampler.codes(states[None, None], dies, self.random)
            held = [
                Held(part, code, code, unit[0])
                for part, code in zip(parts, codes[0].split(sizes, -1), strict=True)
            ]
        on_chip = dict(zip(self.matrices, held, strict=True))
        for name, layer in self.network.named_children():
            x = self.product(x, name, on_chip[name]) if name in on_chip else layer(x)
        return x

    def product(self, x: Tensor, name: str, held: Held) -> Tensor:
        """Product of vectors and a matrix."""
        layer, step, x = self.matrices[name], self.steps[name], x.unsqueeze(0)
        with torch.no_grad():
            size = step * held.unit
            exact = product(x, held.matrix, size)
        result = Result(exact, exact, None, size)
        found = held_product(x, layer.weight, step, layer.bias, self.levels, held, result)
        return found.squeeze(0)


def on_pairs() -> Step:
    """A step of the network whose weights alone are on chips."""
    model = Drawn().train()
    return step_of(model, torch.optim.Adam(model.parameters(), fused=True))


class DevicePair(nn.Module):
    """A matrix as two analog ones, of the positive and of the negative devices."""

    def __init__(self, inputs: int, outputs: int, config: Any) -> None:
        from aihwkit.nn import AnalogLinear

        super().__init__()
        self.positive = AnalogLinear(inputs, outputs, rpu_config=config)
        self.negative = AnalogLinear(inputs, outputs, bias=False, rpu_config=config)

    def forward(self, x: Tensor) -> Tensor:
        """Currents of the positive devices less those of the negative ones."""
        found: Tensor = self.positive(x) - self.negative(x)
        return found


def tile_config(*, converters: bool, pair: bool) -> Any:
    """Noise on weights in every forward pass, with ideal reads or with converters."""
    from aihwkit.simulator.configs import TorchInferenceRPUConfig
    from aihwkit.simulator.parameters.enums import WeightModifierType

    config = TorchInferenceRPUConfig()
    kind = WeightModifierType.MULT_NORMAL if pair else WeightModifierType.ADD_NORMAL
    config.modifier.type, config.modifier.std_dev = kind, SPREAD if pair else PAIR
    config.mapping.max_input_size = config.mapping.max_output_size = TILE if converters else 1024
    config.forward.is_perfect = not converters
    config.forward.inp_res = 1 / ((1 << INPUT_BITS) - 2)
    config.forward.out_res = 1 / ((1 << ADC_BITS) - 2)
    config.forward.out_noise = 0.0
    return config


def on_tiles(*, converters: bool, pair: bool) -> Step:
    """A step of the same network of aihwkit's torch tiles."""
    from aihwkit.nn.conversion import convert_to_analog
    from aihwkit.optim import AnalogAdam

    config = tile_config(converters=converters, pair=pair)
    if pair:
        model = mlp(WIDTHS)
        for index, (inputs, outputs) in enumerate(zip(WIDTHS, WIDTHS[1:]), 1):
            setattr(model, f"fc{index}", DevicePair(inputs, outputs, config))
    else:
        model = convert_to_analog(mlp(WIDTHS), config)
    model.train()
    return step_of(model, AnalogAdam(model.parameters(), fused=True))


def medians(
    steps: Mapping[str, Step], rounds: int, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Median time of each step in each round: all take turns of ten in it."""
    found: dict[str, list[float]] = {name: [] for name in steps}
    for _ in range(rounds):
        for name, step in steps.items():
            step()  # what the others pushed out of the caches comes back
            taken = []
            for _ in range(TURN):
                start = clock()
                step()
                taken.append(clock() - start)
            found[name].append(statistics.median(taken))
    return found


def ratio(taken: Sequence[float], others: Sequence[float]) -> float:
    """How many times longer others took: the median of rounds, for a slow one is slow for both."""
    return statistics.median(other / own for own, other in zip(taken, others, strict=True))


def measured(threads: int, rounds: int) -> Iterator[Row]:
    """Rows with so many threads."""
    torch.set_num_threads(threads)
    steps = {
        "torch": ordinary(),
        "pairs": on_pairs(),
        "devices": on_chips(adc_bits=None),
        "reads": on_chips(adc_bits=ADC_BITS, dac_bits=INPUT_BITS),
    }
    there = find_spec("aihwkit") is not None
    if there:
        steps["pair"] = on_tiles(converters=False, pair=True)
        steps["tile"] = on_tiles(converters=False, pair=False)
        steps["tiles"] = on_tiles(converters=True, pair=False)
    # One thread's processor time is its time on an idle machine, whatever else runs.
    alone = threads == 1
    found = medians(steps, rounds, time.process_time if alone else time.perf_counter)
    peer = f"aihwkit {version('aihwkit')}, torch tile" if there else "aihwkit"

    def row(name: str, ours: str, theirs: str, demanded: float | None, note: str) -> Row:
        taken, others = found[ours], found.get(theirs)
        return Row(
            name=f"{name}, {threads} thread{'s' if threads > 1 else ''}",
            value=statistics.median(taken),
            unit="s of a processor" if alone else "s",
            peer="torch, the plain network" if theirs == "torch" else peer,
            peer_value=None if others is None else statistics.median(others),
            ratio=None if others is None else ratio(taken, others),
            demanded=demanded,
            note="aihwkit is not installed" if others is None else note,
        )

    title = "step of the MLP 784-256-128-10, batch 64"
    noise, whole = "10 % on both devices of a pair", "10 % devices, learned 2 and 4 bits"
    reads = "the same with 8-bit converters and tiles of 128"
    twice = "a ratio of 0.5 is twice the time; fused Adam on both sides"
    plain = "weights of 2 bits on fresh pairs, everything else as in the plain network"
    yield row(f"{title}, {noise}", "pairs", "torch", 0.5, f"{plain}; {twice}")
    more = "ChipModel: steps are learned, activations have 4 bits, the last layer's line is fitted"
    yield row(f"{title}, {whole}", "devices", "torch", None, more)
    yield row(f"{title}, {reads}", "reads", "torch", None, "ChipModel, inputs at once")
    yield row(
        f"{title}, {noise}",
        "pairs",
        "pair",
        2.0,
        "theirs: a tile for the positive and one for the negative devices, each with normal "
        "factors of 10 %; their weights have no levels",
    )
    yield row(
        f"{title}, {reads}",
        "reads",
        "tiles",
        2.0,
        f"theirs: one normal number a weight, {PAIR:.3f} of the largest; inputs of 4 bits, their "
        "weights have no levels and their scales are not learned",
    )
    yield row(
        f"{title}, noise of pairs in one number",
        "pairs",
        "tile",
        None,
        "theirs: one normal number a weight, of one deviation; ours as before: two devices, levels",
    )


def rows(quick: bool) -> Iterator[Row]:
    """Yield the rows; :py:`quick` tells whether it runs, not how fast."""
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            yield from measured(threads, QUICK_ROUNDS if quick else ROUNDS)
    finally:
        torch.set_num_threads(before)
