"""Calls a simulator by way of cocotb's runner; a program of its own, run by the engines.

``python -m sim.engines.cocotb_runner build SIMULATOR TOP FOLDER`` compiles ``design.v`` in
``FOLDER``; ``run SIMULATOR TOP FOLDER BUILD`` runs the job in ``FOLDER`` on what was built in
``BUILD``. The environment holds the paths. A program apart, for cocotb's runner takes them from
there, and ends the process when a simulator fails.
"""

from __future__ import annotations

import sys

__all__ = ["main"]

_BUILD_ARGUMENTS = {
    "icarus": ["-g2005"],
    "verilator": ["-Wno-fatal", "--x-assign", "fast", "--no-timing"],
}


def main(action: str, simulator: str, top: str, folder: str, build: str | None = None) -> None:
    """Build or run; see the module."""
    from cocotb_tools.runner import get_runner

    runner = get_runner(simulator)
    if action == "build":
        runner.build(
            sources=[f"{folder}/design.v"],
            hdl_toplevel=top,
            build_dir=folder,
            build_args=_BUILD_ARGUMENTS[simulator],
            timescale=("1ns", "1ps"),
            always=True,
        )
    else:
        runner.test(
            test_module="sim.engines.cocotb_bench",
            hdl_toplevel=top,
            hdl_toplevel_lang="verilog",
            build_dir=build,
            test_dir=folder,
            timescale=("1ns", "1ps"),
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
