"""Boards that an accelerator can be built for."""

__all__ = []
