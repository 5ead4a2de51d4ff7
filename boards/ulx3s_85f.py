"""Radiona ULX3S with the largest of its FPGAs."""

from amaranth_boards.ulx3s import ULX3S_85F_Platform

from spintron_hw.build.flow import ecp5_flow
from spintron_hw.mapping.target import Target

from .board import Board

__all__ = ["BOARD"]

BOARD = Board(
    name="ulx3s-85f",
    title="ULX3S-85F",
    part="LFE5U-85F-6BG381C",
    target=Target(
        name="ULX3S-85F",
        lut_inputs=4,
        luts=83_640,
        ffs=83_640,
        brams=208,
        bram_bits=18_432,
        bram_width=36,
        dsps=156,
        clock_hz=25e6,
    ),
    platform=ULX3S_85F_Platform,
    flow=ecp5_flow("85k", "CABGA381", 6),
    programming="openFPGALoader -b ulx3s top.bit",
)
"""Clock: 25 MHz oscillator. Serial line: USB connector US1, through its FT231X."""
