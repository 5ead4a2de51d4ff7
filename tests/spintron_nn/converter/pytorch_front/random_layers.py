"""Functions and layers, drawn at random, that fit a value: all that the torch front end takes.

Weights are small integers, so that sums are exact.
"""

import torch
from torch import nn
from torch.nn import functional as F

__all__ = ["EXACT", "ORDERED", "averaged", "integers", "pick", "smooth"]


def integers(random, *shape, low=-2, high=3):
    return torch.tensor(random.integers(low, high, shape)).double()


def filled(random, layer):
    """A layer in float64 whose parameters are small integers."""
    layer = layer.double().eval()
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.copy_(integers(random, *parameter.shape))
    return layer


def spatial_of(x):
    return x.ndim - 2 if x.ndim in (3, 4) else None


def pick(random, *choices):
    return choices[random.integers(len(choices))]


def amounts(random, sizes, low, high):
    return [int(random.integers(low, high)) for _ in sizes]


# Makers of exact operations: from a generator and a value to a function, and layers of it.


def linear(random, x):
    if x.ndim < 2 or x.shape[-1] > 64:
        return None
    outputs, bias = int(random.integers(1, 6)), pick(random, True, False)
    return filled(random, nn.Linear(x.shape[-1], outputs, bias))


def conv(random, x):
    spatial = spatial_of(x)
    if spatial is None:
        return None
    channels = x.shape[1]
    groups = pick(random, *(g for g in (1, 2, channels) if channels % g == 0))
    kind = {1: nn.Conv1d, 2: nn.Conv2d}[spatial]
    kernel = tuple(amounts(random, x.shape[2:], 1, 4))
    dilation = tuple(amounts(random, x.shape[2:], 1, 3))
    mode = pick(random, "zeros", "zeros", "zeros", "reflect", "replicate", "circular")
    padding = pick(random, "same", "valid", tuple(amounts(random, x.shape[2:], 0, 3)))
    stride = 1 if padding == "same" else tuple(amounts(random, x.shape[2:], 1, 3))
    outputs, bias = groups * int(random.integers(1, 4)), pick(random, True, False)
    return filled(
        random,
        kind(channels, outputs, kernel, stride, padding, dilation, groups, bias, mode),
    )


def transposed(random, x):
    spatial = spatial_of(x)
    if spatial is None:
        return None
    kind = {1: nn.ConvTranspose1d, 2: nn.ConvTranspose2d}[spatial]
    channels = x.shape[1]
    groups = pick(random, *(g for g in (1, 2) if channels % g == 0))
    stride = tuple(amounts(random, x.shape[2:], 1, 4))
    dilation = tuple(amounts(random, x.shape[2:], 1, 3))
    most = [max(pair) - 1 for pair in zip(stride, dilation)]
    extra = tuple(min(int(random.integers(0, 2)), limit) for limit in most)
    kernel, padding = (tuple(amounts(random, stride, low, low + 3)) for low in (1, 0))
    return filled(
        random,
        kind(channels, 2 * groups, kernel, stride, padding, extra, groups, True, dilation),
    )


def norm(random, x):
    kind = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}.get(x.ndim)
    if kind is None:
        return None
    layer = filled(random, kind(x.shape[1], eps=0.0, affine=pick(random, True, False)))
    layer.running_mean.copy_(integers(random, x.shape[1]))
    layer.running_var.copy_(4.0 ** integers(random, x.shape[1], low=-1, high=2))
    return layer


def simple(random, x):
    return pick(
        random,
        F.relu,
        nn.ReLU(inplace=True).eval(),
        F.relu6,
        torch.neg,
        torch.abs,
        lambda x: F.leaky_relu(x, 0.25),
        lambda x: F.hardtanh(x, -3.0, 5.0),
        lambda x: x.clamp(min=-2),
        lambda x: x.clamp(max=4.0),
        lambda x: F.dropout(x, 0.5, training=False),
        lambda x: x.contiguous(),
        lambda x: torch.maximum(x, torch.tensor(1.0, dtype=torch.float64)),
        filled(random, nn.PReLU()),
        nn.Identity(),
        lambda x: x.to(torch.float64),
    )


