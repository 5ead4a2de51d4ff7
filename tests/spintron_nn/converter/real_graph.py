"""An interpreter of spintron_nn.converter.graph in float64: what a model means, for tests."""

import math

import numpy as np
import torch
from torch.nn import functional as F

from spintron_nn.converter import graph as g

__all__ = ["run_model", "values_of"]


def run_model(model, inputs):
    """Outputs by name, from ``{input name: array (batch, *shape)}``."""
    values = values_of(model, inputs)
    return {name: values[step] for name, step in model.outputs.items()}


def values_of(model, inputs):
    """Every step's value, (batch, *shape), by the name of the step; inputs included."""
    values = {}
    for name, shape in model.inputs.items():
        values[name] = torch.tensor(np.asarray(inputs[name], dtype=np.float64))
        assert values[name].shape[1:] == shape, name
    for step in model.steps:
        assert step.name not in values, step.name
        value = _run(step.operation, [values[name] for name in step.inputs], step.shape)
        assert tuple(value.shape[1:]) == step.shape, (step.name, value.shape, step.shape)
        values[step.name] = value
    return {name: value.numpy() for name, value in values.items()}


def _run(op, inputs, shape):
    if isinstance(op, (g.Add, g.Mul)):
        return _join(op, inputs)
    if isinstance(op, g.Concatenate):
        return torch.cat(inputs, op.axis + 1)
    (x,) = inputs
    match op:
        case g.Linear():
            return F.linear(x, _tensor(op.weight), _tensor(op.bias))
        case g.Conv():
            run = F.conv1d if op.weight.ndim == 3 else F.conv2d
            return run(_padded(x, op.padding, 0.0), _tensor(op.weight), _tensor(op.bias),
                       op.stride, 0, op.dilation, op.groups)  # fmt: skip
        case g.Norm():
            return F.batch_norm(x, _tensor(op.mean), _tensor(op.var), _tensor(op.gamma),
                                _tensor(op.beta), eps=op.eps)  # fmt: skip
        case g.Affine():
            return _tensor(op.scale) * x + _tensor(op.offset)
        case g.Function():
            return _function(op, x)
        case g.PoolOf():
            return _pool(op, x)
        case g.Pad():
            return _padded(x, op.amounts, op.value)
        case g.Reshape():
            return x.reshape(len(x), *shape)
        case g.Permute():
            return x.permute(0, *(axis + 1 for axis in op.order))
        case g.Slice():
            return torch.from_numpy(_sliced(op, x.numpy()).copy())
        case g.Upsample():
            for axis, factor in enumerate(op.factors):
                x = x.repeat_interleave(factor, axis + 1)
            return x
        case g.SoftmaxOf():
            return (F.log_softmax if op.log else F.softmax)(x, op.axis + 1)
        case g.ArgmaxOf():  # numpy's is the first of equal ones by contract
            best = np.argmin if op.smallest else np.argmax
            return torch.from_numpy(best(x.numpy(), op.axis + 1).astype(np.float64))
        case g.TopKOf():
            order = np.argsort(-x.numpy(), axis=op.axis + 1, kind="stable")
            index = torch.from_numpy(order).narrow(op.axis + 1, 0, op.k)
            return x.gather(op.axis + 1, index) if op.values else index.double()
        case g.Dropout():
            return x
    raise AssertionError(f"no such operation: {op}")


def _tensor(values):
    return torch.from_numpy(np.array(values, dtype=np.float64))


def _join(op, inputs):
    axes = max(x.ndim for x in inputs)  # the batch stays first while the others broadcast
    inputs = [x.reshape(len(x), *(1,) * (axes - x.ndim), *x.shape[1:]) for x in inputs]
    if isinstance(op, g.Mul):
        return inputs[0] * inputs[1]
    assert len(op.factors) == len(inputs)
    return sum(factor * x for factor, x in zip(op.factors, inputs, strict=True))


def _sliced(op, x):
    size = x.shape[op.axis + 1]
    places = range(op.start, op.stop, op.step)
    assert all(0 <= place < size for place in places)
    return np.take(x, list(places), axis=op.axis + 1)


def _padded(x, amounts, value):
    """``amounts`` for the last axes, before and after."""
    flat = [amount for pair in reversed(amounts) for amount in pair]
    return F.pad(x, flat, value=value)


def _function(op, x):
    plain = {
        "relu": F.relu,
        "sigmoid": torch.sigmoid,
        "tanh": torch.tanh,
        "hardswish": F.hardswish,
        "gelu": F.gelu,
        "silu": F.silu,
        "softplus": F.softplus,
        "exp": torch.exp,
        "neg": torch.neg,
        "abs": torch.abs,
    }
    if op.name in plain:
        return plain[op.name](x)
    match op.name:
        case "clamp":
            return x.clamp(op.low, op.high)
        case "leaky_relu":
            return F.leaky_relu(x, op.slope)
        case "elu":
            return F.elu(x, op.slope)
        case "gelu_tanh":
            return F.gelu(x, approximate="tanh")
        case "hardsigmoid":
            if (op.slope, op.offset) in ((0.0, 0.0), (1 / 6, 0.5)):  # unset: those of torch
                return F.hardsigmoid(x)
            return (op.slope * x + op.offset).clamp(0, 1)
    raise AssertionError(f"no such function: {op.name}")


def _pool(op, x):
    """Windows one by one, so that nothing here depends on what a library makes of padding."""
    spatial = len(op.kernel)
    empty = -np.inf if op.kind == "max" else 0.0
    there = _padded(torch.ones_like(x), op.padding, 0.0)
    x = _padded(x, op.padding, empty)
    first = x.ndim - spatial
    for axis in range(spatial):  # each leaves the windows in place and puts the kernel last
        span = op.dilation[axis] * (op.kernel[axis] - 1) + 1
        x, there = (
            values.unfold(first + axis, span, op.stride[axis])[..., :: op.dilation[axis]]
            for values in (x, there)
        )
    places = tuple(range(-spatial, 0))
    if op.kind == "max":
        return x.amax(places)
    if op.divisor is not None:
        count = op.divisor
    elif op.count_padding:
        count = math.prod(op.kernel)
    else:
        count = there.sum(places)
    return x.sum(places) / count
