"""Measured speed, each beside the peer or the limit that it is judged by, in one run.

``python -m benchmarks.NAME [--quick] [--json FILE]`` runs one family.
"""

__all__: list[str] = []
