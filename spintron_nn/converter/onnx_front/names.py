"""Names of a graph made fit for a network."""

from __future__ import annotations

import re

__all__ = ["Names"]


class Names:
    """Names that are taken.

    Parameters
    ----------
    taken : str
        Names taken from the start.

    Examples
    --------
    >>> names = Names("x")
    >>> names.free("MatMul_18"), names.free("x"), names.free("Mat Mul-18")
    ('matmul_18', 'x_', 'mat_mul_18')
    """

    def __init__(self, *taken: str) -> None:
        self._taken = set(taken)

    def free(self, wanted: str) -> str:
        """A name close to :py:`wanted` that is not taken yet, and is from now on."""
        name = re.sub(r"[^a-z0-9_]+", "_", wanted.lower())[:40].strip("_")
        if not name or not name[0].isalpha():
            name = f"n{name}"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name
