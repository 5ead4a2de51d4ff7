"""A hundred chips in batched products beside the same chips one after the other."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from benchmarks.rows import Row
from spintron_ir import MismatchError, Network
from spintron_nn import MTJConfig, SpintronConverter
from spintron_nn.converter.graph import Model
from spintron_nn.converter.loading import program_of
from spintron_nn.converter.pytorch_front import parse
from spintron_nn.datasets import digits
from spintron_nn.simulation import TorchNetwork
from spintron_nn.training.networks import mlp

__all__ = ["rows"]

CHIPS, QUICK_CHIPS = 100, 3
ROUNDS, QUICK_ROUNDS = 5, 1
DEMANDED = 10.0
FASHION_FRAMES = 300

BATCH = 64
"""Images that a test run gives at a time, as a training step does."""

TECHNOLOGY = MTJConfig(levels=4, resistance_variation=0.1)
"""Two bits a pair; each device has a log-normal factor of 10 %."""

NOISY = replace(TECHNOLOGY, read_noise=0.02)
"""The same with noise in every read."""

Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Case:
    """The chips of a network, and the codes of the images that they see."""

    name: str
    networks: Sequence[Network]
    codes: Codes
    seconds: float  # to sample and convert one of them


def case(
    name: str, widths: tuple[int, ...], data: NDArray[Any], chips: int, technology: MTJConfig
) -> Case:
    """A network on chips; parsed once, sampled and converted for each chip."""
    graph: Model = parse(program_of(mlp(widths).eval(), data[:2]))
    converter = SpintronConverter(technology)
    start = time.perf_counter()
    models = [
        converter.convert(graph, calibration=data[:100], adc_bits=6, chip_seed=seed, wafer=seed)
        for seed in range(chips)
    ]
    taken = (time.perf_counter() - start) / chips
    codes = models[0].quantise_input(data)
    return Case(name, [model.network for model in models], codes, taken)


def new(network: Network) -> Network:
    """The same network without what an earlier run prepared."""
    layers: list[Any] = [node.layer for node in network.nodes]
    pairs = zip(network.nodes, layers, strict=True)
    nodes = tuple(replace(node, layer=replace(layer)) for node, layer in pairs)
    return replace(network, nodes=nodes)


def timed(works: Sequence[Callable[[], Any]], rounds: int) -> list[float]:
    """Median seconds of each, taken in turn: what else the machine does meets all of them."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(rounds):
        for work, found in zip(works, taken, strict=True):
            work()  # what the other pushed out of the caches comes back
            start = time.perf_counter()
            work()
            found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in taken]


def check(networks: Sequence[Network], codes: Codes, device: str) -> TorchNetwork:
    """The chips in torch, once their integers are those of ``Network.run``."""
    made = TorchNetwork(networks).to(device)
    found = made(torch.from_numpy(codes).to(device))
    for chip, network in enumerate(networks):
        for name, values in network.run(codes).items():
            if not np.array_equal(found[name][chip].cpu().numpy(), values):
                raise MismatchError(f"chip {chip}: {name} is not that of Network.run")
    return made


def row(what: Case, name: str, ours: float, theirs: float, note: str, demanded: Any) -> Row:
    """Images a second over all chips, both ways."""
    count = len(what.networks) * len(what.codes)
    return Row(
        name=f"{len(what.networks)} chips of {what.name}, {len(what.codes)} images: {name}",
        value=count / ours,
        unit="images/s",
        peer="Network.run, chip after chip",
        peer_value=count / theirs,
        ratio=theirs / ours,
        demanded=demanded,
        note=note,
    )


def speeds(what: Case, threads: int, batch: int, rounds: int, demanded: Any) -> Iterator[Row]:
    """Networks that ran before, on the processor, so many images at a time."""
    starts = range(0, len(what.codes), batch)
    parts = [(what.codes[start : start + batch], start) for start in starts]
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        with threadpool_limits(threads):
            made = check(what.networks, what.codes, "cpu")

            def together() -> None:
                for codes, first in parts:
                    made(torch.from_numpy(codes), first)

            def one_by_one() -> None:
                for network in what.networks:
                    for codes, first in parts:
                        network.run(codes, first)

            ours, theirs = timed([together, one_by_one], rounds)
    finally:
        torch.set_num_threads(before)
    name = f"{'all' if len(parts) == 1 else batch} at a time, {threads} threads"
    yield row(what, name, ours, theirs, f"the same integers; {threads} threads for both", demanded)


def first_time(what: Case, rounds: int) -> Iterator[Row]:
    """Networks that never ran: what is prepared counts, for both."""
    taken: list[list[float]] = [[], []]
    with threadpool_limits(1):
        for _ in range(rounds):
            fresh = [[new(network) for network in what.networks] for _ in range(2)]
            start = time.perf_counter()
            TorchNetwork(fresh[0])(torch.from_numpy(what.codes))
            taken[0].append(time.perf_counter() - start)
            start = time.perf_counter()
            for network in fresh[1]:
                network.run(what.codes)
            taken[1].append(time.perf_counter() - start)
    ours, theirs = (statistics.median(each) for each in taken)
    note = f"preparation counts; to sample and convert a chip takes {what.seconds:.3f} s more"
    yield row(what, "for the first time", ours, theirs, note, None)


def on_a_gpu(what: Case, rounds: int) -> Iterator[Row]:
    """On a graphics processor, where there is one, codes and results there."""
    made, codes = check(what.networks, what.codes, "cuda"), torch.from_numpy(what.codes).cuda()

    def run() -> None:
        made(codes)
        torch.cuda.synchronize()

    def one_by_one() -> None:
        for network in what.networks:
            network.run(what.codes)

    ours, theirs = timed([run, one_by_one], rounds)
    yield row(what, torch.cuda.get_device_name(), ours, theirs, "the same integers", DEMANDED)


def rows(quick: bool) -> Iterator[Row]:
    """Digits and Fashion-MNIST's shape, on all threads of torch and on one.

    What is demanded, is demanded of the digits, in batches like those of a training step.
    """
    chips, rounds = (QUICK_CHIPS, QUICK_ROUNDS) if quick else (CHIPS, ROUNDS)
    random = np.random.default_rng(0).random((FASHION_FRAMES, 784), dtype=np.float32)
    threads = torch.get_num_threads()
    images, widths = digits().test_x.reshape(-1, 64), (64, 64, 32, 10)
    small = case("the MLP 64-64-32-10", widths, images, chips, TECHNOLOGY)
    noisy = case("the MLP 64-64-32-10 with read noise", widths, images, chips, NOISY)
    large = case("the MLP 784-128-10", (784, 128, 10), random, chips, TECHNOLOGY)
    for what in (small, noisy, large):
        for batch in (BATCH, len(what.codes)):
            for count in sorted({threads, 1}, reverse=True):
                asked = what is small and batch == BATCH
                yield from speeds(what, count, batch, rounds, DEMANDED if asked else None)
        yield from first_time(what, rounds)
        if torch.cuda.is_available():
            yield from on_a_gpu(what, rounds)
