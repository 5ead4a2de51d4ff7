"""Passive crossbars with resistive wires, solved exactly."""

from .bias import BiasModel, CurrentLaw, OperatingPoint, TunnelJunctions, operating_point
from .passive import CellRead, read_cell
from .programmed import ProgrammedArray, effective_conductance
from .rule import RuleReport, check_array
from .solution import Solution, solve

__all__ = [
    "BiasModel",
    "CellRead",
    "CurrentLaw",
    "OperatingPoint",
    "ProgrammedArray",
    "RuleReport",
    "Solution",
    "TunnelJunctions",
    "check_array",
    "effective_conductance",
    "operating_point",
    "read_cell",
    "solve",
]
