"""What hardware is built for offers."""

from __future__ import annotations

from dataclasses import dataclass

from spintron_ir.errors import check_int

__all__ = ["GENERIC", "Target"]


@dataclass(frozen=True, kw_only=True)
class Target:
    """Capacity and building blocks of a device.

    Parameters
    ----------
    name : str
        Name of the device or board.
    lut_inputs : int, 3..8
        Inputs of a look-up table.
    luts, ffs, brams, dsps : int
        Look-up tables, flip-flops, block RAMs and multipliers there are.
    bram_bits : int
        Bits of a block RAM.
    bram_width : int
        Widest word of a block RAM with one read and one write port.
    clock_hz : float, Hz
        Clock that the accelerator runs at.
    lut_ram : bool
        Whether look-up tables can be small memories.
    ff_takes_lut : bool
        Whether a flip-flop that does not stand behind its own look-up table takes the place of one.
    """

    name: str
    lut_inputs: int
    luts: int
    ffs: int
    brams: int
    bram_bits: int
    bram_width: int
    dsps: int
    clock_hz: float
    lut_ram: bool = True
    ff_takes_lut: bool = False

    def __post_init__(self) -> None:
        check_int("Target", "lut_inputs", self.lut_inputs, 3, 8)
        for name in ("luts", "ffs", "brams", "dsps"):
            check_int("Target", name, getattr(self, name), 0, 1 << 40)
        check_int("Target", "bram_bits", self.bram_bits, 1, 1 << 30)
        check_int("Target", "bram_width", self.bram_width, 1, 1 << 12)


GENERIC = Target(
    name="generic",
    lut_inputs=4,
    luts=1 << 40,
    ffs=1 << 40,
    brams=1 << 40,
    bram_bits=18432,
    bram_width=36,
    dsps=1 << 40,
    clock_hz=50e6,
)
"""Verilog for no particular device: nothing is refused for its size."""
