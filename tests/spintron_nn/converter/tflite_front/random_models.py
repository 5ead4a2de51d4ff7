"""Random TFLite operators, which the runtime takes, on tensors of random scales."""

import numpy as np

from tests.spintron_nn.converter.tflite_front.random_moves import Moves, T


class Random(Moves):
    """A model that grows at random."""

    def weights(self, t, shape, axis, outputs, places, bare=False):
        """Weights, bias and the scales of an output that uses most of its range."""
        per_channel = self.kind == "int8" and self.rng.random() < 0.6
        scales = self.rng.uniform(0.002, 0.02, outputs if per_channel else 1).astype(np.float32)
        scales = self.tied(scales)
        zero = 0 if self.kind == "int8" else self.pick(100, 150)
        if bare and not per_channel and self.kind == "int8":  # fully connected layers alone
            zero = self.pick(-9, 9)
        values = self.rng.integers(max(self.low, -127), self.high + 1, shape)
        kind = self.kind
        if self.kind == "int8" and not zero and self.rng.random() < 0.2:
            kind, values = "int4", values >> 4
        weight = self.tensor(shape, kind, scales, zero, values, axis)
        bias = []
        if not bare or self.rng.random() < 0.6:
            numbers = self.rng.integers(-4000, 4000, outputs)
            bias = [self.tensor((outputs,), "int32", np.float32(t.scale) * scales, 0, numbers)]
        size = 16 if kind == "int4" else 1
        spread = t.scale * float(scales.mean()) * 127 * 73 * np.sqrt(places) / size
        return weight, bias, float(np.float32(spread / self.rng.uniform(20, 150)))

    def activation(self):
        return self.pick(0, 3) if self.rng.random() < 0.6 else 0

    def window(self, t, largest=3, dilated=True):
        """A kernel, stride, dilation and padding, and the size of the result."""
        while True:
            padding = self.pick(0, 1)
            kernel = [min(self.pick(1, largest), size) for size in t.shape[1:3]]
            stride = [self.pick(1, 2) for _ in kernel]
            dilated = dilated and stride == [1, 1]
            dilation = [self.pick(1, 1 + dilated) for _ in kernel]
            sizes = []
            for size, k, s, d in zip(t.shape[1:3], kernel, stride, dilation):
                sizes.append((size - (k - 1) * d - 1) // s + 1 if padding else -(-size // s))
            if min(sizes) > 0:
                return kernel, stride, dilation, padding, sizes

    def conv(self, t, outputs=None, **given):
        kernel, stride, dilation, padding, sizes = self.window(t, **given)
        groups = self.rng.choice([n for n in (1, 1, 2, 3) if t.shape[3] % n == 0])
        outputs = groups * (outputs or self.pick(1, 4))
        depth = t.shape[3] // groups
        places = depth * kernel[0] * kernel[1]
        weight, bias, scale = self.weights(t, (outputs, *kernel, depth), 0, outputs, places)
        out = self.quantised((1, *sizes, outputs), scale)
        self.add("CONV_2D", [t.index, weight, *bias], [out.index], "Conv2DOptions",
                 padding=padding, strideH=stride[0], strideW=stride[1],
                 dilationHFactor=dilation[0], dilationWFactor=dilation[1],
                 fusedActivationFunction=self.activation())  # fmt: skip
        return out

    def depthwise(self, t):
        kernel, stride, dilation, padding, sizes = self.window(t)
        times = self.pick(1, 2)
        outputs = t.shape[3] * times
        weight, bias, scale = self.weights(
            t, (1, *kernel, outputs), 3, outputs, kernel[0] * kernel[1]
        )
        out = self.quantised((1, *sizes, outputs), scale)
        self.add("DEPTHWISE_CONV_2D", [t.index, weight, *bias], [out.index],
                 "DepthwiseConv2DOptions", padding=padding, strideH=stride[0], strideW=stride[1],
                 dilationHFactor=dilation[0], dilationWFactor=dilation[1], depthMultiplier=times,
                 fusedActivationFunction=self.activation())  # fmt: skip
        return out

    def dense(self, t):
        keep = bool(self.pick(0, 1))
        count = int(np.prod(t.shape))
        rows = t.shape[-1] if keep or self.rng.random() < 0.3 else count
        outputs = self.pick(1, 6)
        weight, bias, scale = self.weights(t, (outputs, rows), 0, outputs, rows, bare=True)
        shape = (*t.shape[:-1], outputs) if keep else (count // rows, outputs)
        out = self.quantised(shape, scale)
        self.add("FULLY_CONNECTED", [t.index, weight, *(bias or [-1])], [out.index],
                 "FullyConnectedOptions", keepNumDims=keep,
                 fusedActivationFunction=self.activation())  # fmt: skip
        return out

    def pool(self, t, kind=None):
        kernel, stride, _, padding, sizes = self.window(t, dilated=False)
        out = self.quantised((1, *sizes, t.shape[3]), t.scale, t.zero)
        kind = kind or ("AVERAGE_POOL_2D", "MAX_POOL_2D")[self.pick(0, 1)]
        self.add(kind, [t.index], [out.index], "Pool2DOptions", padding=padding,
                 strideH=stride[0], strideW=stride[1], filterHeight=kernel[0],
                 filterWidth=kernel[1], fusedActivationFunction=self.activation())  # fmt: skip
        return out

    def average(self, t):
        return self.pool(t, "AVERAGE_POOL_2D")

    def mean(self, t):
        return self.reduced("MEAN", t, t.scale * self.rng.uniform(0.3, 1.5))

    def largest(self, t):
        return self.reduced("REDUCE_MAX", t, t.scale, t.zero)

    def reduced(self, kind, t, scale, zero=None):
        rank = len(t.shape)
        axes = [(1, 2), (2, 1), (-2, 1), (1,), (2,), (3,), (1, 2, 3)][self.pick(0, 6)]
        axes = axes if rank == 4 else (rank - 1,)
        keep = bool(self.pick(0, 1))
        reduced = {axis % rank for axis in axes}
        shape = [
            1 if axis in reduced else size
            for axis, size in enumerate(t.shape)
            if keep or axis not in reduced
        ]
        out = self.quantised(shape, scale, zero)
        self.add(kind, [t.index, self.numbers(axes)], [out.index], "ReducerOptions",
                 keepDims=keep)  # fmt: skip
        return out

    def join(self, kind, t, u=None, constant=None):
        """ADD, SUB or MUL of two tensors, of one and itself, or of one and a constant."""
        shape = t.shape
        if constant is not None:
            scale = float(self.tied(np.float32(self.rng.uniform(0.01, 0.1))))
            zero = self.pick(self.low, self.high)
            index = self.tensor(constant, self.kind, scale, zero, self.codes(constant))
            u = T(index, constant, self.kind, scale, zero)
        u = u or t
        shape = np.broadcast_shapes(t.shape, u.shape)
        size = t.scale * u.scale * 5000 if kind == "MUL" else (t.scale + u.scale) * 100
        out = self.quantised(shape, float(np.float32(size / self.rng.uniform(40, 200))))
        pair = [t.index, u.index]
        if constant is not None and self.rng.random() < 0.5:
            pair.reverse()
        self.add(kind, pair, [out.index], f"{kind.title()}Options",
                 fusedActivationFunction=self.activation())  # fmt: skip
        return out

    def table(self, kind, t):
        out = self.quantised(t.shape, t.scale * self.rng.uniform(0.4, 2))
        options = {}
        if kind == "LOGISTIC":
            out = self.quantised(t.shape, 1 / 256, self.low)
        if kind == "TANH":
            out = self.quantised(t.shape, 1 / 128, self.low + 128)
        if kind == "LEAKY_RELU":
            options = {"options": "LeakyReluOptions", "alpha": float(self.rng.uniform(0, 1))}
        if kind == "QUANTIZE":
            to = ("int8", "uint8")[self.pick(0, 1)]
            zero = self.pick(-128, 127) + 128 * (to == "uint8")
            out = self.quantised(t.shape, out.scale, zero, to)
        self.add(kind, [t.index], [out.index], **options)
        return out

    def softmax(self, t):
        out = self.quantised(t.shape, 1 / 256, self.low)
        beta = float(self.rng.choice([1.0, self.rng.uniform(0.1, 3)]))
        self.add("SOFTMAX", [t.index], [out.index], "SoftmaxOptions", beta=beta)
        return out

    def prelu(self, t):
        channels = t.shape[-1]
        shape = [(channels,), (1, 1, channels), (1,)][self.pick(0, 2)]
        slope = self.quantised(shape, make=lambda *given: self.tensor(*given, self.codes(shape)))
        out = self.quantised(t.shape, t.scale * self.rng.uniform(0.4, 2))
        self.add("PRELU", [t.index, slope.index], [out.index])
        return out

    def concatenation(self, parts, axis):
        first = parts[0]
        shape = list(first.shape)
        shape[axis] = sum(part.shape[axis] for part in parts)
        out = self.quantised(shape, first.scale, first.zero)
        self.add("CONCATENATION", [part.index for part in parts], [out.index],
                 "ConcatenationOptions", axis=axis, fusedActivationFunction=0)  # fmt: skip
        return out

    def network(self):
        """Convolutions with a branch or two, a pool and a dense layer, at random."""
        t = self.image(self.pick(1, 4))
        if self.pick(0, 2) == 0:
            t = self.pad(t)
            t = t if len(t.shape) == 4 else self.source((1, 5, 6, 2))
        t = self.conv(t, self.pick(2, 4), largest=3)
        for _ in range(self.pick(1, 2)):
            before = t
            steps = [self.depthwise, self.conv, self.pool]
            for _ in range(self.pick(1, 2)):
                t = steps[self.pick(0, 2)](t)
            if t.shape == before.shape:
                t = self.join(("ADD", "MUL", "SUB")[self.pick(0, 2)], t, before)
            elif self.pick(0, 1):
                t = self.table(("RELU", "HARD_SWISH", "LEAKY_RELU")[self.pick(0, 2)], t)
        branch = t
        if self.pick(0, 1):
            other = self.same("MAX_POOL_2D", t, t.shape, (), "Pool2DOptions", padding=0, strideH=1,
                              strideW=1, filterHeight=2, filterWidth=2)  # fmt: skip
            t = self.concatenation([t, other], 3)
        t = self.mean(t) if self.pick(0, 1) else self.average(t)
        t = self.reshape(t)
        t = self.dense(t)
        if self.pick(0, 1):
            t = self.softmax(t)
        return [t, branch] if self.pick(0, 2) == 0 else [t]
