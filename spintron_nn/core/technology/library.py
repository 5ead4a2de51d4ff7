"""The cards of this package, and cards of files."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path

from spintron_ir.errors import ParameterError

from .card import LARGEST_FILE, read_card
from .technology import Technology

__all__ = ["DEFAULT", "card_text", "technologies", "technology"]

DEFAULT = "sot-mtj-high-ra"
"""The technology of a device where none is named."""

SUFFIX = ".toml"


def technologies() -> tuple[str, ...]:
    """Names of the cards of this package, sorted.

    Examples
    --------
    >>> "sot-mtj-high-ra" in technologies()
    True
    """
    folder = resources.files(__package__) / "cards"
    return tuple(
        sorted(
            entry.name.removesuffix(SUFFIX)
            for entry in folder.iterdir()
            if entry.name.endswith(SUFFIX)
        )
    )


def technology(name_or_path: str | os.PathLike[str] = DEFAULT) -> Technology:
    """Read a technology card.

    Parameters
    ----------
    name_or_path : str or path
        Name of a card of this package, or a file that ends in ``.toml``.

    Raises
    ------
    CardError
        With everything that is wrong with the card.
    ParameterError
        If there is no such card.

    Examples
    --------
    >>> technology("sot-mtj-kilohm").derived()["resistance_high"].value
    10000.0
    """
    label, text = card_text(name_or_path)
    made = read_card(text, label)
    return Technology(made.name, made.summary, made.quantities)


def card_text(name_or_path: str | os.PathLike[str]) -> tuple[str, bytes]:
    """Name for messages and text of a card, as it stands in its file."""
    wanted = os.fspath(name_or_path)
    if wanted in technologies():
        return wanted, (resources.files(__package__) / "cards" / f"{wanted}{SUFFIX}").read_bytes()
    if not wanted.endswith(SUFFIX):
        raise ParameterError(
            f"technology: must be one of {', '.join(technologies())}, or a file that ends in "
            f"{SUFFIX}, not {wanted!r}"
        )
    try:
        # One byte beyond the limit is enough to be refused, however much there is.
        with Path(wanted).open("rb") as file:
            return Path(wanted).name, file.read(4 * LARGEST_FILE + 1)
    except (OSError, ValueError) as error:
        raise ParameterError(
            f"technology: {wanted!r} must be a readable file ({error}); check the path"
        ) from error
