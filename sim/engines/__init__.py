"""Simulators that run a design, all behind one interface."""

from __future__ import annotations

from spintron_ir.errors import check_choice

from .amaranth import AmaranthEngine
from .base import Engine
from .cocotb import IcarusEngine, VerilatorEngine
from .cxxrtl import CxxrtlEngine
from .trace import Trace

__all__ = ["ENGINES", "Engine", "Trace", "get_engine"]

ENGINES: dict[str, type[Engine]] = {
    engine.name: engine for engine in (AmaranthEngine, CxxrtlEngine, IcarusEngine, VerilatorEngine)
}
"""Every engine, by name."""


def get_engine(name: str) -> Engine:
    """Return the engine of that name, whether or not it can run here.

    Raises
    ------
    ParameterError
        If there is no engine of that name.

    Examples
    --------
    >>> get_engine("amaranth").unavailable() is None
    True
    """
    return ENGINES[check_choice("get_engine", "name", name, tuple(ENGINES))]()
