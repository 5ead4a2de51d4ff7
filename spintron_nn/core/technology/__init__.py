"""Technology cards: devices whose every value has a unit, a source and a range of validity."""

from .card import Quantity
from .check import check
from .finding import CardError, Finding
from .library import DEFAULT, technologies, technology
from .technology import Technology

__all__ = [
    "DEFAULT",
    "CardError",
    "Finding",
    "Quantity",
    "Technology",
    "check",
    "technologies",
    "technology",
]
