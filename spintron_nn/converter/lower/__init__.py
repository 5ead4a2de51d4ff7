"""From a model of real operations to a network on a chip."""

from .check import check
from .lower import lower

__all__ = ["check", "lower"]
