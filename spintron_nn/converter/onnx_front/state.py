"""Stages found so far."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from spintron_ir import IntType, Thresholds

from .model import MatrixStage, SingleStage

__all__ = ["Stages"]


@dataclass(eq=False)
class Stages:
    """Stages found so far, and the matrix whose sums wait for thresholds.

    Parameters
    ----------
    kind : IntType
        Type of the last codes, or of the input.
    done : list of SingleStage and MatrixStage
        Complete stages.
    waiting : MatrixStage or None
        A matrix whose sums are not quantised yet.
    classified : bool
        Whether the index of the largest is taken.
    notes : list of str
        Where the graph's own arithmetic leaves the last bit open.
    """

    kind: IntType
    done: list[SingleStage | MatrixStage] = field(default_factory=list)
    waiting: MatrixStage | None = None
    classified: bool = False
    notes: list[str] = field(default_factory=list)

    def close(self, name: str, thresholds: Thresholds) -> None:
        """Quantise what came last: the sums of a matrix, or codes again."""
        if self.waiting is not None:
            self.done.append(replace(self.waiting, thresholds=thresholds))
            self.waiting = None
        else:
            self.done.append(SingleStage(name, _shared(thresholds)))
        self.kind = thresholds.type


def _shared(thresholds: Thresholds) -> Thresholds:
    """One channel where all agree."""
    rows, sign = thresholds.thresholds, thresholds.sign
    if (rows == rows[0]).all() and (sign == sign[0]).all():
        return replace(thresholds, thresholds=rows[:1], sign=sign[:1])
    return thresholds
