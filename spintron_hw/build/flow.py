"""How the open tools make a bitstream for each family: commands, and names of what they count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spintron_ir.errors import check_choice

__all__ = ["Flow", "Counts", "ecp5_flow", "ice40_flow"]


@dataclass(frozen=True)
class Counts:
    """Resources of a design.

    Attributes
    ----------
    luts, ffs, brams, dsps : int
        Look-up tables, flip-flops, block RAMs and multipliers.
    """

    luts: int
    ffs: int
    brams: int
    dsps: int


@dataclass(frozen=True)
class Flow:
    """Steps from RTLIL to a bitstream for one part.

    Parameters
    ----------
    synthesis : tuple of tuples of str
        Yosys commands: the usual ones, then the same with the older technology mapper ABC, for
        designs on which ABC9 fails.
    placer : str
        Program that places and routes.
    part : tuple of str
        Its arguments that name the part.
    constraints, routed, bitstream : str
        Files that the placer reads, that it writes, and that is made of this.
    options : tuple of str
        Arguments of the placer for the first two.
    packer : str
        Program that makes the bitstream.
    packing : tuple of str
        Its arguments.
    weights : dict from str to dict
        For each of ``luts``, ``ffs``, ``brams``, ``dsps``: cells of the netlist, and how many of
        the resource each takes.
    """

    synthesis: tuple[tuple[str, ...], ...]
    placer: str
    part: tuple[str, ...]
    constraints: str
    routed: str
    bitstream: str
    options: tuple[str, str]
    packer: str
    packing: tuple[str, ...]
    weights: Mapping[str, Mapping[str, int]]

    @property
    def programs(self) -> tuple[str, str]:
        """Programs it needs beside Yosys."""
        return (self.placer, self.packer)

    def count(self, cells: Mapping[str, int]) -> Counts:
        """Resources of a netlist, or of a placed design, with these numbers of cells."""
        return Counts(
            **{
                name: sum(cells.get(cell, 0) * weight for cell, weight in weights.items())
                for name, weights in self.weights.items()
            }
        )

    def place_arguments(self, seed: int, *, hurry: bool) -> tuple[str, ...]:
        """Arguments of the placer; in a hurry, it does not look at timing while it places."""
        names = (self.options[0], self.constraints, self.options[1], self.routed)
        return (
            *self.part,
            *("--json", "netlist.json", *names),
            *("--report", "placed.json", "--seed", str(seed), "--timing-allow-fail"),
            *(("--no-tmdriv",) if hurry else ()),
        )


def ecp5_flow(device: str, package: str, speed: int) -> Flow:
    """Flow for a Lattice ECP5.

    The default placer and router are used: on a design of 12,000 look-up tables, ``router2`` took
    8 % more time and left a slower clock, and ``--placer static`` took 19 % more.

    Parameters
    ----------
    device : "12k", "25k", "45k" or "85k"
        Size.
    package : str
        Package by the name nextpnr gives it, such as ``CABGA381``.
    speed : 6, 7 or 8
        Speed grade.
    """
    check_choice("ecp5_flow", "device", device, ("12k", "25k", "45k", "85k"))
    return Flow(
        synthesis=(
            ("synth_ecp5 -top top",),
            (
                "synth_ecp5 -top top -run :map_luts",
                "check -latchonly -assert",
                "techmap -map +/lattice/latches_map.v",
                "abc -dress -lut 4:7",
                "clean",
                "synth_ecp5 -top top -run map_cells:",
            ),
        ),
        placer="nextpnr-ecp5",
        part=(f"--{device}", "--package", package, "--speed", str(speed)),
        constraints="top.lpf",
        routed="top.config",
        bitstream="top.bit",
        options=("--lpf", "--textcfg"),
        packer="ecppack",
        packing=("--compress", "--input", "top.config", "--bit", "top.bit"),
        weights={
            "luts": {"LUT4": 1, "CCU2C": 2, "TRELLIS_DPR16X4": 6, "TRELLIS_COMB": 1},
            "ffs": {"TRELLIS_FF": 1},
            "brams": {"DP16KD": 1},
            "dsps": {"MULT18X18D": 1},
        },
    )


def ice40_flow(device: str, package: str) -> Flow:
    """Flow for a Lattice iCE40.

    A logic cell holds one look-up table and one flip-flop: after place and route, look-up tables
    count logic cells.

    Parameters
    ----------
    device : str
        Part by the name nextpnr gives it, such as ``up5k``.
    package : str
        Package, such as ``sg48``.
    """
    flip_flops = [
        f"SB_DFF{edge}{enable}{reset}"
        for edge in ("", "N")
        for enable in ("", "E")
        for reset in ("", "R", "S", "SR", "SS")
    ]
    return Flow(
        synthesis=(
            ("synth_ice40 -dsp -top top",),
            (
                "synth_ice40 -dsp -top top -run :map_luts",
                "check -latchonly -assert",
                "techmap -map +/ice40/latches_map.v",
                "abc -dress -lut 4",
                "ice40_wrapcarry -unwrap",
                "techmap -map +/ice40/ff_map.v",
                "clean",
                "opt_lut -tech ice40",
                "synth_ice40 -dsp -top top -run map_cells:",
            ),
        ),
        placer="nextpnr-ice40",
        part=(f"--{device}", "--package", package),
        constraints="top.pcf",
        routed="top.asc",
        bitstream="top.bin",
        options=("--pcf", "--asc"),
        packer="icepack",
        packing=("top.asc", "top.bin"),
        weights={
            "luts": {"SB_LUT4": 1, "ICESTORM_LC": 1},
            "ffs": {cell: 1 for cell in flip_flops},
            "brams": {"SB_RAM40_4K": 1, "ICESTORM_RAM": 1},
            "dsps": {"SB_MAC16": 1, "ICESTORM_DSP": 1},
        },
    )
