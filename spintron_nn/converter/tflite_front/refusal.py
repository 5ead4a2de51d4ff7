"""What stands in the way of a conversion, and what a damaged file raises."""

from __future__ import annotations

import struct

from spintron_ir.errors import ParameterError

__all__ = ["DAMAGE", "Refusal", "told"]


class Refusal(ValueError):
    """A part of a model that is not converted; the text says why, and what to do."""


DAMAGE = (ValueError, TypeError, IndexError, KeyError, AttributeError, OverflowError, MemoryError,
          ZeroDivisionError, struct.error)  # fmt: skip
"""What numpy, flatbuffers and Python raise on files that contradict themselves."""


def told(error: Exception, otherwise: str) -> str:
    """What an error says, on one line, where it was raised to be read.

    >>> told(Refusal("is odd: even it"), "?"), told(IndexError(3), "is damaged")
    ('is odd: even it', 'is damaged')
    """
    known = isinstance(error, (Refusal, ParameterError))
    return " ".join(str(error).split()) if known else otherwise
