"""Tests of spintron_ir.layers.join."""

import math
import re

import numpy as np
import pytest

from spintron_ir import (
    Interval,
    IntType,
    Join,
    MulShift,
    Network,
    NetworkError,
    Node,
    Output,
    ParameterError,
    Port,
    Table,
    TFLite,
    Thresholds,
)

U2, S3 = IntType(2), IntType(3, signed=True)
GOOD = {"inputs": (U2, S3), "in_shape": (2, 2), "mode": "sum"}


def mulshift(channels, multiplier=1):
    return MulShift(multiplier=[multiplier] * channels, shift=[0] * channels, zero_point=0, type=U2)


def test_values_themselves():
    add = Join(**GOOD)
    a, b = [[[3, 0], [1, 2]]], [[[-4, 3], [0, -1]]]
    assert add.run(a, b).tolist() == [[[-1, 3], [1, 1]]]
    assert (add.total, add.type) == (Interval(-4, 6), IntType(4, signed=True))
    assert (add.shape, add.in_ports) == ((2, 2), (((2, 2), U2), ((2, 2), S3)))
    product = Join(**GOOD | {"mode": "product"})
    assert product.run(a, b).tolist() == [[[-12, 0], [0, -2]]]
    assert (product.total, product.type) == (Interval(-12, 9), IntType(5, signed=True))
    assert add.run(np.zeros((0, 2, 2), int), np.zeros((0, 2, 2), int)).shape == (0, 2, 2)


def test_tables_of_channels():
    """The second channel takes twice the code plus one; -4..3 stand from entry 0 on."""
    tables = [[[0, 1, 2, 3, 9, 9, 9, 9], [1, 3, 5, 7, -9, -9, -9, -9]], [[0] * 8, range(8)]]
    layer = Join(**GOOD, tables=tables)
    a, b = [[[3, 0], [1, 2]]], [[[-4, -4], [2, 3]]]
    assert layer.run(a, b).tolist() == [[[3, 1], [1, 12]]]
    assert layer.total == Interval(0, 14)  # entries past the last code count for nothing
    assert layer.type == IntType(4)
    product = Join(**GOOD | {"mode": "product"}, tables=tables)
    assert product.run(a, b).tolist() == [[[0, 0], [0, 35]]]
    assert product.total == Interval(0, 49)


def test_one_input_is_a_function():
    """Squares of a signed code: no thresholds could give them."""
    layer = Join(inputs=(S3,), in_shape=(3,), mode="sum", tables=[[[16, 9, 4, 1, 0, 1, 4, 9]]])
    assert layer.run([[-4, 0, 3]]).tolist() == [[16, 0, 9]]
    assert layer.type == IntType(5)


def reference(layer, inputs):
    """The formula on plain integers, value by value."""
    out = []
    for n, values in enumerate(zip(*(x.ravel().tolist() for x in inputs))):
        channel, place = n % layer.in_shape[-1], n % math.prod(layer.in_shape)
        if layer.tables is not None:
            rows = [rows[channel if len(rows) > 1 else 0] for rows in layer.tables.tolist()]
            values = [row[v - t.low] for row, v, t in zip(rows, values, layer.inputs)]
        total = sum(values) if layer.mode == "sum" else math.prod(values)
        rq = layer.requantise
        if rq is not None:
            cols = {1: 0, layer.in_shape[-1]: channel}.get(rq.cols, place)
            acc = np.zeros((1, rq.cols), dtype=np.int64)
            acc[0, cols] = total
            total = int(rq.run(acc)[0, cols])
        out.append(total)
    return np.array(out).reshape(inputs[0].shape)


