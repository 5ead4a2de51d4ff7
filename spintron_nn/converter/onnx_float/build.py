"""A model in the making: steps, their names, and the shapes in which they are taken."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from spintron_nn.converter.graph import Operation as Real
from spintron_nn.converter.graph import Reshape, Step
from spintron_nn.converter.onnx_front.names import Names
from spintron_nn.converter.onnx_front.reading import Operation, Refusal

from .tensors import Value, said

__all__ = ["Builder", "Shape"]

Shape = tuple[int, ...]

MAX_STEPS = 1 << 14
MAX_VALUES = 1 << 24
MAX_HELD = 1 << 28


class Builder:
    """Steps made so far.

    Parameters
    ----------
    batch : int or None
        Size of the first axis of every tensor, which no operator may look into; None where the
        whole tensors are one frame.

    Attributes
    ----------
    inputs : dict of str to tuple of int
        Shapes of the model's inputs.
    steps : dict of str to Step
        Steps by name, in order.
    """

    def __init__(self, batch: int | None) -> None:
        self.batch = batch
        self.inputs: dict[str, Shape] = {}
        self.steps: dict[str, Step] = {}
        self._names = Names()
        self._counts: Counter[str] = Counter()
        self._held = 0
        self._views: dict[tuple[str, Shape], str] = {}

    def give(self, name: str, shape: Shape, frame: Shape, whole: bool) -> Value:
        """An input of the model."""
        free = self._names.free(name)
        self.inputs[free] = frame or (1,)
        return Value(free, frame or (1,), shape, whole)

    def lead(self, values: Iterable[Value], axes: Iterable[int] = (0,)) -> int:
        """First axis of the graph that belongs to a frame: 1 after a batch, else 0.

        Parameters
        ----------
        values : iterable of Value
            Tensors that an operator takes.
        axes : iterable of int
            Axes that it looks along, counted from the front; by default none but the first
            matters, and that must be no batch.

        Raises
        ------
        Refusal
            If it looks along the batch.
        """
        axes = tuple(axes)
        if self.batch is not None:
            if 0 in axes:
                raise Refusal(
                    "works along the batch axis: frames are converted one by one; keep it first"
                )
            return 1
        alone = all(len(value.shape) > 1 and value.shape[0] == 1 for value in values)
        return int(alone and 0 not in axes)

    def image(self, value: Value, least: int, most: int) -> Shape:
        """Channels and spatial axes of a tensor ``(frames, channels, ...)``.

        Raises
        ------
        Refusal
            If it has other numbers of spatial axes than :py:`least` to :py:`most`, or several
            frames where all of the tensor is one.
        """
        shape = value.shape
        if not least <= len(shape) - 2 <= most:
            known = f"{least}" if least == most else f"{least} to {most}"
            raise Refusal(
                f"takes values of shape {said(shape)}, and {known} spatial axes are converted: "
                "reshape them"
            )
        if self.batch is None and shape[0] != 1:
            raise Refusal(f"takes {shape[0]} frames as one: split them")
        return shape[1:]

    def view(self, op: Operation, value: Value, frame: Shape) -> str:
        """Name of the step that gives a tensor in the shape :py:`frame`."""
        if value.have == frame:
            return value.step
        frame = frame or (1,)
        if value.have == frame:
            return value.step
        if (value.step, frame) not in self._views:
            made = self.add(op, Reshape(), [value.step], frame, "view")
            self._views[value.step, frame] = made
        return self._views[value.step, frame]

    def add(
        self, op: Operation, real: Real, inputs: Sequence[str], frame: Shape, suffix: str = ""
    ) -> str:
        """Add a step; return its name."""
        if len(frame) > 8 or min(frame, default=1) < 1 or math.prod(frame) > MAX_VALUES:
            raise Refusal(
                f"gives frames of shape {said(frame)}; up to 8 axes and at most 2**24 values are "
                "converted: correct its sizes"
            )
        if len(self.steps) >= MAX_STEPS:
            raise Refusal(f"needs more than {MAX_STEPS} steps: split the model")
        self._held += sum(np.size(value) for value in vars(real).values())
        if self._held > MAX_HELD:
            raise Refusal("has weights beyond 2**28 values together with those before: split it")
        base = f"{op.name[:32]}_{suffix}" if suffix else op.name[:36]
        self._counts[base] += 1
        again = self._counts[base]
        name = self._names.free(base if again == 1 else f"{base}_{again}")
        self.steps[name] = Step(name, real, tuple(inputs), frame, f"{op.name} ({op.kind})")
        return name

    def emit(
        self, op: Operation, real: Real, inputs: Sequence[tuple[Value, Shape]], shape: Shape,
        lead: int, frame: Shape | None = None, whole: bool = False, suffix: str = "",
    ) -> Value:  # fmt: skip
        """Add a step on tensors taken in given shapes; return its result.

        Parameters
        ----------
        op : Operation
            Operator that it stands for.
        real : Operation
            What it computes.
        inputs : sequence of (Value, tuple of int)
            Tensors, and the shapes of their frames.
        shape : tuple of int
            Shape of the result in the graph.
        lead : int
            First axis of that which belongs to a frame.
        frame : tuple of int or None
            Shape of the result's frame, where it is not that.
        whole : bool
            Whether the result is of integers.
        suffix : str
            Behind the name of the operator.
        """
        frame = (shape[lead:] or (1,)) if frame is None else frame
        names = [self.view(op, value, wanted) for value, wanted in inputs]
        return Value(self.add(op, real, names, frame, suffix), frame, shape, whole)

    def each(self, op: Operation, real: Real, value: Value, **given: Any) -> Value:
        """Add a step on single values."""
        return self.emit(
            op, real, [(value, value.have)], value.shape, 0, value.have, value.whole, **given
        )

    def maker(self, value: Value) -> Step | None:
        """Step that makes a tensor; None where it is an input."""
        return self.steps.get(value.step)
