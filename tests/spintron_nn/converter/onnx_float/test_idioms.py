"""Functions written out in several operators become one step, or stay what they are."""

import math

import numpy as np
import pytest

from spintron_nn.converter.graph import Affine, Function
from spintron_nn.converter.onnx_float import load_real_onnx
from tests.spintron_nn.converter.onnx_float.graphs import Graph

ROOT = math.sqrt(2)


def erf(graph, x, *, root=ROOT, half_first=False, divide=True):
    graph.join("Div" if divide else "Mul", x, graph.constant(root if divide else 1 / root))
    graph.add("Erf").add("Add", graph.constant(1.0))
    inner, graph.last = graph.last, x
    if half_first:
        return graph.add("Mul", graph.constant(0.5)).add("Mul", inner)
    return graph.add("Mul", inner).add("Mul", graph.constant(0.5))


def tanh(graph, x, *, power=True):
    if power:
        graph.add("Pow", graph.constant(3.0))
    else:
        graph.join("Mul", x, x)
        graph.join("Mul", x, graph.last)
    graph.add("Mul", graph.constant(np.float32(0.044715))).add("Add", x)
    graph.add("Mul", graph.constant(np.float32(math.sqrt(2 / math.pi)))).add("Tanh")
    graph.add("Add", graph.constant(1.0)).add("Mul", x)
    return graph.add("Mul", graph.constant(0.5))


def silu(graph, x, factor=1.0):
    if factor != 1:
        graph.add("Mul", graph.constant(factor))
    return graph.add("Sigmoid").add("Mul", x)


def hard(graph, x, *, clamp=False):
    if clamp:
        graph.add("Add", graph.constant(3.0)).add("Clip", graph.constant(0.0), graph.constant(6.0))
        return graph.add("Mul", x).add("Div", graph.constant(6.0))
    return graph.add("HardSigmoid", alpha=1 / 6, beta=0.5).add("Mul", x)


def steps_of(make, tmp_path, before=None):
    graph = Graph((6,))
    if before is not None:
        graph.add("Mul", graph.constant(before))
    make(graph, graph.last)
    return [step.operation for step in load_real_onnx(graph.save(tmp_path / "m.onnx")).steps]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (erf, "gelu"),
        (lambda g, x: erf(g, x, half_first=True), "gelu"),
        (lambda g, x: erf(g, x, divide=False), "gelu"),
        (lambda g, x: erf(g, x, root=float(np.float32(math.sqrt(2)))), "gelu"),
        (tanh, "gelu_tanh"),
        (lambda g, x: tanh(g, x, power=False), "gelu_tanh"),
        (silu, "silu"),
        (hard, "hardswish"),
        (lambda g, x: hard(g, x, clamp=True), "hardswish"),
    ],
    ids=[
        "erf",
        "half first",
        "product",
        "float32",
        "power",
        "products",
        "sigmoid",
        "hardsigmoid",
        "clip",
    ],
)
@pytest.mark.parametrize("before", [None, 2.0])
def test_a_function_is_one_step(make, name, before, tmp_path):
    found = steps_of(make, tmp_path, before)
    assert found[-1] == Function(name)
    assert len(found) == 1 + (before is not None)


def test_factors_stay(tmp_path):
    first, middle, last = steps_of(lambda g, x: silu(g, x, 2.0), tmp_path)
    assert isinstance(first, Affine) and isinstance(last, Affine)
    assert middle == Function("silu")
    assert (float(first.scale), float(last.scale)) == (2.0, 0.5)


@pytest.mark.parametrize(
    ("make", "kinds"),
    [
        (lambda g, x: hard(g, x).add("Relu"), ["Function", "Function"]),
        (lambda g, x: g.add("Sigmoid").add("Mul", g.constant(2.0)), ["Function", "Affine"]),
        (lambda g, x: g.add("HardSigmoid", alpha=0.2).add("Mul", x), ["Function", "Mul"]),
        (lambda g, x: g.add("Tanh").add("Mul", x), ["Function", "Mul"]),
    ],
    ids=["hardswish", "no product", "another slope", "no polynomial"],
)
def test_others_are_what_they_are(make, kinds, tmp_path):
    assert [type(step).__name__ for step in steps_of(make, tmp_path)] == kinds
