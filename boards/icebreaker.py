"""1BitSquared iCEBreaker."""

from amaranth_boards.icebreaker import ICEBreakerPlatform

from spintron_hw.build.flow import ice40_flow
from spintron_hw.mapping.target import Target

from .board import Board

__all__ = ["BOARD"]

BOARD = Board(
    name="icebreaker",
    title="iCEBreaker",
    part="iCE40UP5K-SG48",
    target=Target(
        name="iCEBreaker",
        lut_inputs=4,
        luts=5_280,
        ffs=5_280,
        brams=30,
        bram_bits=4_096,
        bram_width=16,
        dsps=8,
        clock_hz=12e6,
        lut_ram=False,
        ff_takes_lut=True,
    ),
    platform=ICEBreakerPlatform,
    flow=ice40_flow("up5k", "sg48"),
    programming="openFPGALoader -b ice40_generic top.bin",
)
"""Clock: 12 MHz oscillator. Serial line: second channel of its FT2232H."""
