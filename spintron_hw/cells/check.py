# amaranth: UnusedElaboratable=no
"""The check of cells that users write: the bench that the cells here pass, and their face."""

from __future__ import annotations

import gc
import inspect
import os
import re
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.hdl import UnusedElaboratable
from numpy.typing import NDArray

from spintron_ir import Cell
from spintron_ir.errors import MismatchError, SpintronError, check_int
from spintron_ir.types import IntType

from ..build.verilog import emit
from ..testing import check_cell, first_latency, measured_interval
from .face import Face, face_of
from .registry import fault, load_file

__all__ = ["CheckResult", "check_file", "frames_for"]

TITLES = "Timing, Parameters, Members, Attributes, Returns, Raises, Source, Examples".split(", ")
LINES = 80

NEEDS = {
    "streams": {"arguments"},
    "verilog": {"streams"},
    "reference": {"streams"},
    # What cannot become Verilog may have a loop without registers, and hang the simulator.
    "hardware": {"verilog", "reference"},
    "latency": {"verilog"},
    "interval": {"verilog"},
    "network": {"reference"},
}
"""Checks made with each example, in order, and those that must have been passed before."""


@dataclass(frozen=True)
class CheckResult:
    """What one check of a cell found.

    Attributes
    ----------
    cell : str
        Name of the cell.
    check : str
        Name of the check.
    passed : bool
        Whether the cell passed it.
    says : str
        What was seen, or what is wrong, in one line.
    """

    cell: str
    check: str
    passed: bool
    says: str


def check_file(
    path: str | os.PathLike[str], *, frames: int = 64, seed: int = 0
) -> list[CheckResult]:
    """Put every cell class in a Python file through the bench.

    Faults of a cell are results, whatever its code raises. A check that cannot be made because
    of an earlier fault is left out.

    Parameters
    ----------
    path : path-like
        The file, which is run.
    frames : int, 1..100000
        Random frames for each of the cell's examples, besides those at the edges.
    seed : int
        Seed of frames and stalls; the stalls have this seed and the next.

    Raises
    ------
    ParameterError
        If the file cannot be run or has no cell in it.
    """
    check_int("check_file", "frames", frames, 1, 100_000)
    check_int("check_file", "seed", seed, 0, 1 << 62)
    found = load_file(path)
    with warnings.catch_warnings():
        # Where a cell fails half-way, what it has made so far is never used: no news.
        warnings.simplefilter("ignore", UnusedElaboratable)
        results = [
            result
            for name, cls in found.items()
            for result in _Checks(name, cls, Path(path), frames, seed).results()
        ]
        gc.collect()
    return results


def frames_for(face: Face, example: Mapping[str, Any], count: int, seed: int) -> NDArray[np.int64]:
    """Frames that try a cell: edges in every lane, then :py:`count` random ones.

    Edges are all values of a type of at most 8 bits; of a wider one its ends, numbers around
    powers of two and around the arguments of the cell, since that is where thresholds are.

    Returns
    -------
    ndarray of int64, shape ``(frames, face.length)``
    """
    low, high = face.input.low, face.input.high
    if face.input.bits <= 8:
        edges = list(range(low, high + 1))
    else:
        places = {0, low, high} | {1 << bit for bit in range(face.input.bits)}
        places |= set(_numbers(list(example.values())))
        near = {sign * place + step for place in places for sign in (1, -1) for step in (-1, 0, 1)}
        edges = sorted(value for value in near if low <= value <= high)
    lanes = np.arange(face.length)
    swept = np.array(edges)[(np.arange(len(edges))[:, None] + lanes) % len(edges)]
    corners = [np.full(face.length, value) for value in (low, high)]
    corners += [np.where(lanes % 2, *pair) for pair in ((low, high), (high, low))]
    random = np.random.default_rng(seed).integers(
        low, high, (count, face.length), dtype=np.int64, endpoint=True
    )
    return np.concatenate([np.array(corners), swept, random]).astype(np.int64)


def _numbers(value: Any) -> Iterator[int]:
    if isinstance(value, (list, tuple)):
        for part in value:
            yield from _numbers(part)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield value


