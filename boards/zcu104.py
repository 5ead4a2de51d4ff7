"""AMD ZCU104: programmable logic only, the processors stay idle."""

from amaranth.build import Attrs, Clock, DiffPairs, Resource
from amaranth.vendor import XilinxPlatform
from amaranth_boards.resources import LEDResources, UARTResource

from spintron_hw.mapping.target import Target

from .board import Board

__all__ = ["BOARD", "ZCU104Platform"]


class ZCU104Platform(XilinxPlatform):
    """Pins of the ZCU104 that this package uses.

    The serial line is UART2: channel D of the FT4232HL behind USB connector J164, the last of the
    four serial ports that a computer finds there.

    Source
    ------
    AMD UG1267, ZCU104 Evaluation Board: clock CLK_125, UART2 and user LEDs.
    """

    device = "xczu7ev"
    package = "ffvc1156"
    speed = "2-e"
    default_clk = "clk125"
    resources = [
        Resource(
            "clk125", 0, DiffPairs("F23", "E23", dir="i"), Clock(125e6), Attrs(IOSTANDARD="LVDS")
        ),
        UARTResource(0, rx="A20", tx="C19", attrs=Attrs(IOSTANDARD="LVCMOS18")),
        *LEDResources(pins="D5 D6 A5 B5", attrs=Attrs(IOSTANDARD="LVCMOS33")),
    ]
    connectors: list = []

    def __init__(self) -> None:
        super().__init__(toolchain="Vivado")


BOARD = Board(
    name="zcu104",
    title="ZCU104",
    part="xczu7ev-ffvc1156-2-e",
    target=Target(
        name="ZCU104",
        lut_inputs=6,
        luts=230_400,
        ffs=460_800,
        brams=312,
        bram_bits=36_864,
        bram_width=72,
        dsps=1_728,
        clock_hz=125e6,
    ),
    platform=ZCU104Platform,
    flow=None,
    programming="vivado -mode batch -source program.tcl",
)
