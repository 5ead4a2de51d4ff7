"""From a network description to a plan: what is built, in which size and order."""

__all__ = []