class _Checks:
    """All checks of one cell class."""

    def __init__(self, name: str, cls: Any, path: Path, frames: int, seed: int) -> None:
        self.name, self.cls, self.path = name, cls, path
        self.frames, self.seed = frames, seed

    def results(self) -> list[CheckResult]:
        """Results of the checks, in the order in which they are made."""
        class_checks = (self.documentation, self.arguments, self.refusals, self.length)
        results = [self._result(check, [()]) for check in class_checks]
        passed = {result.check for result in results if result.passed}
        examples = list(enumerate(self.examples))
        for name, needed in NEEDS.items():
            if needed <= passed:
                results.append(self._result(getattr(self, name), examples))
                passed |= {name} if results[-1].passed else set()
        return results

    def _result(self, check: Callable[..., str], cases: list[Any]) -> CheckResult:
        said = []
        for case in cases:
            where = f"example {case[0] + 1}: " if case else ""
            try:
                said.append(check(*case[1:]))
            except (MismatchError, SpintronError, AssertionError, TimeoutError) as error:
                text = " ".join(str(error).split())
                return CheckResult(self.name, check.__name__, False, where + text)
            except Exception as error:  # whatever a user's code raises is a finding about it
                return CheckResult(
                    self.name, check.__name__, False, where + fault(error, self.path)
                )
        return CheckResult(self.name, check.__name__, True, "; ".join(dict.fromkeys(said)))

    @cached_property
    def examples(self) -> tuple[Any, ...]:
        """Arguments for which the cell is tried."""
        found = getattr(self.cls, "examples", ())
        return tuple(found) if isinstance(found, (tuple, list)) else ()

    @cached_property
    def arguments_named(self) -> dict[str, inspect.Parameter]:
        """Parameters of the class by their names."""
        parameters = list(inspect.signature(self.cls.__init__).parameters.values())[1:]
        return {parameter.name: parameter for parameter in parameters}

    def documentation(self) -> str:
        """The docstring has its titles, in order."""
        text = inspect.getdoc(self.cls) if self.cls.__doc__ else None
        if not text:
            raise MismatchError(
                "the class must have a docstring: what it computes, then Timing ..."
            )
        titles = re.findall(r"^(\S.*)\n-{3,}$", text, re.MULTILINE)
        missing = [title for title in TITLES[:3] if title not in titles]
        if missing:
            raise MismatchError(f"the docstring must have the title {missing[0]}, underlined")
        unknown = [title for title in titles if title not in TITLES]
        if unknown or titles != sorted(titles, key=TITLES.index):
            raise MismatchError(
                f"the titles of the docstring must be some of {', '.join(TITLES)}, in this order, "
                f"not {', '.join(titles)}"
            )
        return ", ".join(titles)

    def arguments(self) -> str:
        """Arguments are named, and the examples are taken."""
        for name, parameter in self.arguments_named.items():
            if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
                raise MismatchError(f"the argument {name} must be keyword-only: write * before it")
        if not self.examples or not all(isinstance(example, dict) for example in self.examples):
            raise MismatchError(
                "the class must have examples, a tuple of dicts of arguments to be tried with"
            )
        for example in self.examples:
            self.cls(**example)
        return f"{', '.join(self.arguments_named) or 'none'}; {len(self.examples)} examples"

    def refusals(self) -> str:
        """Unknown arguments and wrong values are refused, the latter in our own words."""
        if not self.examples:
            raise MismatchError("without examples no wrong argument can be tried")
        example = dict(self.examples[0])
        try:
            self.cls(**example, no_such_argument=1)
        except (TypeError, SpintronError):
            pass
        else:
            raise MismatchError("an argument that it does not know must be refused, not ignored")
        for name in self.arguments_named:
            for wrong in (0.5, object()):
                shown = "0.5" if wrong == 0.5 else "an object()"
                try:
                    self.cls(**example | {name: wrong})
                except SpintronError:
                    continue
                except Exception as error:
                    found = f"raises {fault(error, self.path)}"
                else:
                    found = "is taken"
                raise MismatchError(
                    f"{name} = {shown} {found}; it must raise a ParameterError, as "
                    "spintron_ir.errors.check_int does"
                )
        return f"wrong values of {', '.join(self.arguments_named) or 'no arguments'} are refused"

    def length(self) -> str:
        """The hardware is short enough to be read."""
        lines = len(inspect.getsource(self.cls.elaborate).splitlines())
        if lines > LINES:
            raise MismatchError(f"elaborate() must be at most {LINES} lines, not {lines}")
        return f"elaborate() has {lines} lines"

    def streams(self, example: dict[str, Any]) -> str:
        """There is a vector in and a vector out."""
        face = face_of(self.cls(**example))
        return f"{face.input} x {face.length} -> {face.type} x {face.outputs}"

    def verilog(self, example: dict[str, Any]) -> str:
        """The hardware can be written as Verilog."""
        lines = emit(self.cls(**example), name="cell_under_check").count("\n")
        return f"{lines} lines"

    def _tried(self, example: dict[str, Any]) -> tuple[Any, Face, NDArray[np.int64]]:
        cell = self.cls(**example)
        face = face_of(cell)
        return cell, face, frames_for(face, example, self.frames, self.seed)

    def _timing(self, cell: Any, name: str) -> int:
        if not hasattr(cell, name):
            raise MismatchError(f"the class must declare {name}, in cycles")
        return check_int(self.name, name, getattr(cell, name), 1, 1 << 20)

    def reference(self, example: dict[str, Any]) -> str:
        """compute() gives integers of the type of o, frame by frame."""
        cell, face, frames = self._tried(example)
        answers, given = _answers(cell, face, frames), frames.copy()
        cell.compute(given)
        if not np.array_equal(given, frames):
            raise MismatchError("compute() must leave the array that it is given as it was")
        for n in reversed(range(min(len(frames), 32))):
            if not np.array_equal(_answers(cell, face, frames[n : n + 1])[0], answers[n]):
                raise MismatchError(
                    "compute() must answer each frame by itself: "
                    f"{frames[n].tolist()} has another answer alone than among others"
                )
        return f"{len(frames)} frames"

    def hardware(self, example: dict[str, Any]) -> str:
        """The hardware gives what compute() says, however it is stalled."""
        cell, face, frames = self._tried(example)
        answers = _answers(cell, face, frames)
        latency, interval = self._timing(cell, "latency"), self._timing(cell, "interval")
        cycles = 1000 + latency + 20 * len(frames) * interval
        try:
            check_cell(cell, frames, answers, seeds=(self.seed, self.seed + 1), max_cycles=cycles)
        except AssertionError as error:
            beat = re.search(r"o\[(\d+)\] is ", str(error))
            given = f", of {frames[int(beat[1])].tolist()}" if beat else ""
            raise MismatchError(f"{error}{given}") from error
        return f"equal to compute() on {len(frames)} frames, without stalls and with two seeds"

    def latency(self, example: dict[str, Any]) -> str:
        """The declared latency is the measured one."""
        cell, _, frames = self._tried(example)
        declared = self._timing(cell, "latency")
        for frame in (frames[0], frames[-1]):
            try:
                found = first_latency(cell, [frame.tolist()], max_cycles=declared + 1000)
            except TimeoutError as error:
                raise MismatchError(
                    f"no answer is offered while ready of o stays low, after {declared + 1000} "
                    "cycles: valid must not wait for ready"
                ) from error
            if found != declared:
                raise MismatchError(f"latency is declared as {declared}, but measured as {found}")
        return f"{declared} cycle{'s' if declared > 1 else ''}"

    def interval(self, example: dict[str, Any]) -> str:
        """The declared interval is the measured one."""
        cell, _, frames = self._tried(example)
        declared = self._timing(cell, "interval")
        vectors = 8 + 2 * self._timing(cell, "latency") // declared
        found = measured_interval(cell, [frames[-1].tolist()], vectors)
        if found != declared:
            raise MismatchError(f"interval is declared as {declared}, but measured as {found}")
        return f"{declared} cycle{'s' if declared > 1 else ''}"

    def network(self, example: dict[str, Any]) -> str:
        """A layer of a network can hold the cell and its arguments."""
        _, face, frames = self._tried(example)
        layer = Cell(cell=self.name, parameters=tuple(example.items()), **vars(face))
        if not np.array_equal(layer.run(frames), _answers(layer.make(), face, frames)):
            raise MismatchError("two instances with the same arguments must answer the same")
        return "stands in a layer"


def _answers(cell: Any, face: Face, frames: NDArray[np.int64]) -> NDArray[np.int64]:
    """What compute() says, if it is what stream o can carry."""
    answers = np.asarray(cell.compute(frames.copy()))
    wanted = (len(frames), face.outputs)
    if answers.shape != wanted or not np.issubdtype(answers.dtype, np.integer):
        raise MismatchError(
            f"compute() must return integers of shape {wanted}, "
            f"not {answers.dtype} of shape {answers.shape}"
        )
    _check_range(face.type, answers)
    return answers.astype(np.int64)


def _check_range(type_: IntType, answers: NDArray[Any]) -> None:
    low, high = int(answers.min()), int(answers.max())
    if low < type_.low or high > type_.high:
        raise MismatchError(
            f"compute() must return values in {type_.low}..{type_.high} ({type_} as stream o), "
            f"not in {low}..{high}"
        )
