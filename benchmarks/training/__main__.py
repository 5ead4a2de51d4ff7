"""``python -m benchmarks.training``: what training for the chip reaches, and how fast it is.

Accuracies are of held-out data on sampled chips, beside the limits that were set for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module

from benchmarks.rows import Row, main

PARTS = ("step", "chips", "bits", "energy", "figures")
"""Modules of this family, the quick ones first; each has ``rows(quick)``."""


def rows(quick: bool) -> Iterator[Row]:
    """Rows of every part; what a part needs is loaded when its turn comes."""
    for part in PARTS:
        yield from import_module(f"benchmarks.training.{part}").rows(quick)


if __name__ == "__main__":
    main("Training for the chip", rows)