def requantiser(rng, kind, cols):
    if kind == "none":
        return None
    if kind == "thresholds":
        steps = np.sort(rng.integers(-40, 40, (cols, 3)))
        return Thresholds(thresholds=steps, sign=rng.choice([-1, 1], cols), low=0, type=U2)
    fields = {"multiplier": rng.integers(-99, 99, cols), "shift": rng.integers(0, 9, cols)}
    if kind == "tflite":
        fields["multiplier"] = rng.integers(-(1 << 31), 1 << 31, cols)
        return TFLite(**fields, zero_point=1, low=-3, high=2, type=S3)
    code = MulShift(**fields, zero_point=-1, type=S3)
    return (
        code if kind == "mulshift" else Table(code=code, table=rng.permutation(8), type=IntType(3))
    )


@pytest.mark.parametrize("kind", ["none", "mulshift", "thresholds", "table", "tflite"])
@pytest.mark.parametrize("seed", range(8))
def test_is_the_formula(kind, seed):
    rng = np.random.default_rng(seed)
    shape = tuple(rng.integers(2, 4, rng.integers(1, 4)).tolist())
    mode = "product" if seed % 2 else "sum"
    count = 2 if seed % 2 else int(rng.integers(1, 5))
    types = [IntType(int(rng.integers(1, 5)), bool(rng.integers(2))) for _ in range(count)]
    tables = None
    if rng.random() < 0.7:
        widest = 1 << max(type_.bits for type_ in types)
        tables = rng.integers(-20, 20, (count, rng.choice([1, shape[-1]]), widest))
    cols = int(rng.choice([1, shape[-1], math.prod(shape)]))
    layer = Join(
        inputs=types, in_shape=shape, mode=mode, tables=tables,
        requantise=requantiser(rng, kind, cols),
    )  # fmt: skip
    inputs = [rng.integers(t.low, t.high + 1, (5, *shape)) for t in types]
    found = layer.run(*inputs)
    np.testing.assert_array_equal(found, reference(layer, inputs))
    assert layer.type.low <= found.min() and found.max() <= layer.type.high


@pytest.mark.parametrize("seed", range(20))
def test_some_inputs_reach_each_end_of_the_range(seed):
    rng = np.random.default_rng(seed)
    types = [IntType(int(rng.integers(1, 4)), bool(rng.integers(2))) for _ in range(2)]
    tables = None
    if seed % 3:
        widest = 1 << max(type_.bits for type_ in types)
        tables = rng.integers(-9, 9, (2, 2, widest)) + rng.integers(-20, 20)
    mode = "sum" if seed % 2 else "product"
    layer = Join(inputs=types, in_shape=(2,), mode=mode, tables=tables)
    codes = np.meshgrid(*(np.arange(t.low, t.high + 1) for t in types))
    found = layer.run(*(np.stack([code.ravel()] * 2, axis=1) for code in codes))
    assert layer.total == Interval(int(found.min()), int(found.max()))
    assert layer.type == layer.total.type


