"""Random ONNX graphs over all operators that are converted, evaluated as they grow."""

import warnings

import numpy as np
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from tests.spintron_nn.converter.onnx_float.pools import explicit, pooled
from tests.spintron_nn.converter.onnx_float.steps import STEPS, join

__all__ = ["Graph", "random_graph"]

OPSET = 22


class Graph:
    """A graph of float64 tensors, whose values are evaluated by onnx.reference node by node."""

    def __init__(self, *shapes, opset=OPSET, batch=1, name=None, seed=0):
        self.opset, self.batch, self.name = opset, batch, name
        self.rng = np.random.default_rng(seed)
        self.nodes, self.weights, self.values, self.exact = [], [], {}, True
        self.inputs = [f"x{index}" for index in range(len(shapes))]
        for name, shape in zip(self.inputs, shapes, strict=True):
            codes = self.rng.integers(-8, 8, (batch, *shape))
            self.values[name] = codes.astype(np.float64) / 2
        self.last = self.inputs[0] if shapes else ""

    @property
    def shape(self):
        return self.values[self.last].shape

    def constant(self, values, dtype=np.float64):
        name = f"c{len(self.weights)}"
        array = np.asarray(values, dtype=dtype)
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def add(self, kind, *inputs, **given):
        """``kind(last, *inputs)``."""
        return self.join(kind, self.last, *inputs, **given)

    def join(self, kind, *inputs, outputs=1, take=0, exact=True, **attributes):
        """Add an operator, if the reference can evaluate it without large or too fine numbers."""
        names = [f"t{len(self.nodes)}_{index}" for index in range(outputs)]
        node = helper.make_node(kind, inputs, names, name=f"{kind}_{len(self.nodes)}", **attributes)
        self.nodes.append(node)
        self.exact &= exact
        for name, values in zip(names, self._evaluate(node), strict=True):
            self.values[name] = values
        self.last = names[take]
        return self

    def _evaluate(self, node):
        given = {name: self.values[name] for name in node.input if name in self.values}
        if node.op_type in ("MaxPool", "AveragePool"):
            return [pooled(node, given[node.input[0]])]
        if node.op_type == "Conv":
            (weight,) = (t for t in self.weights if t.name == node.input[1])
            node = explicit(node, given[node.input[0]], numpy_helper.to_array(weight))
        kinds = [
            helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(v.dtype), v.shape)
            for name, v in given.items()
        ]
        results = [
            helper.make_tensor_value_info(name, TensorProto.UNDEFINED, None) for name in node.output
        ]
        weights = [tensor for tensor in self.weights if tensor.name in node.input]
        graph = helper.make_graph([node], "one", kinds, results, weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return [np.asarray(v) for v in ReferenceEvaluator(model).run(None, given)]

    def model(self, *outputs):
        """The whole graph with the named outputs."""

        def info(name, kind=None):
            values = self.values[name]
            sizes = list(values.shape)
            if self.name is not None and kind is None:
                sizes[:1] = [self.name]
            number = helper.np_dtype_to_tensor_dtype(values.dtype)
            return helper.make_tensor_value_info(name, number, sizes if kind is None else None)

        graph = helper.make_graph(
            self.nodes,
            "graph",
            [info(name) for name in self.inputs],
            [info(name, "output") for name in outputs or (self.last,)],
            self.weights,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)])

    def save(self, path, *outputs):
        path.write_bytes(self.model(*outputs).SerializeToString())
        return path


def random_graph(seed):
    """A graph of up to 9 operators; names of its outputs."""
    rng = np.random.default_rng(seed)
    rank = int(rng.integers(0, 3))
    shape = (int(rng.integers(1, 5)) * (2 if rank else 3), *rng.integers(3, 7, rank).tolist())
    batch, name = [(1, None), (1, None), (3, None), (2, "frames")][rng.integers(4)]
    count = 2 if rng.random() < 0.2 else 1
    graph = Graph(*[shape] * count, batch=batch, name=name, seed=seed)
    kept = list(graph.inputs)
    if count == 2:
        join(graph, rng, kept[1:])
        kept.append(graph.last)
    for _ in range(int(rng.integers(1, 10))):
        before = graph.last, len(graph.nodes), len(graph.weights), graph.exact, dict(graph.values)
        try:
            step = STEPS[rng.integers(len(STEPS))]
            step(graph, rng, kept)
            fits = _fits(graph)
        except Exception:  # what the reference refuses is no case
            fits = False
        if not fits:
            graph.last, nodes, weights, graph.exact, graph.values = before
            del graph.nodes[nodes:], graph.weights[weights:]
        elif graph.last not in kept and graph.values[graph.last].dtype == np.float64:
            kept.append(graph.last)
        if graph.values[graph.last].dtype != np.float64:
            graph.last = kept[-1]
    made = [name for node in graph.nodes for name in node.output]
    if not graph.nodes:
        graph.add("Relu")
    outputs = {graph.last, *rng.choice(made, int(rng.integers(0, 3)))} if made else {graph.last}
    return graph, sorted(outputs)


def _fits(graph):
    values = graph.values[graph.last]
    top = float(np.abs(values).max(initial=0))
    if not 0 < values.size < 2000 or not np.isfinite(values).all() or top > 1 << 20:
        return False
    fine = values.astype(np.float64) * 2.0**24
    return not graph.exact or bool((fine == np.round(fine)).all())
