"""Models of random operations, and what each node of their networks must give."""

import math
from dataclasses import replace

import numpy as np

from spintron_ir import MulShift
from spintron_nn.converter import graph as g
from spintron_nn.converter.levels import weight_values
from spintron_nn.converter.lower import matrices
from spintron_nn.converter.lower.rewrite import simplified
from spintron_nn.converter.quantise import codes_of, quantise_weights
from tests.spintron_nn.converter.real_graph import values_of

__all__ = [
    "Build",
    "Placements",
    "check_codes",
    "conv",
    "function",
    "linear",
    "norm",
    "random_model",
]


class Build:
    """A model made step by step."""

    def __init__(self, **inputs):
        self.inputs, self.steps, self.shapes = inputs, [], dict(inputs)

    def add(self, operation, *sources, name=None, shape=None):
        """Add a step; its shape is that of what it gives for zeros."""
        name = name or f"s{len(self.steps)}_{type(operation).__name__.lower()}"
        if shape is None:
            step = g.Step("it", operation, sources, None)
            shape = _shape(step, [self.shapes[source] for source in sources])
        self.steps.append(g.Step(name, operation, sources, shape))
        self.shapes[name] = shape
        return name

    def model(self, *outputs):
        """The model; what nothing takes is an output."""
        taken = {source for step in self.steps for source in step.inputs}
        names = outputs or [step.name for step in self.steps if step.name not in taken]
        return g.Model(self.inputs, tuple(self.steps), {f"y_{name}": name for name in names})


class _Any(tuple):
    """A shape that equals every other."""

    def __eq__(self, other):
        return True

    __hash__ = None


def _shape(step, shapes):
    names = tuple(f"i{number}" for number in range(len(shapes)))
    one = g.Step("it", step.operation, names, _Any())
    model = g.Model(dict(zip(names, shapes)), (one,), {"y": "it"})
    zeros = {name: np.zeros((1, *shape)) for name, shape in zip(names, shapes)}
    return values_of(model, zeros)["it"].shape[1:]


def random_array(random, *shape):
    return random.standard_normal(shape)


def linear(random, inputs, outputs, keys=None):
    return g.Linear(random_array(random, outputs, inputs), random_array(random, outputs))


