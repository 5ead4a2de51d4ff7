"""Hardware cells: one stream component a file."""

__all__ = []
