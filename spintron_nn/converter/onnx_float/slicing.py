"""Places of an axis that an operator takes, in order: Slice, Gather, Split, Pad, Resize."""

from __future__ import annotations

from spintron_nn.converter.onnx_front.reading import Operation, Refusal

from .attributes import AGAIN, axis_of, sizes
from .tensors import Part

__all__ = ["runs_of", "slices_of"]


def slices_of(op: Operation, parts: list[Part], shape: tuple[int, ...]) -> list[tuple[int, range]]:
    """Axes that a ``Slice`` cuts, and the places that it takes of each."""
    if len(parts) == 1:  # before opset 10
        starts, ends = op.attributes.get("starts"), op.attributes.get("ends")
        if not isinstance(starts, tuple) or not isinstance(ends, tuple):
            raise Refusal(f"lacks its starts and ends: {AGAIN}")
        default = tuple(range(len(starts)))
        axes = op.attributes.get("axes", default)
        steps: tuple[int, ...] = (1,) * len(starts)
    else:
        more = [*parts[1:], None, None, None]
        starts, ends = sizes(more[0], "starts"), sizes(more[1], "ends")
        axes = tuple(range(len(starts))) if more[2] is None else sizes(more[2], "axes")
        steps = (1,) * len(starts) if more[3] is None else sizes(more[3], "steps")
    if not len(starts) == len(ends) == len(axes) == len(steps) <= len(shape):
        raise Refusal(f"has starts, ends, axes and steps of different lengths: {AGAIN}")
    found: list[tuple[int, range]] = []
    for start, end, given_axis, step in zip(starts, ends, axes, steps, strict=True):
        axis = axis_of(given_axis, len(shape))
        if step == 0 or axis in (done for done, _ in found):
            raise Refusal(f"has a step of 0 or an axis twice: {AGAIN}")
        places = range(shape[axis])[start:end:step]
        found.append((axis, places))
    return found


def runs_of(places: list[int]) -> list[tuple[int, int, int]]:
    """Places of an axis as few slices ``(start, count, step)``, one after the other.

    Steps are not 0: repeated places are runs of their own.

    Examples
    --------
    >>> runs_of([3, 4, 5, 0, 2, 4]), runs_of([2, 1, 0]), runs_of([7, 7])
    ([(3, 3, 1), (0, 3, 2)], [(2, 3, -1)], [(7, 1, 1), (7, 1, 1)])
    """
    runs: list[tuple[int, int, int]] = []
    at = 0
    while at < len(places):
        start, count, step = places[at], 1, 1
        if at + 1 < len(places) and places[at + 1] != start:
            step = places[at + 1] - start
            while at + count < len(places) and places[at + count] == start + count * step:
                count += 1
        if count == 2 and step != 1 and at + 2 < len(places) and places[at + 2] != places[at + 1]:
            count, step = 1, 1  # the second may begin a longer run
        runs.append((start, count, step))
        at += count
    return runs
