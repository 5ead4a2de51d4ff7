"""``python -m benchmarks.networks``: whole networks, from the trained model to Verilog, one core.

Limits stand where a peer would: sixty seconds for each step of a network that people have, a
hundred images a second from the golden model, and a time and a memory that grow like the weights.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from threadpoolctl import threadpool_limits
from torch import nn

from benchmarks.models import mobilenet_v2, resnet8
from benchmarks.rows import Row, main, seconds
from spintron_hw.build.verilog import design_of
from spintron_hw.mapping.map import map_network
from spintron_hw.mapping.target import GENERIC
from spintron_nn import MTJConfig, SpintronConverter
from spintron_nn.core.technology import technology

LIMIT = 60.0
"""Seconds that a step may take."""

RATE = 100.0
"""Images a second of the golden model."""

SLOPE = 1.1
"""Steepest growth, as a power of the number of weights, that counts as linear."""

SIZES = (10**4, 10**5, 10**6, 10**7)
FRAMES = 64
CARD = "sot-dw-high-ra"


def _frames(count: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(0).random((count, *shape), dtype=np.float32)


def _step(name: str, what: str, work: Callable[[], Any]) -> tuple[Row, Any]:
    start = time.perf_counter()
    made = work()
    taken = time.perf_counter() - start
    row = Row(
        name=f"{name}: {what}",
        value=taken,
        unit="s",
        peer="limit",
        peer_value=LIMIT,
        ratio=LIMIT / taken,
        demanded=1.0,
    )
    return row, made


def _network(name: str, model: nn.Module) -> Iterator[Row]:
    """Convert, map and write a network."""
    converter = SpintronConverter(technology(CARD).mtj_config())
    data = _frames(FRAMES, 3, 32, 32)
    with threadpool_limits(1):
        row, made = _step(
            name,
            "convert",
            lambda: converter.convert(model, calibration=data, quantization_bits=4, chip_seed=1),
        )
        yield row
        row, plan = _step(name, "map", lambda: map_network(made.network, GENERIC, body="folded"))
        yield row
        row, _ = _step(name, "elaborate to Verilog", lambda: design_of(plan, "spintron_top"))
        yield row


def _rates(model: nn.Module) -> Iterator[Row]:
    """Images a second of the golden model, on all cores."""
    data = _frames(FRAMES, 3, 32, 32)
    card = technology(CARD).mtj_config()
    for what, config, choices in (
        ("ideal chip, 4-bit weights", card, {"ideal": True, "quantization_bits": 4}),
        ("sampled chip, 2-bit weights, 8-bit converters", MTJConfig(), {"chip_seed": 1}),
        (f"the same, 4-bit weights, {CARD}", card, {"chip_seed": 1, "quantization_bits": 4}),
    ):
        made = SpintronConverter(config).convert(model, calibration=data, **choices)
        codes = made.quantise_input(data)
        taken = seconds(lambda made=made, codes=codes: made.network.run(codes), repeats=3)
        yield Row(
            name=f"ResNet-8, golden model: {what}",
            value=FRAMES / taken,
            unit="images/s",
            peer="limit",
            peer_value=RATE,
            ratio=FRAMES / taken / RATE,
            demanded=1.0,
            note=f"{FRAMES} images a batch, 4-bit activations, 128-row tiles",
        )


def _mlp(weights: int) -> nn.Module:
    width = round((weights / 3) ** 0.5)
    layers: list[nn.Module] = [nn.Flatten()]
    for _ in range(3):
        layers += [nn.Linear(width, width), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def _peak() -> float:
    """Most memory that this process has held, in mebibytes; what getrusage says is inherited."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _conversion(weights: int) -> tuple[float, float]:
    """Seconds and mebibytes of a conversion, in a process of its own."""
    torch.set_num_threads(1)
    model, converter = _mlp(weights), SpintronConverter(technology(CARD).mtj_config())
    data = _frames(32, model[1].in_features)
    converter.convert(_mlp(1000), calibration=_frames(32, _mlp(1000)[1].in_features))  # loads all
    before = _peak()
    with threadpool_limits(1):
        start = time.perf_counter()
        converter.convert(model, calibration=data, chip_seed=1)
        taken = time.perf_counter() - start
    return taken, _peak() - before


def _growth(sizes: tuple[int, ...]) -> Iterator[Row]:
    """Time and memory of a conversion over the number of weights."""
    context = multiprocessing.get_context("spawn")
    found = []
    for weights in sizes:
        with context.Pool(1) as pool:
            found.append(pool.apply(_conversion, (weights,)))
        yield Row(
            name=f"convert {weights:.0e} weights",
            value=found[-1][0],
            unit="s",
            peer="",
            note=f"{found[-1][1]:.0f} MiB more than before",
        )
    for index, what in enumerate(("time", "memory")):
        # From the second size on: below it, what does not depend on the weights counts most.
        ends = found[1][index], found[-1][index]
        slope = np.log(ends[1] / max(ends[0], 1e-3)) / np.log(sizes[-1] / sizes[1])
        yield Row(
            name=f"growth of {what} with weights",
            value=float(slope),
            unit="power",
            peer="linear",
            peer_value=SLOPE,
            ratio=SLOPE / float(slope),
            demanded=1.0,
            note=f"power of the weights, from {sizes[1]:.0e} to {sizes[-1]:.0e}",
        )


def rows(quick: bool) -> Iterator[Row]:
    """All rows: networks, then growth."""
    yield from _network("ResNet-8", resnet8())
    yield from _rates(resnet8())
    if not quick:
        yield from _network("MobileNetV2", mobilenet_v2())
    yield from _growth(SIZES[:3] if quick else SIZES)


if __name__ == "__main__":
    main("Networks that people have", rows)
