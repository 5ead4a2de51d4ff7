"""Files made to do harm: small ones with large results, subgraphs, other files, damage."""

import contextlib

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from spintron_ir import ConversionError
from spintron_nn.converter.onnx_float import load, load_real_onnx
from tests.spintron_nn.converter.onnx_float.graphs import random_graph
from tests.spintron_nn.converter.onnx_float.test_refusals import (
    I64,
    changed,
    constant,
    findings,
    start,
)


def chain(kind, count, *inputs, **attributes):
    """An operator again and again on its own result."""

    def make(graph):
        for _ in range(count):
            graph.add(
                kind, *[graph.last if name is None else name for name in inputs], **attributes
            )
        return graph

    return make


LARGE = {
    "Concat_19 (Concat): gives frames of shape (2097152, 4, 4); up to 8 axes and at most 2**24 "
    "values are converted: correct its sizes": chain("Concat", 30, None, axis=1),
    "Tile_0 (Tile): repeats (1, 2, 4, 4) (1, 1099511627776, 1, 1) times: export the model again": (
        lambda graph: constant(graph, "Tile", [1, 1 << 40, 1, 1])
    ),
    "Expand_0 (Expand): gives frames of shape (2, 4, 4, 4194304); up to 8 axes and at most 2**24 "
    "values are converted: correct its sizes": lambda graph: constant(
        graph.add("Unsqueeze", graph.constant([4], I64)), "Expand", [1, 2, 4, 4, 1 << 22]
    ),
    "Pad_0 (Pad): gives the shape (1, 2, 4, 1099511627780): correct its sizes": lambda graph: (
        constant(graph, "Pad", [0, 0, 0, 0, 0, 0, 0, 1 << 40])
    ),
    "Resize_0 (Resize): gives the sizes (1, 2, 4, 40000) of (1, 2, 4, 4): correct them": (
        lambda graph: graph.add("Resize", "", graph.constant([1, 1, 1, 1e4], np.float32))
    ),
    "Range_0 (Range): gives the shape (1000000000000000000,): correct its sizes": lambda graph: (
        graph.join("Range", *(graph.constant(v, I64) for v in (0, 10**18, 1)))
    ),
    "ConstantOfShape_0 (ConstantOfShape): gives the shape (1099511627776,): correct its sizes": (
        lambda graph: graph.join("ConstantOfShape", graph.constant([1 << 40], I64))
    ),
    "MaxPool_0 (MaxPool): has the kernel (16777216, 16777216): correct its sizes": lambda graph: (
        graph.add("MaxPool", kernel_shape=[1 << 24, 1 << 24], pads=[1 << 24] * 4)
    ),
}


@pytest.mark.parametrize("message", LARGE)
def test_large_results_of_small_files(message, tmp_path):
    graph = LARGE[message](start())
    found = findings(graph.save(tmp_path / "m.onnx"))
    assert message.replace("Expand_0", "Expand_1") in found


def test_constants_are_computed_up_to_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(load, "MAX_COMPUTED", 80)
    graph, sizes = start(), [1, 2, 4, 4]
    for _ in range(3):
        x = graph.last
        graph.join("ConstantOfShape", graph.constant(sizes, I64)).join("Add", x, graph.last)
    assert findings(graph.save(tmp_path / "m.onnx")) == [
        "ConstantOfShape_4 (ConstantOfShape): computes more than 2**27 constant values in all: "
        "fold them beforehand"
    ]


def test_long_chains_take_no_long(tmp_path):
    graph = chain("Mul", 6000, None)(chain("Neg", 6000)(start()))
    assert len(load_real_onnx(graph.save(tmp_path / "m.onnx")).steps) == 12_000


def subgraph(model):
    inner = helper.make_graph([helper.make_node("Relu", ["x0"], ["z"])], "inner", [], [])
    node = helper.make_node("If", ["x0"], ["loop"], name="if", then_branch=inner)
    model.graph.node.insert(0, node)
    model.graph.node[1].input[1] = "loop"


def test_refuses_subgraphs(tmp_path):
    assert findings(changed(start().add("Add", "x0"), subgraph, tmp_path)) == [
        "if (If): If is not converted: unroll it"
    ]


def external(model):
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def test_refuses_other_files(tmp_path):
    found = findings(changed(constant(start(), "Add", np.ones(4)), external, tmp_path))
    assert found[0] == (
        "c0 (initializer): lies in another file, and those are not read: save the model in one file"
    )


@pytest.mark.parametrize("damage", [0, 1])
def test_damage_gives_findings_or_a_model(damage, tmp_path):
    """Bytes and fields changed at random: never another exception."""
    rng = np.random.default_rng(damage)
    models = []
    for seed in range(60):
        graph, outputs = random_graph(1000 + seed)
        models.append(graph.model(*outputs))
    kinds = sorted({node.op_type for model in models for node in model.graph.node})
    path = tmp_path / "m.onnx"
    loaded = 0
    for _ in range(500):
        model = onnx.ModelProto()
        model.CopyFrom(models[rng.integers(len(models))])
        for _ in range(rng.integers(1, 4)):
            _change(model, rng, kinds)
        data = bytearray(model.SerializeToString())
        if damage:
            for _ in range(rng.integers(1, 4)):
                data[rng.integers(len(data))] = rng.integers(256)
            data = data[: len(data) if rng.random() < 0.9 else rng.integers(len(data))]
        path.write_bytes(bytes(data))
        with contextlib.suppress(ConversionError):
            load_real_onnx(path, batch=bool(rng.random() < 0.7))
            loaded += 1
    assert 5 < loaded < 400


def _change(model, rng, kinds):
    """Change one field of a model: an edge, an operator, an attribute or a size."""
    graph = model.graph
    node = graph.node[rng.integers(len(graph.node))]
    what = rng.integers(7)
    if what == 0 and node.input:
        names = [name for other in graph.node for name in (*other.input, *other.output)]
        node.input[rng.integers(len(node.input))] = str(rng.choice([*names, ""]))
    elif what == 1:
        node.op_type = str(rng.choice(kinds))
    elif what == 2 and node.input:
        del node.input[rng.integers(len(node.input)) :]
    elif what == 3 and node.attribute:
        attribute = node.attribute[rng.integers(len(node.attribute))]
        attribute.i = int(rng.choice([0, 1, -1, 1 << 24, 1 << 62]))
        attribute.f = float(rng.choice([0, np.nan, 1e38]))
        attribute.ints.append(int(rng.choice([0, 1, -1, 1 << 20, 1 << 62])))
        attribute.type = int(rng.choice([1, 2, 3, 4, 5, 6, 7]))
    elif what == 4 and graph.initializer:
        tensor = graph.initializer[rng.integers(len(graph.initializer))]
        if tensor.dims:
            tensor.dims[0] = int(rng.choice([0, 1, 2, -1, 1 << 40]))
    elif what == 5 and graph.initializer:
        tensor = graph.initializer[rng.integers(len(graph.initializer))]
        if tensor.data_type == TensorProto.INT64 and tensor.raw_data:
            values = np.frombuffer(tensor.raw_data, np.int64).copy()
            values[rng.integers(len(values))] = rng.choice([0, -1, 7, 1 << 20, 1 << 40, -(1 << 62)])
            tensor.raw_data = values.tobytes()
    else:
        dims = graph.input[0].type.tensor_type.shape.dim
        dims[rng.integers(len(dims))].dim_value = int(rng.choice([0, 1, 5, 1 << 31, 1 << 40, -1]))
