"""An exported PyTorch program as a stack of dense stages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .pytorch_front import parse as model_of
from .stack import Stack
from .stack_of import stack_of

if TYPE_CHECKING:
    from torch.export import ExportedProgram

__all__ = ["parse"]


def parse(program: ExportedProgram) -> Stack:
    """Read a program as a stack of Linear, BatchNorm1d and ReLU layers, or raise all findings."""
    return stack_of(model_of(program))
