"""Random small networks that branch: joins, concatenations, several inputs and outputs."""

import math

import numpy as np

from spintron_ir import (
    Argmax,
    Concat,
    Dense,
    Flatten,
    Gather,
    IntType,
    Join,
    MulShift,
    Network,
    Node,
    Output,
    Pool,
    Port,
    Quantise,
    Softmax,
    Table,
    TFLite,
    Thresholds,
    TopK,
    Window,
)

__all__ = ["frames_of", "random_graph"]

U3 = IntType(3)


class _Graph:
    """A network while it grows: what there is to take, and what nothing takes yet."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)
        self.size = tuple(self.rng.integers(2, 5, 2).tolist())
        self.inputs, self.nodes = [], []
        self.there, self.unused = {}, []

    def draw(self, *choices):
        return choices[int(self.rng.integers(len(choices)))]

    def whether(self, share):
        return bool(self.rng.random() < share)

    def add_input(self):
        name = f"x{len(self.inputs)}"
        shape = (*self.size, self.draw(1, 2, 4))
        type_ = IntType(int(self.rng.integers(1, 4)), self.whether(0.3))
        self.inputs.append(Port(name=name, shape=shape, type=type_))
        self.there[name] = shape, type_
        self.unused.append(name)

    def add(self, layer, *sources):
        name = f"n{len(self.nodes)}"
        self.nodes.append(Node(name=name, layer=layer, inputs=sources))
        self.there[name] = tuple(layer.shape), layer.type
        self.unused = [each for each in self.unused if each not in sources] + [name]
        return name

    def source(self, fits=lambda shape, type_: True):
        """Something that fits, rather a thing that nothing takes yet or that is new."""
        found = [name for name, face in self.there.items() if fits(*face)]
        if not found:
            return None
        waiting = [name for name in found if name in self.unused]
        return self.draw(*(waiting if waiting and self.whether(0.6) else found[-4:]))

    def values(self, low, high, shape):
        return self.rng.integers(low, high + 1, shape)

    def requantiser(self, total, cols):
        """Any requantiser to three bits, in the range of the values."""
        kind = self.draw("thresholds", "mulshift", "tflite", "table")
        if kind == "thresholds":
            steps = np.sort(self.values(total.low, total.high + 1, (cols, 7)), axis=1)
            sign = self.rng.choice([-1, 1], cols)
            return Thresholds(thresholds=steps, sign=sign, low=0, type=U3)
        if kind == "tflite":
            shift = self.values(-6, 0, cols)
            return TFLite(
                multiplier=self.values(1 << 30, (1 << 31) - 1, cols),
                shift=shift, zero_point=2, low=0, high=7, type=U3,
            )  # fmt: skip
        code = MulShift(
            multiplier=self.values(-5, 5, cols), shift=self.values(0, 5, cols), zero_point=2,
            type=U3,
        )  # fmt: skip
        return code if kind == "mulshift" else Table(code=code, table=self.values(0, 7, 8), type=U3)

    def matrix(self, source, rows, positions, cols):
        _, type_ = self.there[source]
        layer = {
            "codes": self.values(0, 3, (1, 2, rows, cols)),
            "cell_bits": 2, "scheme": "pair", "input": type_, "slice_shift": (0,),
            "dac_bits": self.draw(1, type_.bits), "tile_rows": self.draw(64, max(rows // 2, 1)),
            "bias": self.values(-5, 5, cols), "positions": positions,
        }  # fmt: skip
        requantise = self.requantiser(Dense(**layer).ranges.total, cols)
        return self.add(Dense(**layer, requantise=requantise), source)

    def shaped(self, source, shape):
        old, type_ = self.there[source]
        if old == shape:
            return source
        return self.add(Flatten(in_shape=old, type=type_, out_shape=shape), source)

    def conv(self):
        source = self.source(lambda shape, type_: len(shape) == 3 and type_.bits <= 4)
        if source is None:
            return
        shape, type_ = self.there[source]
        if self.whether(0.3):  # a kernel of one value needs no window
            cols = self.draw(2, 4)
            flat = self.shaped(source, (math.prod(shape[:2]), shape[2]))
            result = self.matrix(flat, shape[2], math.prod(shape[:2]), cols)
            self.shaped(result, (*shape[:2], cols))
            return
        kernel = tuple(min(self.draw(1, 2, 3), size) for size in shape[:2])
        same = (kernel[0] // 2, kernel[1] // 2, (kernel[0] - 1) // 2, (kernel[1] - 1) // 2)
        layer = Window(
            in_shape=shape,
            type=type_,
            kernel=kernel,
            padding=same,
            stride=self.draw((1, 1), (1, 1), (2, 1)),
        )
        window = self.add(layer, source)
        positions, rows = layer.shape
        if self.whether(0.3):
            channels = shape[2]
            pool = Pool(input=type_, in_shape=layer.shape, channels=channels, mode="max")
            result = self.add(pool, window)
        else:
            channels = self.draw(2, 4)
            result = self.matrix(window, rows, positions, channels)
        self.shaped(result, (*layer.grid, channels))

    def join(self):
        first = self.source(lambda shape, type_: type_.bits <= 8)
        if first is None:
            return
        shape = self.there[first][0]
        alike = [
            name for name, face in self.there.items() if face[0] == shape and face[1].bits <= 8
        ]
        count = self.draw(2, 2, 2, 3, 5) if len(alike) > 1 else 2
        mode = self.draw("sum", "sum", "product") if count == 2 else "sum"
        sources = [first, *(self.draw(*alike) for _ in range(count - 1))]
        types = tuple(self.there[name][1] for name in sources)
        tables = None
        if self.whether(0.6):
            rows = self.draw(1, shape[-1])
            entries = 1 << max(type_.bits for type_ in types)
            tables = self.values(-40, 40, (count, rows, entries))
            if self.whether(0.4):
                tables[0] = self.values(-4, 4, (rows, 1)) * np.arange(entries) + 3
        layer = {"inputs": types, "in_shape": shape, "mode": mode, "tables": tables}
        total = Join(**layer).total
        cols = self.draw(1, shape[-1], math.prod(shape))
        self.add(Join(**layer, requantise=self.requantiser(total, cols)), *sources)

    def concat(self):
        first = self.source(lambda shape, type_: math.prod(shape) <= 100)
        if first is None:
            return
        shape = self.there[first][0]
        axis = int(self.rng.integers(len(shape)))

        def fits(other):
            return len(other) == len(shape) and all(
                a == b for n, (a, b) in enumerate(zip(shape, other, strict=True)) if n != axis
            )

        alike = [name for name, face in self.there.items() if fits(face[0])]
        sources = [first, *(self.draw(*alike) for _ in range(self.draw(1, 1, 2)))]
        shapes, types = zip(*(self.there[name] for name in sources), strict=True)
        self.add(Concat(inputs=types, in_shapes=shapes, axis=axis), *sources)

    def dense(self):
        source = self.source(lambda shape, type_: math.prod(shape) <= 64 and type_.bits <= 4)
        if source is None:
            return
        length = math.prod(self.there[source][0])
        self.matrix(self.shaped(source, (length,)), length, None, self.draw(2, 4, 6))

    def gather(self):
        """A permutation, a slice, a repetition, padding, or anything."""
        source = self.source(lambda shape, type_: math.prod(shape) <= 100)
        if source is None:
            return
        shape, type_ = self.there[source]
        places = np.arange(math.prod(shape)).reshape(shape)
        axis = int(self.rng.integers(len(shape)))
        kind = self.draw("permute", "slice", "repeat", "pad", "any")
        if kind == "permute":
            places = places.transpose(self.rng.permutation(len(shape)))
        elif kind == "slice":
            first = int(self.rng.integers(shape[axis]))
            places = places.take(range(first, shape[axis]), axis=axis)
        elif kind == "repeat":
            places = places.repeat(2, axis=axis)
        elif kind == "pad":
            places = np.pad(places, 1, constant_values=-1)
        else:
            places = self.values(-1, places.size - 1, shape)
        layer = {"in_shape": shape, "type": type_, "out_shape": places.shape}
        self.add(Gather(**layer, index=places.reshape(-1), pad_value=type_.high), source)

    def vectors(self):
        """A softmax, or the k largest."""
        source = self.source(lambda shape, type_: math.prod(shape) <= 64 and type_.bits <= 4)
        if source is None:
            return
        shape, type_ = self.there[source]
        if self.whether(0.5):
            k, values = int(self.rng.integers(1, min(shape[-1], 4) + 1)), self.whether(0.5)
            layer = TopK(in_shape=shape, input=type_, k=k, values=values)
        else:
            table = np.round(2.0**31 * 0.8 ** np.arange(1 << type_.bits)) - 1
            layer = Softmax(
                in_shape=shape, input=type_, exponential=table.astype(np.int64), type=U3
            )
        self.add(layer, source)

    def quantise(self):
        source = self.source()
        shape, type_ = self.there[source]
        cols = self.draw(1, shape[-1])
        requantise = self.requantiser(type_, cols)
        self.add(Quantise(in_shape=shape, input=type_, requantise=requantise), source)


def random_graph(seed, steps=None):
    """A network of some random steps; what nothing takes is joined or an output."""
    graph = _Graph(seed)
    for _ in range(graph.draw(1, 1, 1, 2, 3)):
        graph.add_input()
    moves = [graph.conv] * 3 + [graph.join] * 4 + [graph.concat] * 2 + [graph.gather] * 2
    moves += [graph.dense, graph.quantise, graph.vectors]
    for _ in range(int(graph.rng.integers(3, 7)) if steps is None else steps):
        graph.draw(*moves)()
    for name in list(graph.unused):
        if name.startswith("x"):
            shape, type_ = graph.there[name]
            quantise = graph.requantiser(type_, 1)
            graph.add(Quantise(in_shape=shape, input=type_, requantise=quantise), name)
    taken = {graph.draw(*(node.name for node in graph.nodes))} if graph.whether(0.4) else set()
    if graph.whether(0.2):
        shape, type_ = graph.there[graph.unused[-1]]
        flat = graph.shaped(graph.unused[-1], (math.prod(shape),))
        graph.add(Argmax(input=type_, length=math.prod(shape)), flat)
    names = sorted({*graph.unused, *taken})
    return Network(
        name="graph",
        inputs=tuple(graph.inputs),
        nodes=tuple(graph.nodes),
        outputs=tuple(Output(name=f"y_{name}", node=name) for name in names),
    )


def frames_of(network, frames, seed=0):
    """Random inputs by name."""
    rng = np.random.default_rng(seed)
    return {
        port.name: rng.integers(port.type.low, port.type.high + 1, (frames, *port.shape))
        for port in network.inputs
    }
