"""Reads exported PyTorch programs as graphs of real operations."""

from __future__ import annotations

from .parse import parse

__all__ = ["parse"]
