"""Functions that Numba compiles, and threads that they share work among."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from itertools import pairwise
from typing import Any

from numba import njit

__all__ = ["compiled", "shared"]


def compiled(function: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Compile a function; machine code stays on disk where there is a folder for it.

    The first call compiles it, which takes seconds, or loads it. Numba knows of changes in the
    file of the function alone: what it calls must be in the same file. Other threads of Python
    run meanwhile.

    Parameters
    ----------
    function : callable or None
        The function; without it, what decorates one.
    **options
        Further ones of ``numba.njit``.
    """
    if function is None:
        return partial(compiled, **options)
    try:
        return njit(function, nogil=True, cache=True, **options)
    except RuntimeError:  # neither the package nor the user's home can be written
        return njit(function, nogil=True, **options)


@cache
def _pool(_: int) -> ThreadPoolExecutor:
    """Threads of a process; a fork of it has none of them and gets its own."""
    return ThreadPoolExecutor(os.cpu_count())


def shared(work: Callable[[int, int], Any], pieces: int, threads: int) -> None:
    """Let threads do pieces of work, the first and the one past the last of which each is given.

    Fewer than two threads: this one alone. What fails in one of them fails here.
    """
    threads = max(1, threads)
    cuts = [pieces * thread // threads for thread in range(threads + 1)]
    ends = list(pairwise(cuts))
    others = [_pool(os.getpid()).submit(work, *each) for each in ends[1:]]
    work(*ends[0])
    for other in others:
        other.result()
