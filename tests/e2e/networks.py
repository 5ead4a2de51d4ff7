"""Random small networks for tests that compare the stages of the flow."""

import numpy as np
from hypothesis import strategies as st

from spintron_ir import (
    Adc,
    Argmax,
    Dense,
    IntType,
    MulShift,
    Network,
    Node,
    Noise,
    Output,
    Port,
    Table,
    TFLite,
    Thresholds,
)

__all__ = ["inputs_of", "networks", "random_network"]


def random_dense(rng, rows, cols, type_, last):
    """One dense layer with every feature drawn at random."""
    scheme = rng.choice(["pair", "columns", "reference"])
    slices, cell_bits = int(rng.integers(1, 3)), int(rng.integers(1, 5))
    codes = rng.integers(0, 1 << cell_bits, (slices, 1 if scheme == "reference" else 2, rows, cols))
    tile_cols = int(rng.integers(1, cols + 1))
    reference = None
    if scheme == "reference":
        reference = rng.integers(0, 1 << cell_bits, (slices, rows, -(-cols // tile_cols)))
    tile_rows = int(rng.integers(2, rows + 3))
    full = (-(-rows // tile_rows), slices, 2 if scheme == "columns" else 1, cols)
    layer = {
        "codes": codes,
        "cell_bits": cell_bits,
        "scheme": str(scheme),
        "reference": reference,
        "tile_cols": tile_cols if scheme == "reference" else None,
        "input": type_,
        "dac_bits": int(rng.integers(1, type_.bits + 1)),
        "slice_shift": tuple(range(slices)),
        "tile_rows": tile_rows,
        "bias": rng.integers(-20, 21, cols),
        "adc": random_adc(rng, full),
        "noise": random_noise(rng, full),
    }
    total = Dense(**layer).ranges.total
    return Dense(**layer, requantise=None if last else random_requantiser(rng, cols, total))


def random_adc(rng, full):
    """No converter, a sense amplifier or an ADC, linear or not, with values for all or for each."""
    bits = int(rng.choice([0, 1, 3, 5]))
    if bits == 0:
        return None
    shape = full if rng.random() < 0.5 else (1, 1, 1, 1)
    signed = bool(rng.random() < 0.7)
    if rng.random() < 0.4:
        far = int(rng.choice([5, 30, 1 << 30]))
        levels = rng.integers(-far, far, (*shape, (1 << bits) - 1))
        return Adc(bits=bits, signed=signed, transitions=np.sort(levels, axis=-1))
    return Adc(
        bits=bits,
        signed=signed,
        shift=int(rng.integers(0, 4)),
        gain=rng.integers(1, 4, shape) if rng.random() < 0.5 else np.ones(shape, int),
        offset=rng.integers(-9, 10, shape),
    )


def random_noise(rng, full):
    """Read noise in every third layer."""
    if rng.random() < 0.67:
        return None
    shape = full if rng.random() < 0.5 else (1, 1, 1, 1)
    return Noise(seed=int(rng.integers(1 << 63)), amplitude=rng.integers(1, 200, shape))


def random_requantiser(rng, cols, total):
    """One of the requantisers, in the range of the accumulator."""
    type_ = IntType(int(rng.integers(1, 5)), bool(rng.random() < 0.4))
    kind = rng.integers(4)
    if kind == 0:
        count = int(rng.integers(1, type_.high - type_.low + 1))
        return Thresholds(
            thresholds=np.sort(rng.integers(total.low, total.high + 2, (cols, count)), axis=1),
            sign=rng.choice([-1, 1], cols),
            low=type_.low,
            type=type_,
        )
    if kind == 3:
        low, high = np.sort(rng.integers(type_.low, type_.high + 1, 2)).tolist()
        return TFLite(
            multiplier=rng.choice([-1, 1, 1], cols) * rng.integers(1 << 30, 1 << 31, cols),
            shift=rng.integers(-8, 3, cols),
            zero_point=int(rng.integers(-3, 4)),
            low=low,
            high=high,
            type=type_,
        )
    code = MulShift(
        multiplier=rng.integers(-5, 6, cols),
        shift=rng.integers(0, 6, cols),
        zero_point=int(rng.integers(-3, 4)),
        type=type_,
    )
    if kind == 1:
        return code
    table = rng.integers(type_.low, type_.high + 1, 1 << type_.bits)
    return Table(code=code, table=table, type=type_)


def random_network(seed):
    """A chain of one or two dense layers, sometimes with a second output or an argmax."""
    rng = np.random.default_rng(seed)
    rows = int(rng.integers(1, 14))
    type_ = IntType(int(rng.integers(1, 5)), bool(rng.random() < 0.4))
    port = Port(name="x", shape=(rows,), type=type_)
    nodes, source = [], "x"
    count = int(rng.integers(1, 3))
    for index in range(count):
        cols = int(rng.integers(1, 9))
        layer = random_dense(rng, rows, cols, type_, last=index == count - 1)
        nodes.append(Node(name=f"fc{index}", layer=layer, inputs=(source,)))
        rows, type_, source = cols, layer.type, f"fc{index}"
    outputs = [Output(name="y", node=source)]
    if rng.random() < 0.4:
        argmax = Argmax(input=type_, length=rows)
        nodes.append(Node(name="best", layer=argmax, inputs=(source,)))
        outputs.append(Output(name="best", node="best"))
    return Network(name="random", inputs=(port,), nodes=tuple(nodes), outputs=tuple(outputs))


def networks():
    """A strategy of random networks."""
    return st.integers(0, 1 << 32).map(random_network)


def inputs_of(network, frames, seed=0):
    """Random inputs of the whole range, with both ends among them."""
    port = network.inputs[0]
    rng = np.random.default_rng(seed)
    x = rng.integers(port.type.low, port.type.high + 1, (frames, *port.shape))
    x[0], x[-1] = port.type.low, port.type.high
    return x
