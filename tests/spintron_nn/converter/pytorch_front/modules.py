"""Modules of a function, and what the torch front end makes of them."""

import pytest
import torch
from torch import nn

from spintron_ir import ConversionError
from spintron_nn.converter.loading import quiet
from spintron_nn.converter.pytorch_front import parse

__all__ = ["MIXES", "Made", "Pair", "findings_of", "kinds", "program_of", "read"]

MIXES = (
    "mixes the inputs of a batch; keep the batch the first axis of every value and work on the "
    "others"
)


class Made(nn.Module):
    """A function as a module, with layers ``a``, ``b``, ... for it."""

    def __init__(self, function, *layers):
        super().__init__()
        self.function = function
        for name, layer in zip("abcdef", layers):
            setattr(self, name, layer)

    def forward(self, x):
        return self.function(self, x)


class Pair(nn.Module):
    """A function of two tensors."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, y):
        return self.function(x, y)


def program_of(model, *shapes, batch=2, free=False, core=False):
    torch.manual_seed(0)
    given = tuple(torch.randn(batch, *shape) for shape in shapes)
    axes = tuple({0: torch.export.Dim("batch", min=2)} for _ in given) if free else None
    with quiet():
        program = torch.export.export(model.eval(), given, dynamic_shapes=axes)
        return program.run_decompositions() if core else program


def read(function, *shapes, layers=(), **options):
    return parse(program_of(Made(function, *layers), *shapes, **options))


def findings_of(program):
    with pytest.raises(ConversionError) as caught:
        parse(program)
    return list(caught.value.findings)


def kinds(model):
    return [type(step.operation).__name__ for step in model.steps]