def with_constant(random, x):
    tail = tuple(pick(random, 1, size) for size in x.shape[1 + int(random.integers(0, x.ndim)) :])
    constant = integers(random, *pick(random, tail, tail, (1,) * (x.ndim - len(tail)) + tail))
    number = float(random.integers(-3, 4))
    return pick(
        random,
        lambda x: x + constant,
        lambda x: constant - x,
        lambda x: x * constant,
        lambda x: x / 4,
        lambda x: x + number,
        lambda x: torch.sub(x, constant, alpha=2),
        lambda x: number - x,
        lambda x: x / (constant.abs() + 1).exp2(),
    )


def shape_of(random, x):
    first = int(random.integers(1, x.ndim)) if x.ndim > 1 else 0
    parts = [p for p in (2, 3) if x.ndim > 1 and x.shape[first] % p == 0]
    choices = [lambda x: x.reshape(x.shape[0], -1)]
    if x.ndim > 1:
        choices += [
            lambda x: x.flatten(first),
            lambda x: x.unsqueeze(first),
            lambda x: x.flatten(1).unsqueeze(-1),
        ]
    if x.ndim > 2 and x.shape[first] == 1:
        choices.append(lambda x: x.squeeze(first))
    if parts:
        part = pick(random, *parts)
        choices.append(lambda x: x.unflatten(first, (-1, part)))
        choices.append(lambda x: x.view(*x.shape[:first], part, -1, *x.shape[first + 1 :]))
    return pick(random, *choices)


def order_of(random, x):
    if x.ndim < 3:
        return None
    order = [0, *(1 + int(axis) for axis in random.permutation(x.ndim - 1))]
    one, two = order[1], order[-1]
    return pick(
        random,
        lambda x: x.permute(*order),
        lambda x: x.transpose(one, two),
        lambda x: x.permute(*order).contiguous(),
        lambda x: x.movedim(one, two),
        lambda x: x.mT if x.ndim > 2 else x,
    )


def part_of(random, x):
    axis = int(random.integers(1, x.ndim)) if x.ndim > 1 else 0
    size = x.shape[axis] if axis else 1
    if size < 2:
        return None
    start = int(random.integers(0, size - 1))
    places = torch.tensor(random.integers(0, size, 3))
    return pick(
        random,
        lambda x: x.narrow(axis, start, size - start),
        lambda x: x.select(axis, start),
        lambda x: x.chunk(2, axis)[1],
        lambda x: x.split(1 + start, axis)[-1],
        lambda x: torch.cat(x.split([start + 1, size - start - 1], axis)[::-1], axis),
        lambda x: torch.stack(x.unbind(axis)[:2], axis),
        lambda x: x.transpose(1, axis)[:, start::2].transpose(1, axis),
        lambda x: x.index_select(axis, places),
        lambda x: x.flip(axis),
        lambda x: x.roll(1 + start, axis),
        lambda x: x.tensor_split(2, axis)[0],
    )


def spread(random, x):
    if x.ndim < 2:
        return None
    spatial = spatial_of(x)
    axis = int(random.integers(1, x.ndim))
    pads = [int(random.integers(-1 if size > 3 else 0, 3)) for size in x.shape[:0:-1] for _ in "ab"]
    pads = pads[: 2 * int(random.integers(1, x.ndim))]
    choices = [
        lambda x: F.pad(x, pads, value=2.0),
        lambda x: x.repeat_interleave(2, axis),
        lambda x: x.repeat(*(2 if at == axis else 1 for at in range(x.ndim))),
        lambda x: torch.cat([x, torch.zeros_like(x)], axis),
        lambda x: torch.cat([torch.ones_like(x), x, x], axis),
        lambda x: x.unsqueeze(axis).expand(*x.shape[:axis], 2, *x.shape[axis:]),
    ]
    if spatial and min(x.shape[2:]) > 1:
        mode = pick(random, "reflect", "replicate", "circular")
        choices.append(lambda x: F.pad(x, [1, 0, 1, 1][: 2 * spatial], mode=mode))
    if spatial:
        factor = int(random.integers(1, 4))
        choices.append(lambda x: F.interpolate(x, scale_factor=factor, mode="nearest"))
        choices.append(lambda x: F.interpolate(x, size=[2 * size for size in x.shape[2:]]))
        choices.append(lambda x: F.interpolate(x, scale_factor=2.0, mode="nearest-exact"))
    return pick(random, *choices)


