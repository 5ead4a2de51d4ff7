"""What follows from a layer alone, reckoned once for all plans that are tried for it."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

__all__ = ["once_each"]

Result = TypeVar("Result")


def once_each(function: Callable[..., Result]) -> Callable[..., Result]:
    """Make a function of a frozen object remember its results for as long as the object is there.

    Parameters
    ----------
    function : callable
        Of an object that is equal to none but itself, and of further arguments that hash.

    Examples
    --------
    >>> from spintron_ir import IntType, TopK
    >>> asked = []
    >>> @once_each
    ... def inputs(layer, times=1):
    ...     asked.append(layer)
    ...     return times * layer.in_shape[0]
    >>> layer = TopK(in_shape=(10,), input=IntType(4), k=2)
    >>> inputs(layer), inputs(layer), inputs(layer, 2), len(asked)
    (10, 10, 20, 2)
    """
    known: WeakKeyDictionary[Any, dict[tuple[Any, ...], Result]] = WeakKeyDictionary()

    @wraps(function)
    def remembered(owner: Any, *others: Any) -> Result:
        results = known.setdefault(owner, {})
        if others not in results:
            results[others] = function(owner, *others)
        return results[others]

    return remembered
