"""Tests of spintron_nn.converter.lower.real: functions, and the integers that are they."""

import numpy as np
import pytest

from spintron_ir import IntType
from spintron_nn.converter.graph import FUNCTIONS, Function, Model, Step
from spintron_nn.converter.lower import real
from spintron_nn.converter.lower.real import Chain, Line, Over, is_rising, value_of
from spintron_nn.converter.quantise import codes_of
from tests.spintron_nn.converter.real_graph import run_model

PARAMETERS = {
    "clamp": {"low": -1.25, "high": 2.0},
    "leaky_relu": {"slope": 0.1},
    "elu": {"slope": 0.75},
    "hardsigmoid": {"slope": 0.2, "offset": 0.5},
}
X = np.concatenate([np.linspace(-9, 9, 721), [-800.0, 800.0, -40.0, 40.0]])
RANDOM = np.random.default_rng(0)
TURNING = {"hardswish", "gelu", "gelu_tanh", "silu", "neg", "abs"}


def made(name):
    return Function(name, **PARAMETERS.get(name, {}))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_are_those_of_torch(name):
    step = Step("f", made(name), ("x",), (len(X),))
    expected = run_model(Model({"x": (len(X),)}, (step,), {"y": "f"}), {"x": X[None]})["y"][0]
    found = value_of(made(name), X)
    if name == "exp":  # beyond 700 it stays what it is there
        assert found[-3] == np.exp(700.0)
        found, expected = np.delete(found, -3), np.delete(expected, -3)
    # Two libraries: their exponentials differ in the last bits, near zero by more of them.
    np.testing.assert_array_less(np.abs(found - expected), 1e-13 * np.maximum(np.abs(expected), 1))


def test_the_usual_hardsigmoid():
    assert value_of(Function("hardsigmoid"), [-3.0, -1.5, 0.0, 3.0]).tolist() == [0, 0.25, 0.5, 1]


def test_rising_functions():
    assert {name for name in FUNCTIONS if not is_rising(made(name))} == TURNING
    assert not any(is_rising(Function(name, slope=-0.1)) for name in ("leaky_relu", "elu"))
    assert not is_rising(Function("hardsigmoid", slope=-0.1))
    for name in set(FUNCTIONS) - TURNING:
        values = value_of(made(name), np.sort(X))
        assert (values[1:] >= values[:-1]).all()


@pytest.mark.parametrize("kind", [IntType(4), IntType(8), IntType(3, signed=True), IntType(1)])
@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - TURNING))
def test_thresholds_equal_the_function_on_every_integer(name, kind):
    slope = np.array([0.125, -0.125, 0.0, 0.037, -0.0021, 1 / 3])
    offset = np.array([0.0, 1.0, 0.7, -2.0, 0.25, 1 / 3])
    lines = Chain((Line(slope, offset), Over(np.array(3.0)), made(name)))
    chain = lines.then(Line(np.array(-2.0), np.array(0.5))).spread((6,))
    lines = lines.spread((6,))
    x = np.arange(-130, 211)[:, None] * np.ones(6, dtype=np.int64)
    for one in (lines, chain):
        found = one.thresholds(-130, 210, 0.0625, kind)
        np.testing.assert_array_equal(found.run(x), codes_of(one.values(x), 0.0625, kind))


def test_thresholds_of_many_channels_are_found_in_parts(monkeypatch):
    slope = RANDOM.standard_normal(50)
    chain = Chain((Line(slope, np.zeros(())), Function("tanh"))).spread((50,))
    whole = chain.thresholds(-99, 99, 0.25, IntType(3, signed=True))
    monkeypatch.setattr(real, "PART", 64)
    parts = chain.thresholds(-99, 99, 0.25, IntType(3, signed=True))
    np.testing.assert_array_equal(parts.thresholds, whole.thresholds)
    np.testing.assert_array_equal(parts.sign, whole.sign)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_tables_equal_the_function_on_every_code(name):
    chain = Chain((Line(np.array(0.125), np.array(0.0)), made(name)))
    source, kind = IntType(6, signed=True), IntType(4, signed=True)
    table = chain.table(source, 0.25, kind)
    codes = np.arange(-32, 32)[:, None]
    np.testing.assert_array_equal(table.run(codes), codes_of(chain.values(codes), 0.25, kind))


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - TURNING))
def test_bounds_hold_all_values(name):
    slope, offset = np.array([0.5, -0.25, 0.0]), np.array([0.0, 1.0, -0.5])
    chain = Chain((Line(slope, offset), made(name)))
    values = chain.values(np.arange(-20, 31)[:, None])
    assert chain.bounds(-20, 30) == (values.min(), values.max())
    low, high = chain.bounds(-np.inf, np.inf)
    assert low <= values.min() and high >= values.max()


def test_a_chain_as_one_line():
    chain = Chain((Line(np.array(3.0), np.array(1.0)), Over(np.array(4.0))))
    assert chain.line is not None
    assert (float(chain.line.slope), float(chain.line.offset)) == (0.75, 0.25)
    assert chain.then(Function("relu")).line is None
