"""Random graphs of images: convolutions, pools, branches, and moves between quantisers.

Scales that sums of products see are small integers times powers of two, so that the reference
evaluation rounds no sum; those that branches meet with are any float32.
"""

import numpy as np

from tests.spintron_nn.converter.onnx_front.graphs import Graph, elementwise, mode

FINE = [0.5, 0.25, 0.375, 0.625, 0.875, 1.5]


class Images(Graph):
    """A graph in the making whose last tensor has the shape ``(1, *size)``."""

    def __init__(self, shape, rng):
        super().__init__(shape)
        self.size, self.rng, self.fixed = tuple(shape), rng, False

    def quantised(self, scale=None, bits=None):
        """Quant, or QuantizeLinear and DequantizeLinear."""
        rng = self.rng
        scale = float(rng.choice(FINE)) * 2.0 ** rng.integers(-2, 3) if scale is None else scale
        if rng.random() < 0.5:
            bits = int(rng.integers(2, 6)) if bits is None else bits
            signed = int(rng.random() < 0.7)
            return self.quant(
                scale, bits, signed=signed, narrow=int(rng.random() < 0.5), rounding_mode=mode(rng)
            )
        kind = [np.int8, np.uint8][rng.integers(2)]
        zero = int(rng.integers(0, 60))
        codes = (self.constant(scale), self.constant(zero, kind))
        self.add("QuantizeLinear", *codes)
        if rng.random() < 0.2 and len(self.size) > 1 and not self.fixed:
            self.moved()
        return self.add("DequantizeLinear", *codes)

    def real(self):
        """A scale that is any float32."""
        return float(np.float32(self.rng.uniform(0.05, 1.5)))

    def between(self, spread=4.0):
        elementwise(self, self.rng, self.size, spread)
        if self.rng.random() < 0.2:
            self.add(str(self.rng.choice(["Sigmoid", "Tanh", "HardSigmoid", "Relu", "Softsign"])))
        return self

    def quantised_weights(self, shape):
        rng = self.rng
        outputs = shape[0]
        channels = (outputs, *(1 for _ in shape[1:]))
        scale = 2.0 ** -rng.integers(0, 4, channels) if rng.random() < 0.5 else 0.5
        if rng.random() < 0.5:
            bits = None if rng.random() < 0.2 else int(rng.integers(2, 6))
            return self.weight(rng.normal(0, 1, shape), scale, bits)
        before, zero = self.last, np.zeros(outputs)
        codes = rng.integers(-8, 8, shape)
        self.last = self.constant(codes, np.int8)
        scale = np.broadcast_to(scale, channels).reshape(-1)
        self.add("DequantizeLinear", self.constant(scale), self.constant(zero, np.int8), axis=0)
        found, self.last = self.last, before
        return found

    def conv(self, outputs=None, same=False):
        rng = self.rng
        channels, *sizes = self.size
        groups = int(rng.choice([g for g in range(1, channels + 1) if channels % g == 0]))
        outputs = groups * int(rng.integers(1, 4)) if outputs is None else outputs
        groups = groups if outputs % groups == 0 else 1
        given = {"group": groups}
        if same:
            kernel = [1, 3][rng.integers(2)]
            kernel = [kernel] * len(sizes)
            given["auto_pad"] = str(rng.choice(["SAME_UPPER", "SAME_LOWER"]))
            after = sizes
        else:
            kernel = [int(rng.integers(1, min(size, 3) + 1)) for size in sizes]
            stride = [int(rng.integers(1, 3)) for _ in sizes]
            pads = [int(rng.integers(0, k)) for k in kernel * 2]
            room = [s + a + b for s, a, b in zip(sizes, pads, pads[len(sizes) :])]
            gaps = [2 if k > 1 and 2 * k - 1 <= r and rng.random() < 0.2 else 1
                    for k, r in zip(kernel, room)]  # fmt: skip
            after = [(r - (k - 1) * d - 1) // s + 1
                     for r, k, s, d in zip(room, kernel, stride, gaps)]  # fmt: skip
            given |= {"strides": stride, "pads": pads, "dilations": gaps}
        parts = [self.quantised_weights((outputs, channels // groups, *kernel))]
        if rng.random() < 0.5:
            parts.append(self.constant(rng.integers(-64, 64, outputs) / 4))
        self.add("Conv", *parts, kernel_shape=kernel, **given)
        self.size = (outputs, *after)
        return self

    def pooled(self):
        rng = self.rng
        channels, *sizes = self.size
        kinds = ["MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"]
        kind = rng.choice(
            kinds if len(sizes) == 2 else kinds[:3]
        )  # the reference takes the last of images alone
        if kind.startswith("Global"):
            self.size = (channels, *(1 for _ in sizes))
            return self.add(kind)
        kernel = [min(2, size) for size in sizes]
        pads = [0] * (2 * len(sizes))
        given = {}
        if kind == "AveragePool" and rng.random() < 0.5:
            given = {"count_include_pad": 1}
        if (given or kind == "MaxPool") and rng.random() < 0.4:
            pads = [int(k > 1) for k in kernel] + [0] * len(sizes)
        stride = [2] * len(sizes)
        self.size = (channels, *((s + p - k) // 2 + 1 for s, p, k in zip(sizes, pads, kernel)))
        return self.add(kind, kernel_shape=kernel, strides=stride, pads=pads, **given)

    def branch(self):
        """Two paths and what joins them."""
        rng, start, size = self.rng, self.last, self.size
        self.fixed = True  # both paths keep their size
        kind = str(rng.choice(["Add", "Sub", "Mul", "Concat", "gate", "scores"]))
        ends = []
        for path in range(2):
            self.last, self.size = start, size
            if path or rng.random() < 0.5:
                self.conv(None if kind == "Concat" else size[0], same=True).between()
            if kind == "gate" and path:
                self.add("GlobalAveragePool")
                self.size = (self.size[0], *(1 for _ in self.size[1:]))
                self.quantised(self.real()).add("Sigmoid")
            if kind != "scores" or path:
                self.quantised(self.real())
            ends.append((self.last, self.size))
        names = [name for name, _ in ends]
        if kind == "Concat":
            self.join("Concat", *names, axis=1)
            self.size = (ends[0][1][0] + ends[1][1][0], *size[1:])
        else:
            self.join({"gate": "Mul", "scores": "Add"}.get(kind, kind), *names)
            self.size = size
        self.fixed = False
        return self.add("Relu") if rng.random() < 0.5 else self

    def swish(self):
        before = self.last
        self.add(str(self.rng.choice(["Sigmoid", "HardSigmoid"])))
        return self.join("Mul", before, self.last)

    def moved(self):
        """Values elsewhere: those of codes, or of real numbers."""
        rng = self.rng
        channels, *sizes = self.size
        rank = len(self.size) + 1
        kind = rng.choice(["there and back", "Slice", "Split", "Gather", "Resize"])
        if kind == "there and back":
            order = [0, *range(2, rank), 1]
            self.add("Transpose", perm=order)
            self.add("Transpose", perm=[int(axis) for axis in np.argsort(order)])
        elif kind == "Slice" and sizes[0] > 2:
            ends = (self.constant([v], np.int64) for v in (1, 1000, 2))
            self.add("Slice", *ends)
            self.size = (channels, sizes[0] - 1, *sizes[1:])
        elif kind == "Split" and channels > 1:
            cut = self.constant([1, channels - 1], np.int64)
            self.add("Split", cut, outputs=2, axis=1)
            self.size = (channels - 1, *sizes)
        elif kind == "Gather":
            order = rng.permutation(channels)
            self.add("Gather", self.constant(order, np.int64), axis=1)
        elif kind == "Resize" and max(sizes) < 7:
            scales = self.constant([1, 1, *(2 for _ in sizes)])
            self.add("Resize", "", scales, mode="nearest", nearest_mode="floor",
                     coordinate_transformation_mode="asymmetric")  # fmt: skip
            self.size = (channels, *(2 * size for size in sizes))
        return self

    def ended(self):
        rng, count = self.rng, int(np.prod(self.size))
        self.add("Flatten")
        self.size = (count,)
        outputs = int(rng.integers(1, 5))
        weight = self.quantised_weights((outputs, count))
        bias = self.constant(rng.integers(-64, 64, outputs) / 4)
        self.add("Gemm", weight, bias, transB=1)
        self.size = (outputs,)
        if rng.random() < 0.6:
            self.between().quantised()
        return self


def random_image_graph(seed):
    """A graph and the scale of its input."""
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 4)), *(int(rng.integers(3, 6)) for _ in range(rng.integers(1, 3))))
    graph = Images(shape, rng)
    step = 2.0 ** -rng.integers(0, 5)
    if rng.random() < 0.7:
        graph.between(step * 8).quantised(float(rng.choice(FINE)) * step * 4)
    for _ in range(rng.integers(1, 4)):
        block = rng.integers(5)
        if block == 0:
            graph.conv().between().quantised()
        elif block == 1:
            graph.branch().quantised()
        elif block == 2:
            graph.pooled().quantised()
        elif block == 3:
            graph.swish().quantised()
        else:
            graph.moved().between().quantised()
    if rng.random() < 0.5:
        graph.ended()
    return graph, step
