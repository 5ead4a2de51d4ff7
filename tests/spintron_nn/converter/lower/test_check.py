"""Tests of spintron_nn.converter.lower.check: every refusal, whole."""

import re
from dataclasses import replace

import numpy as np
import pytest

from spintron_ir import ConversionError
from spintron_nn import MTJConfig
from spintron_nn.converter import graph as g
from spintron_nn.converter.lower import check, lower
from spintron_nn.converter.settings import Settings
from spintron_nn.core.chip import Chip
from tests.spintron_nn.converter.lower.random_models import Build, conv, linear, norm

RANDOM = np.random.default_rng(0)


def one(operation, *shapes, given=None):
    """A model of one step on inputs of these shapes, whose result has a given shape."""
    build = Build(**{f"x{number}": shape for number, shape in enumerate(shapes)})
    build.add(operation, *build.inputs, name="it", shape=given)
    return build.model()


def indices_taken():
    build = Build(x=(4,))
    build.add(g.ArgmaxOf(0), "x", name="best")
    build.add(g.Reshape(), "best", name="again", shape=(1,))
    build.add(g.Function("relu"), "again", name="after")
    return build.model()


def unused():
    build = Build(x=(4,), z=(3,))
    build.add(g.Function("relu"), "x")
    return build.model()


def pool(kind="max", kernel=(1,), padding=((1, 0),), *, count=False):
    return g.PoolOf(kind, kernel, (1,), padding, (1,), count_padding=count)


