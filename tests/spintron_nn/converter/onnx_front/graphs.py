"""Small QONNX graphs, and their evaluation by onnx.reference with quantisers written here."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

DOMAIN = "onnx.brevitas"

ROUND = {
    "ROUND": np.rint,
    "CEIL": np.ceil,
    "FLOOR": np.floor,
    "ROUND_TO_ZERO": np.fix,
}


class Quant(OpRun):
    """Clip, then round, as the definition of QONNX says."""

    op_domain = DOMAIN

    def _run(self, x, scale, zero, bits, signed=1, narrow=1, rounding_mode="ROUND"):
        y = (x / scale + zero).astype(np.float32)
        bits = int(np.asarray(bits).reshape(-1)[0])
        if signed and bits == 1:
            q = np.where(y >= 0, np.float32(1), np.float32(-1))
        else:
            top = 2 ** (bits - 1) - 1 if signed else 2**bits - 1 - narrow
            bottom = -(2 ** (bits - 1)) + narrow if signed else 0
            q = ROUND[rounding_mode](np.minimum(np.maximum(y, bottom), top))
        return (((q - zero) * scale).astype(np.float32),)


class BipolarQuant(OpRun):
    op_domain = DOMAIN

    def _run(self, x, scale):
        return (np.where(x >= 0, scale, -scale).astype(np.float32),)


class Trunc(OpRun):
    """The lowest bits left out, as QONNX defines it."""

    op_domain = DOMAIN

    def _run(self, x, scale, zero, before, after, rounding_mode="FLOOR"):
        y = np.round(x / scale + zero)
        y = (ROUND | {"FLOOR": np.floor})[rounding_mode](y / np.float32(2.0 ** (before - after)))
        return (((y - zero) * scale).astype(np.float32),)


class Graph:
    """A graph in the making; every method adds an operator to the end of the chain."""

    def __init__(self, shape):
        self.shape, self.nodes, self.weights, self.last = shape, [], [], "input"

    def constant(self, values, dtype=np.float32):
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype=dtype), name))
        return name

    def narrow(self, values, kind):
        """A constant of four bits; its name."""
        values = np.asarray(values)
        name = f"c{len(self.weights)}"
        self.weights.append(helper.make_tensor(name, kind, values.shape, values.ravel().tolist()))
        return name

    def add(self, kind, *inputs, outputs=1, domain="", **attributes):
        """Add ``kind(last, *inputs)``."""
        return self.join(kind, self.last, *inputs, outputs=outputs, domain=domain, **attributes)

    def join(self, kind, *inputs, outputs=1, domain="", **attributes):
        names = [f"t{len(self.nodes)}_{index}" for index in range(outputs)]
        name = f"{kind}_{len(self.nodes)}"
        self.nodes.append(
            helper.make_node(kind, inputs, names, name=name, domain=domain, **attributes)
        )
        self.last = names[-1]
        return self

    def quant(self, scale, bits, zero=0.0, **attributes):
        parts = (self.constant(scale), self.constant(zero), self.constant(bits))
        return self.add("Quant", *parts, domain=DOMAIN, **attributes)

    def weight(self, values, scale=1.0, bits=None, zero=0.0, **attributes):
        """A quantised constant; bipolar where no bits are given. Its name."""
        before = self.last
        self.last = self.constant(values)
        if bits is None:
            self.add("BipolarQuant", self.constant(scale), domain=DOMAIN)
        else:
            self.quant(scale, bits, zero, **attributes)
        found, self.last = self.last, before
        return found

    def trunc(self, scale, before, after, zero=0.0, **attributes):
        parts = (self.constant(value) for value in (scale, zero, before, after))
        return self.add("Trunc", *parts, domain=DOMAIN, **attributes)

    def model(self, batch=1, kind=TensorProto.FLOAT, opset=19):
        given = helper.make_tensor_value_info("input", kind, (batch, *self.shape))
        result = helper.make_tensor_value_info(self.last, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "graph", [given], [result], self.weights)
        opsets = [helper.make_opsetid("", opset), helper.make_opsetid(DOMAIN, 1)]
        return helper.make_model(graph, opset_imports=opsets)

    def save(self, path, **given):
        path.write_bytes(self.model(**given).SerializeToString())
        return path


def reference(graph, x, **given):
    """Result of the graph for inputs, one at a time."""
    run = ReferenceEvaluator(graph.model(**given), new_ops=[Quant, BipolarQuant, Trunc])
    return np.concatenate([run.run(None, {"input": frame[None]})[0] for frame in x])


def random_graph(seed):
    """A chain with every operator that is converted, ended by a quantiser.

    Scales are powers of two, so that no sum is rounded; what stands between is any float32.
    """
    rng = np.random.default_rng(seed)
    shape = [(5,), (2, 3), (1, 2, 2)][rng.integers(3)]
    size = int(np.prod(shape))
    graph = Graph(shape)
    step = 2.0 ** -rng.integers(0, 9)
    if rng.random() < 0.7:
        elementwise(graph, rng, graph.shape, step * 8)
        quantise(graph, rng, (1, *shape), step)
    if len(shape) > 1 or rng.random() < 0.3:
        reshape(graph, rng, size)
    for _ in range(rng.integers(1, 3)):
        size = matrix(graph, rng, size)
        elementwise(graph, rng, (size,), 4.0)
        quantise(graph, rng, (1, size), 2.0 ** -rng.integers(0, 3))
    return graph, step


def reshape(graph, rng, size):
    kind = rng.integers(3)
    if kind == 0:
        graph.add("Flatten", axis=1)
    else:
        sizes = [(0 if kind == 1 else 1), -1]
        graph.add("Reshape", graph.constant(sizes, np.int64))


def matrix(graph, rng, rows):
    cols = int(rng.integers(1, 6))
    turned = bool(rng.random() < 0.5)
    values = rng.normal(0, 1, (cols, rows) if turned else (rows, cols))
    channels = 2.0 ** -rng.integers(0, 4, (cols, 1) if turned else (1, cols))
    scale = channels if rng.random() < 0.5 else 0.5
    bits = None if rng.random() < 0.2 else int(rng.integers(2, 9))
    weight = graph.weight(
        values,
        scale,
        bits,
        **({} if bits is None else {"narrow": int(rng.integers(2)), "rounding_mode": mode(rng)}),
    )
    if turned and rng.random() < 0.5:
        graph.add("Gemm", weight, graph.constant(rng.normal(0, 1, cols)), transB=1)
        return cols
    if turned:
        before, graph.last = graph.last, weight
        graph.add("Transpose", perm=[1, 0])
        weight, graph.last = graph.last, before
    graph.add("MatMul", weight)
    return cols


def mode(rng):
    return str(rng.choice(list(ROUND)))


def elementwise(graph, rng, shape, spread):
    channels = (1, shape[0], *(1 for _ in shape[1:]))
    for _ in range(rng.integers(0, 4)):
        kind = rng.choice(["Add", "Sub", "Mul", "Div", "Relu", "BatchNormalization", "Clip", "Neg",
                           "LeakyRelu", "from"])  # fmt: skip
        value = graph.constant(rng.normal(0, spread, channels if rng.random() < 0.5 else ()))
        if kind == "from":
            graph.join("Sub", value, graph.last)
        elif kind in ("Add", "Sub", "Mul", "Div"):
            graph.add(kind, value)
        elif kind == "BatchNormalization":
            count = shape[0]
            parts = [rng.normal(0, s, count) for s in (1, 1, spread)]
            parts.append(rng.uniform(0.5, 2, count) * spread**2)
            graph.add(kind, *(graph.constant(part) for part in parts))
        elif kind == "Clip":
            graph.add(kind, graph.constant(-spread), graph.constant(spread))
        else:
            graph.add(kind)


def quantise(graph, rng, shape, step):
    bits = int(rng.integers(1, 9))
    zero = float(rng.integers(-2, 3)) if rng.random() < 0.3 else 0.0
    signed = int(rng.random() < 0.5)
    graph.quant(
        step, bits, zero, signed=signed, narrow=int(bits > 1 and rng.random() < 0.5),
        rounding_mode=mode(rng),
    )  # fmt: skip


def random_linear_graph(seed):
    """A chain with QuantizeLinear and DequantizeLinear, which onnx.reference knows itself."""
    rng = np.random.default_rng(seed)
    shape = [(5,), (2, 3)][rng.integers(2)]
    size = int(np.prod(shape))
    graph = Graph(shape)
    step = 2.0 ** -rng.integers(0, 9)
    codes = linear(graph, rng, step)
    if len(shape) > 1:
        graph.add("Flatten")
    for layer in range(rng.integers(1, 3)):
        graph.add("DequantizeLinear", *codes)
        cols = int(rng.integers(1, 6))
        channels = rng.random() < 0.5
        scale = graph.constant(2.0 ** -rng.integers(0, 4, cols if channels else ()))
        values = graph.constant(rng.integers(-128, 128, (size, cols)), np.int8)
        zero = graph.constant(np.zeros(cols) if channels else rng.integers(-9, 9), np.int8)
        before, graph.last = graph.last, values
        graph.add("DequantizeLinear", scale, zero, axis=1 if layer else -1)
        weight, graph.last = graph.last, graph.constant(rng.integers(-999, 999, cols), np.int32)
        graph.add("DequantizeLinear", graph.constant(2.0**-4))
        bias, graph.last = graph.last, before
        graph.add("Gemm", weight, bias)
        elementwise(graph, rng, (cols,), 4.0)
        codes, size = linear(graph, rng, 2.0 ** rng.integers(-2, 4)), cols
    if rng.random() < 0.5:
        graph.add("DequantizeLinear", *codes)
    return graph, step


def linear(graph, rng, step):
    """Add a QuantizeLinear; return the scale and zero point."""
    kind = [np.int8, np.uint8][rng.integers(2)]
    zero = rng.integers(np.iinfo(kind).min, np.iinfo(kind).max + 1) if rng.random() < 0.5 else 0
    codes = (graph.constant(step), graph.constant(zero, kind))
    graph.add("QuantizeLinear", *codes)
    return codes