def test_file_comes_back(tmp_path):
    tables = [[[0, 1, 2, 3, 0, 0, 0, 0]], [range(8)]]
    layer = Join(**GOOD, tables=tables, requantise=mulshift(2))
    nodes = (Node(name="sum", layer=layer, inputs=("a", "b")),)
    net = Network(
        name="net",
        inputs=(Port(name="a", shape=(2, 2), type=U2), Port(name="b", shape=(2, 2), type=S3)),
        nodes=nodes,
        outputs=(Output(name="y", node="sum"),),
    )
    net.save(tmp_path / "net")
    loaded = Network.load(tmp_path / "net")
    assert loaded.to_bytes() == net.to_bytes()
    back = loaded.node("sum").layer
    assert (back.inputs, back.mode, back.tables.tolist()) == (
        layer.inputs, "sum", layer.tables.tolist(),
    )  # fmt: skip
    x = {"a": [[[3, 0], [1, 2]]], "b": [[[-4, -3], [2, 3]]]}
    assert loaded.run(x).tolist() == net.run(x).tolist() == [[[3, 1], [3, 3]]]
    hostile = net.to_bytes().replace(rb"\"bits\":3", rb"\"bits\":9")
    (tmp_path / "hostile").write_bytes(hostile)
    message = (
        "Join: tables must have the shape (2, 1, 512) or (2, 2, 512) (inputs, 1 or channels, "
        "entries), not (2, 1, 8)"
    )
    with pytest.raises(NetworkError, match=f"{re.escape(message)}$"):
        Network.load(tmp_path / "hostile")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"inputs": ()}, "number of inputs must be an integer in 1..64, not 0"),
        ({"inputs": (U2,) * 65}, "number of inputs must be an integer in 1..64, not 65"),
        ({"inputs": (U2, IntType(49))}, "inputs[1].bits must be an integer in 1..48, not 49"),
        (
            {"inputs": (U2, IntType(17)), "tables": [[[0]], [[0]]]},
            "inputs[1].bits must be an integer in 1..16, not 17",
        ),
        ({"inputs": (U2, 3)}, "inputs[1] must be IntType, not int"),
        ({"mode": "max"}, "mode must be one of 'sum', 'product', not 'max'"),
        (
            {"mode": "product", "inputs": (U2,) * 3},
            "a product must have two inputs, not 3: join in steps",
        ),
        ({"in_shape": ()}, "in_shape must be a tuple of 1 to 8 sizes, not ()"),
        ({"in_shape": (1 << 24, 2)}, "in_shape must hold at most 2**24 values, not 33554432"),
        (
            {"tables": np.zeros((2, 1, 4), int)},
            "tables must have the shape (2, 1, 8) or (2, 2, 8) (inputs, 1 or channels, entries), "
            "not (2, 1, 4)",
        ),
        (
            {"tables": np.zeros((1, 1, 8), int)},
            "tables must have the shape (2, 1, 8) or (2, 2, 8) (inputs, 1 or channels, entries), "
            "not (1, 1, 8)",
        ),
        (
            {"tables": [[0] * 8] * 2},
            "tables must be an array of 3 axes with at least one entry, not of shape (2, 8)",
        ),
        (
            {"requantise": mulshift(3)},
            "requantise must have one channel, one for each of the 2 channels of the last axis or "
            "one for each of the 4 values, not 3",
        ),
        (
            {"requantise": 3},
            "requantise must be MulShift, Thresholds, Table, TFLite or None, not int",
        ),
        (
            {"tables": np.full((2, 1, 8), 1 << 61)},
            f"every sum and what a requantiser makes of it must stay below 2**62, not reach "
            f"{1 << 62}: use a larger unit or smaller multipliers",
        ),
        (
            {"tables": np.full((2, 1, 8), -(1 << 63)), "mode": "product"},
            f"every product and what a requantiser makes of it must stay below 2**62, not reach "
            f"{1 << 126}: use a larger unit or smaller multipliers",
        ),
        (
            {"inputs": (IntType(40), U2), "requantise": mulshift(1, 1 << 30)},
            f"every sum and what a requantiser makes of it must stay below 2**62, not reach "
            f"{((1 << 40) + 2) << 30}: use a larger unit or smaller multipliers",
        ),
    ],
    ids=range(17),
)  # fmt: skip
def test_refuses(changed, message):
    with pytest.raises(ParameterError, match=f"^Join: {re.escape(message)}$"):
        Join(**GOOD | changed)


def test_refuses_what_tflite_leaves_undefined():
    lite = TFLite(multiplier=[1], shift=[29], zero_point=0, low=0, high=3, type=U2)
    message = (
        "TFLite: accumulators shifted left must stay below 2**31, where TFLite's own are defined, "
        "not reach 3221225472: split the layer, or use a smaller left shift"
    )
    with pytest.raises(ParameterError, match=f"^{re.escape(message)}$"):
        Join(**GOOD, requantise=lite)


def test_the_largest_sum():
    most = (1 << 61) - 1
    layer = Join(**GOOD, tables=np.full((2, 1, 8), most))
    assert layer.run(np.zeros((1, 2, 2), int), np.zeros((1, 2, 2), int))[0, 0, 0] == 2 * most
