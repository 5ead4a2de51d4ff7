"""Checks of what a network of the zoo is built from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from spintron_ir import ParameterError
from spintron_ir.errors import check_int
from spintron_nn.core.mtj_models import MTJConfig

__all__ = ["check_picture", "check_widths", "technology_of"]

CELL_BITS = {1: 6, 2: 6, 3: 6, 4: 8}
"""Bits of a conductance code that tell the levels of so many weight bits apart."""


def check_picture(owner: str, name: str, value: Any, least: int) -> tuple[int, int, int]:
    """Return (height, width, channels) of a picture of at least ``least`` pixels a side.

    Raises
    ------
    ParameterError
        If it is anything else.

    Examples
    --------
    >>> check_picture("TinyConvNet_Spintronic", "input_shape", [28, 28, 1], 8)
    (28, 28, 1)
    """
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) != 3:
        raise ParameterError(f"{owner}: {name} must be (height, width, channels), not {value!r}")
    height = check_int(owner, f"{name}[0]", value[0], least, 1024)
    width = check_int(owner, f"{name}[1]", value[1], least, 1024)
    return height, width, check_int(owner, f"{name}[2]", value[2], 1, 16)


def check_widths(owner: str, name: str, value: Any, most: int) -> tuple[int, ...]:
    """Return 1 to ``most`` numbers of channels, 1..1024.

    Raises
    ------
    ParameterError
        If it is anything else.

    Examples
    --------
    >>> check_widths("TinyConvNet_Spintronic", "filters", [16, 32, 64], 5)
    (16, 32, 64)
    """
    given = isinstance(value, Sequence) and not isinstance(value, str)
    if not given or not 1 <= len(value) <= most:
        raise ParameterError(f"{owner}: {name} must be 1 to {most} widths, not {value!r}")
    return tuple(
        check_int(owner, f"{name}[{place}]", width, 1, 1024) for place, width in enumerate(value)
    )


def technology_of(owner: str, bits: int, config: Any) -> MTJConfig:
    """Devices that hold a weight of so many bits each, where no technology is given.

    The default differs from ``MTJConfig()`` in its levels only: 10 % spread, TMR 120 %.

    Raises
    ------
    ParameterError
        If what is given is no technology.

    Examples
    --------
    >>> technology_of("MobileNetV2_Spintronic", 3, None).levels
    8
    """
    if config is None:
        return MTJConfig(levels=1 << bits, cell_bits=CELL_BITS[bits])
    if not isinstance(config, MTJConfig):
        raise ParameterError(f"{owner}: config must be an MTJConfig or None, not {config!r}")
    return config
