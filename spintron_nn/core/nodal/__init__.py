"""Passive crossbars with resistive wires, solved exactly."""

from .programmed import ProgrammedArray, effective_conductance
from .rule import RuleReport, check_array

__all__ = ["ProgrammedArray", "RuleReport", "check_array", "effective_conductance"]
