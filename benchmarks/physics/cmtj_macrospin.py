"""One macrospin in CMTJ: a task as JSON on the standard input, its answer on the standard output.

CMTJ is under the GPL, so it runs here, in a process of its own, and nothing else imports it. Its
fields are in A/m and its ``Ms`` is ``mu0 Ms`` in tesla; its gyromagnetic ratio is set to the task's
so that both programs integrate the same equation. Its spin-transfer term lacks the part that
Gilbert damping turns into a field along ``p``, which ``beta = damping`` adds.
"""

from __future__ import annotations

import json
import math
import sys
import time
from typing import Any

import cmtj

__all__: list[str] = []

MU_0 = 4e-7 * math.pi


def junction(task: dict[str, Any], start: list[float]) -> Any:
    """A free layer with a fixed reference along z."""
    magnetisation = task["saturation_magnetisation"]
    # Its efficiency is P L / (L + 1 + (L - 1) m.p), twice, with L the parameter squared.
    parameter = (1 + task["torque_asymmetry"]) / (1 - task["torque_asymmetry"])
    layer = cmtj.Layer.createSTTLayer(
        id="free",
        mag=cmtj.CVector(*start),
        anis=cmtj.CVector(0, 0, 1),
        Ms=MU_0 * magnetisation,
        thickness=task["thickness"],
        cellSurface=task["area"],
        demagTensor=[cmtj.CVector(0, 0, 0)] * 3,
        damping=task["damping"],
        SlonczewskiSpacerLayerParameter=math.sqrt(parameter),
        spinPolarisation=task["spin_torque_efficiency"] * (parameter + 1) / (2 * parameter),
        beta=task["damping"],
    )
    layer.setReferenceLayer(cmtj.CVector(0, 0, 1))
    made = cmtj.Junction([layer])
    # HAnis = 2 K / (mu0 Ms), with K = mu0 Hk Ms / 2.
    barrier = task["anisotropy_field"] * magnetisation / 2
    made.setLayerAnisotropyDriver("free", cmtj.constantDriver(barrier))
    made.setLayerCurrentDriver("free", cmtj.constantDriver(task["current_density"]))
    field = [component / MU_0 for component in task["field"]]
    made.setLayerExternalFieldDriver("free", cmtj.AxialDriver(*field))
    if task["temperature"]:
        made.setLayerTemperatureDriver("free", cmtj.constantDriver(task["temperature"]))
        made.setLayerSeed("free", task["seed"])
    return made


def main() -> None:
    """Run the devices one after the other; time the integration alone."""
    task = json.load(sys.stdin)
    known = cmtj.constants.PhysicalConstants
    known.set_gyromagnetic_ratio(task["gyromagnetic_ratio"] * MU_0)
    known.set_magnetic_permeability(MU_0)
    solver = cmtj.SolverMode.Heun if task["temperature"] else cmtj.SolverMode.RK4
    samples, taken = [], 0.0
    for device, start in enumerate(task["starts"]):
        made = junction(task | {"seed": task["seed"] + device}, start)
        begin = time.perf_counter()
        made.runSimulation(
            task["duration"], task["time_step"], task["sample_time"], solverMode=solver
        )
        taken += time.perf_counter() - begin
        log = made.getLog()
        samples.append([log["time"], *(log[f"free_m{axis}"] for axis in "xyz")])
    json.dump({"version": cmtj.__version__, "seconds": taken, "samples": samples}, sys.stdout)


if __name__ == "__main__":
    main()
