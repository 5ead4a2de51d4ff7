"""Ways to go on with a random graph: one for each kind of operator."""

import math

import numpy as np
from onnx import TensorProto

__all__ = ["STEPS", "join"]


def _small(rng, shape, low=-3, high=4):
    return rng.integers(low, high, shape) / 2.0 ** rng.integers(0, 2)


def _windowed(rng, rank):
    given = {}
    if rng.random() < 0.5:
        given["strides"] = rng.integers(1, 3, rank).tolist()
    if rng.random() < 0.4:
        given["dilations"] = rng.integers(1, 3, rank).tolist()
    way = rng.random()
    if way < 0.4:
        given["pads"] = rng.integers(0, 2, 2 * rank).tolist()
    elif way < 0.6 and "dilations" not in given:  # the reference forgets dilations here
        given["auto_pad"] = str(rng.choice(["SAME_UPPER", "SAME_LOWER", "VALID"]))
    return given


def conv(graph, rng, kept):
    _, channels, *spatial = graph.shape
    groups = int(rng.choice([n for n in range(1, channels + 1) if channels % n == 0]))
    outputs = groups * int(rng.integers(1, 3))
    kernel = rng.integers(1, 4, len(spatial)).tolist()
    parts = [graph.constant(_small(rng, (outputs, channels // groups, *kernel)))]
    if rng.random() < 0.5:
        parts.append(graph.constant(_small(rng, outputs)))
    graph.add("Conv", *parts, group=groups, **_windowed(rng, len(spatial)))


def pool(graph, rng, kept):
    rank = len(graph.shape) - 2
    kernel = rng.integers(1, 4, rank).tolist()
    given = _windowed(rng, rank)
    average = rng.random() < 0.5
    if "auto_pad" not in given:
        given["ceil_mode"] = int(rng.integers(2))
    if average:
        given["count_include_pad"] = int(rng.integers(2))
        graph.add("AveragePool", exact=False, kernel_shape=kernel, **given)
    else:
        graph.add("MaxPool", kernel_shape=kernel, **given)


def global_pool(graph, rng, kept):
    if len(graph.shape) == 4 and rng.random() < 0.5:  # the reference forgets axes otherwise
        graph.add("GlobalMaxPool")
    else:
        graph.add("GlobalAveragePool", exact=False)


def normalise(graph, rng, kept):
    channels = graph.shape[1]
    parts = [_small(rng, channels) for _ in range(3)]
    parts.append(4.0 ** rng.integers(-1, 2, channels))
    graph.add("BatchNormalization", *(graph.constant(part) for part in parts), epsilon=0.0)


def constant_pair(graph, rng, kept):
    kind = str(rng.choice(["Add", "Sub", "Mul", "Div"]))
    shape = [int(size) if rng.random() < 0.5 else 1 for size in graph.shape]
    shape[0] = 1
    shape = shape[int(rng.integers(len(shape) + 1)) :]
    if kind == "Div":
        values = 2.0 ** rng.integers(-1, 2, shape) * rng.choice([-1, 1])
    else:
        values = _small(rng, shape)
    name = graph.constant(values)
    if kind != "Div" and rng.random() < 0.3:
        graph.join(kind, name, graph.last)
    else:
        graph.add(kind, name)


def single(graph, rng, kept):
    kind = str(
        rng.choice(["Relu", "Neg", "Abs", "LeakyRelu", "HardSigmoid", "Clip", "Max", "Min", "Pow",
                    "PRelu", "Identity", "Dropout", "Cast"])
    )  # fmt: skip
    low, high = sorted(_small(rng, 2).tolist())
    if kind in ("LeakyRelu", "HardSigmoid"):
        graph.add(kind, alpha=0.25)
    elif kind == "Clip":
        parts = [graph.constant(low), graph.constant(high)]
        graph.add(kind, *[parts, ["", parts[1]], parts[:1]][rng.integers(3)])
    elif kind in ("Max", "Min"):
        graph.add(kind, graph.constant(low))
    elif kind == "Pow":
        graph.add(kind, graph.constant(float(rng.integers(1, 4))))
    elif kind == "PRelu":
        shape = (graph.shape[1], *(1 for _ in graph.shape[2:])) if rng.random() < 0.5 else (1,)
        graph.add(kind, graph.constant(_small(rng, shape)))
    elif kind == "Cast":
        graph.add(kind, to=TensorProto.DOUBLE)
    else:
        graph.add(kind)


def rounded(graph, rng, kept):
    kind = str(
        rng.choice(["Sigmoid", "Tanh", "Softplus", "Elu", "Celu", "Selu", "HardSwish", "Gelu",
                    "Softmax", "LogSoftmax", "silu", "erf"])
    )  # fmt: skip
    x = graph.last
    if kind == "Gelu":
        graph.add(kind, exact=False, approximate=str(rng.choice(["none", "tanh"])))
    elif kind.endswith("oftmax"):
        graph.add(kind, exact=False, axis=int(rng.integers(1, len(graph.shape))))
    elif kind == "silu":
        graph.add("Sigmoid", exact=False).join("Mul", x, graph.last)
    elif kind == "erf":
        graph.add("Div", graph.constant(math.sqrt(2))).add("Erf", exact=False)
        graph.add("Add", graph.constant(1.0)).add("Mul", x).add("Mul", graph.constant(0.5))
    else:
        graph.add(kind, exact=False)


def join(graph, rng, kept):
    kind = str(rng.choice(["Add", "Sub", "Mul", "Sum", "Mean", "Concat"]))
    others = [name for name in kept if len(graph.values[name].shape) == len(graph.shape)]
    other = str(rng.choice(others))
    if kind == "Concat" and graph.batch == 1 and rng.random() < 0.5:
        axis = int(rng.integers(1, len(graph.shape)))
        shape = [2 if n == axis else size for n, size in enumerate(graph.shape)]
        parts = [graph.last, graph.constant(_small(rng, shape)), other]
        graph.join(kind, *(parts[int(n)] for n in rng.permutation(3)), axis=axis)
    elif kind == "Concat":
        graph.add(kind, other, axis=int(rng.integers(1, len(graph.shape))))
    elif kind in ("Sum", "Mean"):
        graph.add(
            kind, other, *[str(rng.choice(others))] * int(rng.integers(2)), exact=kind == "Sum"
        )
    else:
        graph.add(kind, other)


def matrix(graph, rng, kept):
    rows, cols = graph.shape[-1], int(rng.integers(1, 5))
    if len(graph.shape) == 2 and rng.random() < 0.5:
        turned = int(rng.integers(2))
        weight = _small(rng, (cols, rows) if turned else (rows, cols))
        bias = [graph.constant(_small(rng, [(cols,), (1, cols), ()][rng.integers(3)]))]
        given = (
            {"transB": turned, "alpha": 0.5, "beta": 2.0}
            if rng.random() < 0.5
            else {"transB": turned}
        )
        graph.add("Gemm", graph.constant(weight), *bias[: int(rng.integers(2))], **given)
    elif len(graph.shape) > 2 and rng.random() < 0.3:
        graph.join("MatMul", graph.constant(_small(rng, (cols, graph.shape[-2]))), graph.last)
    else:
        around = graph.shape[1:-2] if rng.random() < 0.3 and len(graph.shape) > 3 else ()
        graph.add("MatMul", graph.constant(_small(rng, (*around, rows, cols))))


def reshape(graph, rng, kept):
    rank, batch = len(graph.shape), graph.shape[0]
    kind = int(rng.integers(5))
    if kind == 0:
        graph.add("Flatten", axis=int(rng.integers(0, 3)) if rank > 1 else 1)
    elif kind == 1:
        sizes = [
            0 if rng.random() < 0.5 else batch,
            -1,
            *graph.shape[2:][: int(rng.integers(rank))],
        ]
        graph.add("Reshape", graph.constant(sizes, np.int64))
    elif kind == 2:
        graph.add("Unsqueeze", graph.constant([int(rng.integers(0, rank + 1))], np.int64))
    elif kind == 3:
        ones = [axis for axis, size in enumerate(graph.shape) if size == 1]
        graph.add("Squeeze", graph.constant([ones[-1]], np.int64))
    else:
        last = graph.last
        graph.add("Shape").add("Gather", graph.constant(0, np.int64))
        graph.add("Unsqueeze", graph.constant([0], np.int64))
        graph.add("Concat", graph.constant([-1], np.int64), axis=0)
        graph.join("Reshape", last, graph.last)


def transpose(graph, rng, kept):
    order = list(range(len(graph.shape)))
    if rng.random() < 0.8:
        order = [0, *(int(axis) for axis in rng.permutation(order[1:]))]
    else:
        order = [int(axis) for axis in rng.permutation(order)]
    graph.add("Transpose", perm=order)


def cut(graph, rng, kept):
    rank = len(graph.shape)
    axis = int(rng.integers(rank > 1, rank))
    size = graph.shape[axis]
    kind = int(rng.integers(4))
    if kind == 0:
        bounds = [sorted(rng.integers(-size, size + 2, 2).tolist()), [axis - rank],
                  [int(rng.choice([1, 2, -1]))]]  # fmt: skip
        (start, end), axes, steps = bounds
        if steps[0] < 0:
            start, end = end, start
        lists = [[start], [end], axes, steps]
        graph.add("Slice", *(graph.constant(values, np.int64) for values in lists))
    elif kind == 1:
        shape = [(), (2,), (2, 2)][rng.integers(3)]
        places = rng.integers(-size, size, shape)
        graph.add("Gather", graph.constant(places, np.int64), axis=axis)
    elif kind == 2:
        first = int(rng.integers(1, size))
        sizes = graph.constant([first, size - first], np.int64)
        graph.add("Split", sizes, outputs=2, take=int(rng.integers(2)), axis=axis)
    else:
        counts = [1] * rank
        counts[axis] = 2
        if rng.random() < 0.5:
            graph.add("Tile", graph.constant(counts, np.int64))
        else:
            sizes = [2 if n == axis and s == 1 else 1 for n, s in enumerate(graph.shape)]
            graph.add("Expand", graph.constant(sizes, np.int64))


def pad(graph, rng, kept):
    rank = len(graph.shape)
    mode = str(rng.choice(["constant", "constant", "edge", "reflect", "wrap"]))
    low = -1 if mode == "constant" else 0
    pads = rng.integers(low, 3, 2 * rank)
    pads[0] = pads[rank] = 0
    parts = [graph.constant(pads, np.int64)]
    if mode == "constant" and rng.random() < 0.5:
        parts.append(graph.constant(1.5))
    graph.add("Pad", *parts, mode=mode)


def resize(graph, rng, kept):
    kind = int(rng.integers(4))
    if kind == 0 and len(graph.shape) == 4:
        graph.add("DepthToSpace", blocksize=2, mode=str(rng.choice(["DCR", "CRD"])))
    elif kind == 1 and len(graph.shape) == 4:
        graph.add("SpaceToDepth", blocksize=2)
    else:
        given = {
            "mode": "nearest",
            "nearest_mode": str(
                rng.choice(["floor", "ceil", "round_prefer_floor", "round_prefer_ceil"])
            ),
            "coordinate_transformation_mode": str(
                rng.choice(["asymmetric", "half_pixel", "align_corners"])
            ),
        }
        spatial = range(min(2, len(graph.shape) - 1), len(graph.shape))
        scales = [float(rng.choice([0.5, 1, 1.5, 2, 3])) if axis in spatial else 1.0
                  for axis in range(len(graph.shape))]  # fmt: skip
        graph.add("Resize", "", graph.constant(scales, np.float32), **given)


def reduce(graph, rng, kept):
    kind = str(
        rng.choice(
            ["ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceSumSquare"]
        )
    )
    axes = [axis for axis in range(1, len(graph.shape)) if rng.random() < 0.5] or [1]
    if rng.random() < 0.1:
        axes = [0]
    part = graph.constant(axes, np.int64)
    graph.add(kind, part, keepdims=int(rng.integers(2)), exact=kind != "ReduceMean")


def rank(graph, rng, kept):
    axis = int(rng.integers(1, len(graph.shape)))
    if not graph.exact:
        return  # a rounded tie may go either way
    if rng.random() < 0.5:
        graph.add(
            str(rng.choice(["ArgMax", "ArgMin"])),
            axis=axis,
            keepdims=int(rng.integers(2)),
        )
    else:
        k = graph.constant([int(rng.integers(1, graph.shape[axis] + 1))], np.int64)
        graph.add("TopK", k, outputs=2, axis=axis, largest=int(rng.integers(2)))


STEPS = (
    conv, conv, pool, pool, global_pool, normalise, constant_pair, constant_pair, single, single,
    single, rounded, join, join, matrix, reshape, reshape, transpose, cut, cut, pad, resize, reduce,
    rank,
)  # fmt: skip
"""Ways to go on."""