def conv(random, channels, outputs, kernel, *, stride=None, padding=None, dilation=None, groups=1):
    axes = len(kernel)
    return g.Conv(
        random_array(random, outputs, channels // groups, *kernel),
        random_array(random, outputs),
        stride or (1,) * axes,
        padding or ((0, 0),) * axes,
        dilation or (1,) * axes,
        groups,
    )


def norm(random, channels):
    return g.Norm(
        random_array(random, channels),
        random_array(random, channels),
        random_array(random, channels),
        random.uniform(0.5, 2, channels),
        1e-5,
    )


def function(random):
    name = g.FUNCTIONS[random.integers(len(g.FUNCTIONS))]
    parameters = {
        "clamp": {"low": float(random.uniform(-2, 0)), "high": float(random.uniform(0.5, 3))},
        "leaky_relu": {"slope": float(random.uniform(-0.5, 0.5))},
        "elu": {"slope": float(random.uniform(-0.2, 1.5))},
        "hardsigmoid": {"slope": float(random.uniform(-0.4, 0.4)), "offset": 0.4},
    }
    return g.Function(name, **parameters.get(name, {}))


def _kernels(random, shape):
    """Kernel, stride, padding and dilation that fit the spatial axes of a shape."""
    kernel, stride, padding, dilation = [], [], [], []
    for size in shape[1:]:
        step = int(random.integers(1, 3))
        # A window that lies in the padding alone is refused, and tested elsewhere.
        pads = tuple(int(amount) for amount in random.integers(0, 2 if step == 1 else 1, 2))
        most = min((size + sum(pads) - 1) // step + 1, 3)
        kernel.append(int(random.integers(1, most + 1)))
        stride.append(int(random.integers(1, 3)))
        padding.append(pads)
        dilation.append(step)
    return tuple(kernel), tuple(stride), tuple(padding), tuple(dilation)


def random_model(random, steps):
    """A model of up to so many steps, all operations among them, with one or two inputs."""
    shapes = [(3,), (5,), (2, 7), (3, 4, 5), (4, 6, 6), (1, 5, 4)]
    build = Build(x=shapes[random.integers(len(shapes))])
    names = ["x"]
    if random.random() < 0.3:
        build = Build(x=build.inputs["x"], z=shapes[random.integers(len(shapes))])
        names.append("z")
    makers = [_matrix, _matrix, _elementwise, _elementwise, _moving, _pooling, _joining]
    while len(build.steps) < steps:
        name = names[-1 - int(random.integers(min(len(names), 4)))]
        made = makers[random.integers(len(makers))](random, build, name, names)
        if made is not None and math.prod(build.shapes[made]) <= 400:
            names.append(made)
    # Inputs that nothing takes are refused, and tested elsewhere.
    for name in build.inputs:
        if not any(name in step.inputs for step in build.steps):
            build.add(g.Function("relu"), name)
    return build.model()


def _matrix(random, build, name, names):
    shape = build.shapes[name]
    if len(shape) in (2, 3) and random.random() < 0.75:
        groups = shape[0] if random.random() < 0.3 else 1
        outputs = groups * int(random.integers(1, 4))
        kernel, stride, padding, dilation = _kernels(random, shape)
        made = conv(random, shape[0], outputs, kernel, stride=stride, padding=padding,
                    dilation=dilation, groups=groups)  # fmt: skip
        return build.add(made, name)
    return build.add(linear(random, shape[-1], int(random.integers(1, 7))), name)


def _elementwise(random, build, name, names):
    shape, kind = build.shapes[name], random.integers(5)
    if kind == 0:
        return build.add(norm(random, shape[0]), name)
    if kind == 1:
        sizes = [(), (shape[0], *(1,) * (len(shape) - 1)), shape][random.integers(3)]
        return build.add(g.Affine(random_array(random, *sizes), random_array(random, *sizes)), name)
    if kind == 2:
        return build.add(g.Dropout(0.5), name)
    return build.add(function(random), name)


def _moving(random, build, name, names):
    shape, kind = build.shapes[name], random.integers(5)
    axis = int(random.integers(len(shape)))
    if kind == 0:
        flat = math.prod(shape)
        other = [(flat,), (shape[0], flat // shape[0]), (*shape, 1)][random.integers(3)]
        return build.add(g.Reshape(), name, shape=other)
    if kind == 1:
        return build.add(g.Permute(tuple(int(a) for a in random.permutation(len(shape)))), name)
    if kind == 2:
        start = int(random.integers(shape[axis]))
        stop = int(random.integers(start, shape[axis])) + 1
        return build.add(g.Slice(axis, start, stop, int(random.integers(1, 3))), name)
    if kind == 3:
        return build.add(g.Upsample(tuple(int(n) for n in random.integers(1, 3, len(shape)))), name)
    amounts = tuple((int(a), int(b)) for a, b in random.integers(0, 2, (len(shape), 2)))
    return build.add(g.Pad(amounts), name)


def _pooling(random, build, name, names):
    shape = build.shapes[name]
    if len(shape) not in (2, 3):
        return None
    kernel, stride, padding, dilation = _kernels(random, shape)
    kind = ("max", "average")[random.integers(2)]
    padding = tuple(
        tuple(min(amount, size - 1) for amount in pair)
        for pair, size in zip(padding, kernel, strict=True)
    )
    if random.random() < 0.3:
        kernel, stride = shape[1:], (1,) * (len(shape) - 1)
        padding, dilation = ((0, 0),) * len(stride), (1,) * len(stride)
    count, divisor = bool(random.random() < 0.5), None
    if kind == "average" and random.random() < 0.2:
        divisor = int(random.integers(1, 5))
    return build.add(g.PoolOf(kind, kernel, stride, padding, dilation, count, divisor), name)


def _joining(random, build, name, names):
    shape, kind = build.shapes[name], random.integers(3)
    fits = [other for other in names if _broadcast(shape, build.shapes[other])]
    other = fits[random.integers(len(fits))]
    if kind == 0:
        count = int(random.integers(2, 4))
        factors = tuple(float(f) for f in random.choice([1, -1, 0.5, 3, np.float32(0.1)], count))
        picked = (name, other, name)[:count]
        return build.add(g.Add(factors), *picked)
    if kind == 1:
        return build.add(g.Mul(), name, other)
    axis = int(random.integers(len(shape)))
    same = [
        other for other in names
        if len(build.shapes[other]) == len(shape)
        and all(a == b or axis == i for i, (a, b) in enumerate(zip(shape, build.shapes[other])))
    ]  # fmt: skip
    return build.add(g.Concatenate(axis), name, same[random.integers(len(same))])


def _broadcast(one, other):
    try:
        np.broadcast_shapes(one, other)
    except ValueError:
        return False
    return True


class Placements:
    """Keeps what the lowering found for each matrix: the line from its sums to real values."""

    def __init__(self, monkeypatch):
        self.found, place = {}, matrices.place

        def kept(name, *arguments, **keywords):
            self.found[name] = place(name, *arguments, **keywords)
            return self.found[name]

        monkeypatch.setattr(matrices, "place", kept)


def check_codes(model, converted, placements, x):
    """Compare every code of every stage with its operations in float64; return how many."""
    codes = converted.quantise_input(x if len(x) > 1 else next(iter(x.values())))
    given = codes if isinstance(codes, dict) else {"x": codes}
    trace = {**given, **converted.network.trace(codes)}
    values, scales = {}, {}
    for name, port in zip(model.inputs, converted.network.inputs, strict=True):
        values[name], scales[name] = given[port.name] * port.scale, port.scale
    stages = {stage.steps[-1]: stage for stage in converted.report.stages}
    layers = {node.name: node.layer for node in converted.network.nodes}
    count, seen, model = 0, set(), simplified(model)
    for step in model.steps:
        inputs = [values[name] for name in step.inputs]
        value = _value(step, inputs, scales, converted, placements, trace)
        stage, scales[step.name] = stages.get(step.name), scales[step.inputs[0]]
        if stage is not None:
            seen.add(step.name)
            found = trace[stage.node].reshape(len(value), -1)[:, stage.index]
            layer = layers[stage.node]
            expected = codes_of(value, stage.scale, layer.type)
            requantise = getattr(layer, "requantise", None)
            if isinstance(requantise, MulShift):
                # Scores on lines of their own: a bias is a whole number of accumulator units.
                unit = np.abs(requantise.multiplier) * 0.5 ** requantise.shift.astype(float)
                unit = np.broadcast_to(unit, layer.shape).reshape(-1)[stage.index]
                assert (np.abs(found - expected) <= 1 + unit / 2).all()
            else:
                np.testing.assert_array_equal(found, expected, err_msg=str(stage.steps))
            count += found.size
            value, scales[step.name] = found * stage.scale, stage.scale
        values[step.name] = value
    assert seen == set(stages)
    outputs = {output.name: output for output in converted.network.outputs}
    for title, name in model.outputs.items():
        output = outputs.get(title if len(model.outputs) > 1 else "scores")
        np.testing.assert_array_equal(trace[output.node] * output.scale, values[name])
    return count


def _sums(step, placed, trace, converted):
    """Sums of the devices of a sampled chip, in the order of the model."""
    node = converted.network.node(placed.name)
    plain = replace(node.layer, requantise=None, bias=0 * node.layer.bias)
    found = plain.run(trace[node.inputs[0]])
    if isinstance(step.operation, g.Linear):
        return found.reshape(len(found), *step.shape).astype(float)
    image = found.reshape(len(found), *step.shape[1:], -1)
    return np.moveaxis(image, -1, 1).astype(float)


def _value(step, inputs, scales, converted, placements, trace):
    """Real values of a step; those of a matrix through the line from the sums of its devices."""
    operation, shapes = step.operation, [x.shape[1:] for x in inputs]
    names = tuple(f"i{number}" for number in range(len(inputs)))
    placed = placements.found.get(step.name)
    if placed is not None and not converted.chip.ideal:
        found = _sums(step, placed, trace, converted)
    elif placed is not None:
        config, scheme = converted.chip.config, placed.layer.scheme
        levels = weight_values(config, 2, scheme)
        flat = operation.weight.reshape(len(operation.weight), -1)
        alone = len(set(placed.slope.tolist())) > 1 or len(flat) == 1
        states, _ = quantise_weights(flat, levels, per_channel=alone)
        unit = config.level_codes * (0.5 if scheme == "reference" else 1)
        weight = levels[states].reshape(operation.weight.shape) * unit
        operation = replace(operation, weight=weight, bias=0 * operation.bias)
        inputs = [np.round(inputs[0] / scales[step.inputs[0]])]
    if placed is None or converted.chip.ideal:
        one = g.Step("it", operation, names, step.shape)
        model = g.Model(dict(zip(names, shapes, strict=True)), (one,), {"y": "it"})
        found = values_of(model, dict(zip(names, inputs, strict=True)))["it"]
    if placed is None:
        return found
    tall = (-1, *(1,) * (len(step.shape) - 1)) if isinstance(operation, g.Conv) else (-1,)
    return placed.slope.reshape(tall) * found + placed.offset.reshape(tall)
