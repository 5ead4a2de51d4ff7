"""Simulation of emitted designs: engines behind one interface, and the check against the model."""

from .engines import ENGINES, Engine, Trace, get_engine
from .verify import Divergence, VerifyReport, verify

__all__ = ["ENGINES", "Divergence", "Engine", "Trace", "VerifyReport", "get_engine", "verify"]