def shuffled(random, x):
    if x.ndim != 4:
        return None
    choices = []
    if x.shape[1] % 2 == 0:
        choices.append(lambda x: F.channel_shuffle(x, 2))
    if x.shape[1] % 4 == 0:
        choices.append(lambda x: F.pixel_shuffle(x, 2))
    if x.shape[2] % 2 == 0 and x.shape[3] % 2 == 0:
        choices.append(lambda x: F.pixel_unshuffle(x, 2))
    return pick(random, *choices) if choices else None


def largest(random, x):
    spatial = spatial_of(x)
    axis = int(random.integers(1, x.ndim)) if x.ndim > 1 else 0
    if not axis:
        return None
    keep = pick(random, True, False)
    choices = [
        lambda x: x.amax(axis, keepdim=keep),
        lambda x: x.amin(axis, keepdim=keep),
        lambda x: x.max(axis)[0],
        lambda x: x.topk(1, axis).values,
        lambda x: x.topk(min(2, x.shape[axis]), axis, largest=False)[0],
        lambda x: x.sort(axis, descending=keep)[0],
        lambda x: x.amax(tuple(range(1, x.ndim)), keepdim=True),
    ]
    if spatial:
        kernel, stride, padding, dilation = windows(random, x)
        ceil = pick(random, True, False)
        run = {1: F.max_pool1d, 2: F.max_pool2d}[spatial]
        choices += [lambda x: run(x, kernel, stride, padding, dilation, ceil)] * 5
        adaptive = {1: F.adaptive_max_pool1d, 2: F.adaptive_max_pool2d}[spatial]
        choices.append(lambda x: adaptive(x, 1))
    return pick(random, *choices)


def windows(random, x):
    kernel = amounts(random, x.shape[2:], 1, 4)
    return (
        kernel,
        amounts(random, kernel, 1, 4),
        [int(random.integers(0, size // 2 + 1)) for size in kernel],
        amounts(random, kernel, 1, 3),
    )


def ranked(random, x):
    if x.ndim < 2:
        return None
    axis = int(random.integers(1, x.ndim))
    keep = pick(random, True, False)
    return pick(
        random,
        lambda x: torch.argmax(x, axis, keepdim=keep).double(),
        lambda x: torch.argmin(x, axis, keepdim=keep).double(),
        lambda x: x.max(axis, keepdim=keep).indices.to(x.dtype),
    )


EXACT = [linear, conv, conv, conv, transposed, norm, simple, simple, with_constant, shape_of,
         order_of, part_of, spread, shuffled, largest, largest, ranked]  # fmt: skip
ORDERED = [simple, shape_of, order_of, part_of, spread, shuffled, largest]


# Makers of what is not exact.


def smooth(random, x):
    return pick(
        random,
        torch.sigmoid,
        torch.tanh,
        F.silu,
        F.gelu,
        lambda x: F.gelu(x, approximate="tanh"),
        F.elu,
        lambda x: F.elu(x, 0.5),
        F.selu,
        lambda x: F.celu(x, 2.0),
        F.softplus,
        lambda x: F.softplus(x, beta=2.0),
        F.hardsigmoid,
        F.hardswish,
        F.logsigmoid,
        lambda x: torch.exp(-x.abs()),
        lambda x: F.rrelu(x),
        lambda x: x / 3,
        lambda x: x**2,
    )


def averaged(random, x):
    spatial = spatial_of(x)
    if x.ndim < 2:
        return None
    axis = int(random.integers(1, x.ndim))
    keep = pick(random, True, False)
    choices = [
        lambda x: x.mean(axis, keepdim=keep),
        lambda x: x.sum(axis, keepdim=keep),
        lambda x: x.mean(tuple(range(1, x.ndim))),
        lambda x: F.softmax(x, axis),
        lambda x: F.log_softmax(x, axis),
    ]
    if spatial:
        kernel, stride, padding, _ = windows(random, x)
        ceil, count = pick(random, True, False), pick(random, True, False)
        if spatial == 1:
            choices += [lambda x: F.avg_pool1d(x, kernel, stride, padding, ceil, count)] * 5
        else:
            divisor = pick(random, None, None, 3)
            choices += [
                lambda x: F.avg_pool2d(x, kernel, stride, padding, ceil, count, divisor)
            ] * 5
        adaptive = {1: F.adaptive_avg_pool1d, 2: F.adaptive_avg_pool2d}[spatial]
        choices.append(lambda x: adaptive(x, 1))
        choices.append(lambda x: x.mean((2, 3)[:spatial], keepdim=keep))
    return pick(random, *choices)
