"""A free layer as one stochastic magnetisation, thousands of devices at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from spintron_ir.errors import ParameterError, check_int
from spintron_nn.core.checks import check_real, check_reals
from spintron_nn.core.constants import GYRO

from .drive import NO_DRIVE, Drive, Schedule
from .heun import HeunStepper
from .layer import FreeLayer
from .start import equilibrium_states
from .terms import torques

__all__ = ["Macrospin", "Trajectory"]


@dataclass(frozen=True)
class Trajectory:
    """What a run leaves.

    Attributes
    ----------
    magnetisation : Tensor, shape (3, devices)
        Unit vectors at the end.
    time : Tensor, shape (samples,), s
        When samples were taken.
    samples : Tensor, shape (samples, 3, devices)
        Unit vectors then.
    """

    magnetisation: torch.Tensor
    time: torch.Tensor
    samples: torch.Tensor


@dataclass(frozen=True, kw_only=True, eq=False)
class Macrospin(FreeLayer):
    """Landau-Lifshitz-Gilbert-Slonczewski equation of a uniformly magnetised layer.

    ``(1 + a**2) dm/dt = -g { m x B + a m x (m x B) + m x (m x D) - a m x D }``, where ``B`` holds
    ``anisotropy_field * m_z`` along z, ``in_plane_anisotropy_field * m_x`` along x, the applied
    field, the field-like spin-orbit field and the thermal field; ``D`` is the sum of
    ``hbar eta J / (2 e Ms t) p`` (spin transfer) and ``hbar theta J / (2 e Ms t) s`` (spin orbit).
    The thermal field has the variance ``2 a kB T / (g Ms V dt)`` per component and step.

    It holds for layers that switch as one: above a diameter of about 40 nm real layers nucleate a
    wall, and barrier and critical currents of the model are too large (docs/macrospin.md).

    Its parameters are those of :class:`FreeLayer`.

    Source
    ------
    Slonczewski, J. Magn. Magn. Mater. 159, L1 (1996); thermal field: Brown, Phys. Rev. 130, 1677
    (1963); Heun's scheme: Garcia-Palacios and Lazaro, Phys. Rev. B 58, 14937 (1998).

    Examples
    --------
    >>> layer = Macrospin(saturation_magnetisation=1e6, thickness=1e-9, area=1.26e-15,
    ...                   anisotropy_field=0.3, damping=0.02)
    >>> round(float(layer.thermal_stability), 1)
    45.6
    >>> run = layer.run(layer.equilibrium(64), duration=1e-10)
    >>> run.magnetisation.shape
    torch.Size([3, 64])
    """

    def equilibrium(self, count: int, *, up: bool = True, seed: int = 0) -> torch.Tensor:
        """Thermal states in one well without a drive: ``p(m_z) ~ exp(Delta m_z**2)``.

        Parameters
        ----------
        count : int, 1..10**8
            Number of devices.
        up : bool
            Well around +z, else the one around -z.
        seed : int, at least 0

        Returns
        -------
        Tensor of float64, shape (3, count)

        Raises
        ------
        ParameterError
            Where the easy axis is not z alone; run such devices until they are in equilibrium.
        """
        owner = "Macrospin.equilibrium"
        check_int(owner, "count", count, 1, 10**8)
        check_int(owner, "seed", seed, 0, 2**63 - 1)
        anisotropy = self.value("anisotropy_field")
        if self.value("in_plane_anisotropy_field").any() or (anisotropy <= 0).any():
            raise ParameterError(
                f"{owner}: anisotropy_field must be above 0 and in_plane_anisotropy_field 0 for a "
                "known distribution; start from one state and run for some nanoseconds"
            )
        self.check_count(owner, count)
        states = equilibrium_states(self.thermal_stability, count, seed)
        return torch.from_numpy(states if up else states * [[1], [1], [-1]])

    def run(
        self,
        initial: Any,
        drive: Drive | Schedule | None = None,
        *,
        duration: float,
        time_step: float = 1e-12,
        sample_every: int | None = None,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> Trajectory:
        """Integrate all devices.

        Parameters
        ----------
        initial : array or Tensor, shape (3, devices)
            Start; lengths are set to 1.
        drive : Drive, or callable from a time in s to a Drive
            What acts; a callable, such as :func:`pulses` makes, is asked at the middle of each
            step. Work is done only where it answers with another object than before.
        duration, time_step : float, s
            The steps are ``duration / time_step``, rounded.
        sample_every : int, at least 1
            Keeps the states after every so many steps.
        seed : int, at least 0
            Of the thermal field; the same arguments give the same trajectory on one device.
        dtype : torch.float32 or torch.float64
        device : torch device
            Where it runs; states and random numbers stay there.

        Raises
        ------
        ParameterError
            Where shapes do not fit, or a field turns the magnetisation by more than half a radian
            in one step.
        """
        owner = "Macrospin.run"
        length = check_real(owner, "duration", duration, "above 0", "s")
        step = check_real(owner, "time_step", time_step, "above 0", "s")
        check_int(owner, "seed", seed, 0, 2**63 - 1)
        if dtype not in (torch.float32, torch.float64):
            raise ParameterError(
                f"{owner}: dtype must be torch.float32 or torch.float64, not {dtype}"
            )
        steps = max(1, round(length / step))
        every = steps + 1
        if sample_every is not None:
            every = check_int(owner, "sample_every", sample_every, 1, steps)
        start = self._start(initial)
        count = start.shape[1]
        place: dict[str, Any] = {"dtype": dtype, "device": device}
        samples = torch.empty(steps // every, 3, count, **place)
        generator = torch.Generator(device=device).manual_seed(seed)
        scale = GYRO * step / (1 + self.value("damping") ** 2)
        noise = torch.as_tensor(scale * self.thermal_field(step), **place)
        acting, steady = None, NO_DRIVE if drive is None else drive
        with torch.inference_mode():
            stepper = HeunStepper(torch.as_tensor(start, **place), noise, generator)
            for index in range(steps):
                now = steady((index + 0.5) * step) if callable(steady) else steady
                if now is not acting:
                    acting = now
                    stepper.set(torques(self, now, step, count, place))
                stepper.step()
                if (index + 1) % every == 0:
                    samples[index // every].copy_(stepper.magnetisation)
        time = torch.arange(1, steps // every + 1, dtype=torch.float64) * (every * step)
        return Trajectory(stepper.magnetisation.clone(), time, samples)

    def switching_probability(
        self,
        drive: Drive | Schedule,
        *,
        duration: float,
        shots: int,
        up: bool = True,
        time_step: float = 1e-12,
        seed: int = 0,
        dtype: torch.dtype = torch.float32,
        device: str | torch.device = "cpu",
    ) -> float:
        """Share of shots that start in thermal equilibrium in one well and end in the other.

        Parameters
        ----------
        drive, duration, time_step, seed, dtype, device
            As for :meth:`run`; end a pulse by a pause to let states on the ridge fall.
        shots : int, 1..10**8
            Devices that are run, each once.
        up : bool
            Start in the well around +z.
        """
        start = self.equilibrium(shots, up=up, seed=seed)
        end = self.run(
            start,
            drive,
            duration=duration,
            time_step=time_step,
            seed=seed,
            dtype=dtype,
            device=device,
        ).magnetisation[2]
        return float(((end < 0) if up else (end > 0)).double().mean())

    def _start(self, initial: Any) -> NDArray[np.float64]:
        """Check and normalise the start."""
        owner = "Macrospin.run"
        start = check_reals(owner, "initial", initial)
        if start.ndim != 2 or start.shape[0] != 3 or start.shape[1] < 1:
            raise ParameterError(
                f"{owner}: initial must have the shape (3, devices), not {start.shape}"
            )
        size = np.linalg.norm(start, axis=0)
        if not size.all():
            raise ParameterError(f"{owner}: initial must hold no vector of length 0")
        self.check_count(owner, start.shape[1])
        return np.asarray(start / size)