BROKEN = replace(norm(RANDOM, 3), mean=np.array([0.0, np.nan, np.inf]))
FINDINGS = {
    "unused": (unused, "z: nothing takes this input; remove it"),
    "input": (
        lambda: one(g.Slice(1, 0, 1), (1 << 10, 1 << 15)),
        "x0: takes a tensor of shape (1024, 32768); a tensor of a network has at most 8 axes and "
        "1 to 16777216 values: make it smaller",
    ),
    "axes": (
        lambda: one(g.Reshape(), (1,), given=(1,) * 9),
        f"it: gives a tensor of shape {(1,) * 9}; a tensor of a network has at most 8 axes and "
        "1 to 16777216 values: make it smaller",
    ),
    "numbers": (
        lambda: one(BROKEN, (3,)),
        "it: 2 of 3 values of its mean are not finite; train again from a checkpoint before they "
        "became so",
    ),
    "variance": (
        lambda: one(replace(norm(RANDOM, 2), var=np.array([1.0, 0.0]), eps=0.0), (2,), given=(2,)),
        "it: has a variance that is not above 0; train again with a larger eps",
    ),
    "linear": (
        lambda: one(g.Linear(np.zeros((2, 0)), np.zeros(2)), (3,), given=(2,)),
        "it: has no weights; remove it",
    ),
    "conv": (
        lambda: one(conv(RANDOM, 1, 1, (1, 1, 1)), (1, 2, 2, 2), given=(1, 2, 2, 2)),
        "it: has a kernel of 3 axes on a tensor of shape (1, 2, 2, 2); only (channels, length) and "
        "(channels, height, width) are converted: reshape before it",
    ),
    "windows": (
        lambda: one(conv(RANDOM, 64, 1, (9, 9)), (64, 72, 72), given=(1, 64, 64)),
        "it: its windows hold 21233664 values together, and a network holds at most 16777216: use "
        "a smaller image, more stride or fewer channels",
    ),
    "empty": (
        lambda: one(pool(), (2, 4)),
        "it: has windows that lie in the padding alone; use less padding",
    ),
    "empty mean": (
        lambda: one(pool("average"), (2, 4)),
        "it: has windows that lie in the padding alone; use less padding",
    ),
    "pad": (
        lambda: one(g.Pad(((1, 1),), 0.5), (3,)),
        "it: pads with 0.5, which no code need stand for; pad with 0, or use the padding of the "
        "layer behind it",
    ),
    "function": (
        lambda: one(g.Function("sine"), (3,), given=(3,)),
        f"it: the function sine is not converted; use one of {', '.join(g.FUNCTIONS)}",
    ),
    "parameter": (
        lambda: one(g.Function("clamp", low=np.nan), (3,), given=(3,)),
        "it: has a parameter that is not a number; give one",
    ),
    "factor": (
        lambda: one(g.Add((1.0, 0.1)), (3,), (3,)),
        "it: has the factor 0.1, whose sum is exact only with at most 24 significant bits; round "
        "it to a 32-bit float",
    ),
    "many": (
        lambda: one(g.Add((1.0,) * 65), *[(3,)] * 65),
        "it: adds 65 tensors, and a sum has at most 64; add in steps",
    ),
    "side by side": (
        lambda: one(g.Concatenate(0), *[(3,)] * 65),
        "it: joins 65 tensors, and at most 64 are converted; join in steps",
    ),
    "best of many": (
        lambda: one(g.ArgmaxOf(0), ((1 << 16) + 1,)),
        "it: compares 65537 values, and at most 65536 are converted; cut them",
    ),
    "largest of many": (
        lambda: one(g.TopKOf(1, 0), ((1 << 16) + 1,)),
        "it: compares 65537 values, and at most 65536 are converted; cut them",
    ),
    "too many": (
        lambda: one(g.TopKOf(5, 0), (4,), given=(5,)),
        "it: asks for the 5 largest of 4; ask for 1 to 4",
    ),
    "indices": (
        indices_taken,
        "best: its indices are taken by after, and no codes are made of indices; make them an "
        "output",
    ),
    "logarithm": (
        lambda: one(g.SoftmaxOf(0, log=True), (4,)),
        "it: a logarithm of shares is not converted; leave it out: the values before it have the "
        "same order",
    ),
    "shares": (
        lambda: one(g.SoftmaxOf(0), (4096,)),
        "it: has 4096 values in a sum, and at most 4095 are converted; leave it out",
    ),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_findings(name):
    model, finding = FINDINGS[name]
    model = model()
    assert check(model) == [finding]
    data = {name: np.zeros((1, *(0,) * len(shape))) for name, shape in model.inputs.items()}
    made = Settings(chip=Chip(MTJConfig()))
    with pytest.raises(
        ConversionError,
        match=rf"^the model cannot be converted \(1 finding\): {re.escape(finding)}$",
    ):
        lower(model, data, made)


def test_all_findings_at_once_by_their_origin():
    build = Build(x=(3, 4, 4))
    build.add(g.Pad(((0, 0), (1, 1), (1, 1)), -1.0), "x")
    build.add(conv(RANDOM, 3, 2, (3, 3)), "s0_pad")
    build.add(g.SoftmaxOf(0, log=True), "s1_conv")
    model = build.model()
    steps = tuple(replace(step, origin=f"net.{step.name} (Op)") for step in model.steps)
    found = check(replace(model, steps=steps))
    assert [finding.split(":")[0] for finding in found] == [
        "net.s0_pad (Op)", "net.s2_softmaxof (Op)",
    ]  # fmt: skip


def test_groups_that_a_reference_column_cannot_span():
    model = one(conv(RANDOM, 2, 12, (1,), groups=2), (2, 3))
    made = Settings(chip=Chip(MTJConfig()), scheme="reference", crossbar_size=4)
    assert check(model, made) == [
        "it: has 6 columns a group, and a tile of 4 that shares a reference column cannot span two "
        "groups; use scheme='pair', or another crossbar_size"
    ]
    assert check(model, replace(made, crossbar_size=3)) == []
    assert check(model, replace(made, scheme="pair")) == []
    assert check(model) == []


def test_what_fits_has_no_findings():
    build = Build(x=(3, 4, 4))
    build.add(g.Pad(((0, 0), (1, 1), (-1, 1))), "x")
    build.add(g.Add((0.5, float(np.float32(0.1)))), "s0_pad", "s0_pad")
    build.add(g.Reshape(), "s1_add", shape=(72,))
    build.add(linear(RANDOM, 72, 4), "s2_reshape")
    build.add(g.SoftmaxOf(0), "s3_linear")
    assert check(build.model()) == []
