"""The inner loop: Heun's scheme on a structure of arrays, without an allocation per step."""

from __future__ import annotations

from dataclasses import dataclass

import torch

__all__ = ["HeunStepper", "Torques"]

NORMALS, STEPS = 1 << 18, 64
"""Random numbers that are drawn at once, and for how many steps at most: they stay in the cache."""


@dataclass(frozen=True)
class Torques:
    """Everything in the equation, times ``-gyromagnetic ratio * time step / (1 + damping**2)``.

    The step is then ``m x {A + m x (damping A + (1 + damping**2) D)}`` with
    ``A = noise + field + anisotropy * m - damping D``.

    Attributes
    ----------
    field : Tensor, shape (3, 1) or (3, devices)
        Applied and field-like fields.
    anisotropy : Tensor, shape (3, 1) or (3, devices)
        Fields along the axes for a magnetisation along them.
    torque : Tensor, shape (3, 1) or (3, devices)
        Damping-like fields ``D`` that do not depend on the magnetisation.
    polariser : Tensor, shape (3, 1) or (3, devices), or None
        Spin-transfer field before its division by ``1 + asymmetry * m.p``; None where that is 1.
    direction : Tensor, shape (3, 1)
        ``p``, the reference direction.
    asymmetry : Tensor, shape () or (devices,)
    damping : Tensor, shape () or (devices,)
    """

    field: torch.Tensor
    anisotropy: torch.Tensor
    torque: torch.Tensor
    polariser: torch.Tensor | None
    direction: torch.Tensor
    asymmetry: torch.Tensor
    damping: torch.Tensor


class _Cyclic:
    """Rows x, y, z, x, y: both turned views of a cross product without a gather."""

    def __init__(self, like: torch.Tensor) -> None:
        self.rows = torch.empty(5, like.shape[1], dtype=like.dtype, device=like.device)
        self.xyz, self.yzx, self.zxy = self.rows[0:3], self.rows[1:4], self.rows[2:5]
        self._head, self._tail = self.rows[0:2], self.rows[3:5]

    def close(self) -> None:
        """Repeat x and y below z."""
        self._tail.copy_(self._head)


class HeunStepper:
    """Predictor and corrector with the same noise: Stratonovich, of second order without noise.

    Parameters
    ----------
    start : Tensor, shape (3, devices)
        Unit vectors; copied.
    noise : Tensor, shape () or (devices,)
        Standard deviation of the scaled thermal field in one step.
    generator : torch.Generator
        On the device of :py:`start`.
    """

    def __init__(
        self, start: torch.Tensor, noise: torch.Tensor, generator: torch.Generator
    ) -> None:
        self._m, self._predicted = _Cyclic(start), _Cyclic(start)
        self._inner, self._mixed = _Cyclic(start), _Cyclic(start)
        self._m.xyz.copy_(start)
        self._m.close()
        self._sum, self._push = torch.empty_like(start), torch.empty_like(start)
        self._norm = torch.empty_like(start[0])
        self._noise, self._generator = noise, generator
        self._is_thermal = bool((noise > 0).any())
        self._block = min(STEPS, max(1, NORMALS // start.numel()))
        size = (self._block if self._is_thermal else 0, *start.shape)
        self._normals = torch.empty(size, dtype=start.dtype, device=start.device)
        self._drawn = self._block

    @property
    def magnetisation(self) -> torch.Tensor:
        """Unit vectors now, shape (3, devices); a view that the next step overwrites."""
        return self._m.xyz

    def set(self, torques: Torques) -> None:
        """Take what acts from now on."""
        damping = torques.damping
        self._torques, self._damping = torques, damping if damping.ndim else None
        self._number = float(damping) if damping.ndim == 0 else 0.0
        # Laid out in full: a broadcast operand costs more than it saves.
        shape = self._sum.shape
        self._anisotropy = torques.anisotropy.expand(shape).contiguous()
        self._drift = (torques.field - damping * torques.torque).expand(shape).contiguous()
        self._turn = ((1 + damping**2) * torques.torque).expand(shape).contiguous()

    def step(self) -> None:
        """Advance by one time step."""
        push = self._next_push()
        start, predicted, total = self._m, self._predicted, self._sum
        self._add_torque(start, push, start.xyz, predicted.xyz)
        predicted.close()
        # m + (k1 + k2) / 2 is half of m + (m + k1) + k2, and the length is restored anyway.
        torch.add(start.xyz, predicted.xyz, out=total)
        self._add_torque(predicted, push, total, total)
        # A reduction over so short an axis is slow; three rows are quick to add.
        squares, norm = self._push, self._norm
        torch.mul(total, total, out=squares)
        torch.add(squares[0], squares[1], out=norm).add_(squares[2]).rsqrt_()
        torch.mul(total, norm, out=start.xyz)
        start.close()

    def _next_push(self) -> torch.Tensor:
        if not self._is_thermal:
            return self._drift
        if self._drawn == self._block:
            self._normals.normal_(generator=self._generator)
            self._normals.mul_(self._noise)
            self._drawn = 0
        torch.add(self._drift, self._normals[self._drawn], out=self._push)
        self._drawn += 1
        return self._push

    def _add_torque(
        self, at: _Cyclic, push: torch.Tensor, base: torch.Tensor, out: torch.Tensor
    ) -> None:
        """Write ``base + m x (A + m x C)`` for the magnetisation :py:`at`."""
        torques, inner, mixed = self._torques, self._inner, self._mixed
        torch.addcmul(push, self._anisotropy, at.xyz, out=inner.xyz)
        turn = self._turn
        if torques.polariser is not None:
            along = (torques.direction * at.xyz).sum(0)
            transfer = torques.polariser / (1 + torques.asymmetry * along)
            inner.xyz.sub_(torques.damping * transfer)
            turn = turn + (1 + torques.damping**2) * transfer
        if self._damping is None:
            torch.add(turn, inner.xyz, alpha=self._number, out=mixed.xyz)
        else:
            torch.addcmul(turn, self._damping, inner.xyz, out=mixed.xyz)
        mixed.close()
        inner.xyz.addcmul_(at.yzx, mixed.zxy).addcmul_(at.zxy, mixed.yzx, value=-1)
        inner.close()
        torch.addcmul(base, at.yzx, inner.zxy, out=out)
        out.addcmul_(at.zxy, inner.yzx, value=-1)
