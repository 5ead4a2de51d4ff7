"""``python -m benchmarks.physics``: crossbars and dynamics beside their peers, one thread."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.physics import crossbar
from benchmarks.rows import Row, main


def rows(quick: bool) -> Iterator[Row]:
    """Crossbars, then dynamics, whose module needs torch and is loaded when its turn comes."""
    yield from crossbar.rows(quick)
    from benchmarks.physics import dynamics

    yield from dynamics.rows(quick)


if __name__ == "__main__":
    main("Device and crossbar physics", rows)
