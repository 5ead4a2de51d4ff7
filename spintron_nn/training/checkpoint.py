"""Checkpoints: all of a run's state in one file, and back with every part checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .progress import Progress
from .session import Session
from .tensor_file import TrainingFileError, read_tree, write_tree

__all__ = ["differences", "restore", "store"]

KIND = "checkpoint"
BROKEN = (TypeError, ValueError, AttributeError, KeyError, IndexError, OverflowError, RuntimeError)


def store(session: Session) -> None:
    """Write the checkpoint of a run, if it keeps one; all processes call it, one writes."""
    path = session.fit.checkpoint
    if path is None:
        return
    random = session.team.gather(_random(session))
    if session.team.rank == 0:
        write_tree(path, KIND, _state(session) | {"random": random})


def restore(session: Session) -> bool:
    """Continue from the checkpoint of a run, if it keeps one and that exists; tell whether.

    Raises
    ------
    TrainingFileError
        If it is damaged, or of another run. The session is of no use then.
    """
    path = session.fit.checkpoint
    if path is None or not session.team.first(Path(path).is_file()):
        return False
    tree = read_tree(path, KIND)
    try:
        _check(tree, session)
        _apply(tree, session)
    except TrainingFileError as error:
        raise TrainingFileError(f"{path}: {error}") from error
    except BROKEN as error:
        raise TrainingFileError(
            f"{path}: the checkpoint is malformed ({type(error).__name__}); remove it to start anew"
        ) from error
    session.team.gather(None)  # none writes before all have read
    return True


def _random(session: Session) -> dict[str, Any]:
    """States of a process's generators."""
    cuda = session.device.type == "cuda"
    named: dict[str, Any] = {}
    for name, generator in session.fit.generators.items():
        if isinstance(generator, torch.Generator):
            named[name] = generator.get_state()
        else:
            named[name] = generator.bit_generator.state
    return {
        "run": session.random.get_state(),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state(session.device) if cuda else None,
        "named": named,
    }


def _state(session: Session) -> dict[str, Any]:
    return {
        "run": session.facts,
        "model": session.model.state_dict(),
        "optimiser": session.optimiser.state_dict(),
        "schedule": session.schedule.state_dict(),
        "scaler": session.scaler.state_dict(),
        "epoch": session.epoch,
        "step": session.step,
        "order": session.order,
        "sums": session.sums,
        "best": session.best,
        "history": [asdict(state) for state in session.history],
    }


def _check(tree: Any, session: Session) -> None:
    """Refuse what does not belong to this run, or is out of range."""
    facts, mine = tree["run"], session.facts
    other = [
        f"{name} {facts.get(name)!s:.60} there, {mine.get(name)!s:.60} here"
        for name in [*mine, *(name for name in facts if name not in mine)]
        if facts.get(name) != mine.get(name)
    ]
    if other:
        raise TrainingFileError(
            f"the checkpoint of another run: {'; '.join(other)}; give the same arguments, or "
            "another file"
        )
    fresh = _state(session) | {"random": tree["random"]}
    found = differences("model", tree["model"], fresh["model"])
    if found:
        raise TrainingFileError(
            f"the checkpoint of another model: {'; '.join(found[:4])}; build the model that it is "
            "of, or give another file"
        )
    if tree["best"] is not None:
        best = {"epoch": 0, "value": 0.0, "weights": fresh["model"]}
        found += differences("best", tree["best"], best)
    used = tree["optimiser"]["state"]
    wanted = {index: state for index, state in _stepped(session).items() if index in used}
    fresh["optimiser"]["state"] = wanted
    for name in ("optimiser", "schedule", "scaler"):
        found += differences(name, tree[name], fresh[name])
    found += differences("parts", dict.fromkeys(tree), dict.fromkeys(fresh))
    processes = [_random(session)] * session.team.size
    found += differences("random", tree["random"], processes)
    epoch, step, order = tree["epoch"], tree["step"], tree["order"]
    if not (
        type(epoch) is type(step) is int
        and 0 <= epoch <= session.fit.epochs
        and 0 <= step < len(session.starts)
    ):
        found.append("the position is outside the run")
    if (order is None) != (step == 0):
        found.append("the order of the data does not fit the position")
    elif order is not None and not (
        order.dtype == torch.int64
        and torch.equal(order.sort().values, torch.arange(len(session.x)))
    ):
        found.append("the order of the data is no order of them")
    if order is not None:
        sums = dict.fromkeys(("loss", *session.fit.metrics), 0.0)
        found += differences("sums", tree["sums"], sums)
    if len(tree["history"]) != epoch:
        found.append("the history is not that of the position")
    if found:
        raise TrainingFileError(
            f"the checkpoint is malformed: {'; '.join(found[:4])}; remove it to start anew"
        )


def _stepped(session: Session) -> dict[int, Any]:
    """State of an optimiser like the session's after a step: what there must be, in what shape."""
    copies = [nn.Parameter(torch.zeros_like(part)) for part in session.parameters]
    optimiser = session.fit.optimiser(copies, lr=session.fit.learning_rate)
    for copy in copies:
        copy.grad = torch.zeros_like(copy)
    optimiser.step()
    return optimiser.state_dict()["state"]


def _apply(tree: Any, session: Session) -> None:
    # First what may still be refused, so that the model stays as it is then.
    session.history = [Progress(**state) for state in tree["history"]]
    random = tree["random"][session.team.rank]
    session.random.set_state(random["run"])
    torch.set_rng_state(random["torch"])
    if random["cuda"] is not None:
        torch.cuda.set_rng_state(random["cuda"], session.device)
    for name, generator in session.fit.generators.items():
        if isinstance(generator, torch.Generator):
            generator.set_state(random["named"][name])
        else:
            generator.bit_generator.state = random["named"][name]
    session.optimiser.load_state_dict(tree["optimiser"])
    session.schedule.load_state_dict(tree["schedule"])
    if tree["scaler"]:
        session.scaler.load_state_dict(tree["scaler"])
    session.model.load_state_dict(tree["model"])
    session.epoch, session.step, session.order = tree["epoch"], tree["step"], tree["order"]
    session.sums, session.best = tree["sums"], tree["best"]


def differences(where: str, found: Any, wanted: Any) -> list[str]:
    """How nested values differ in shape: keys, lengths, types, texts; shapes and types of tensors.

    Parameters
    ----------
    where : str
        Name of the place, for the findings.
    found, wanted : Any
        What there is, and a pattern of it.

    Examples
    --------
    >>> differences("model", {"a": torch.zeros(2), "b": 1}, {"a": torch.zeros(3), "c": 1})
    ['model.c is missing', 'model.b is not known', 'model.a: shape (2,) instead of (3,)']
    """
    if isinstance(wanted, np.ndarray):
        wanted = wanted.tolist()
    if isinstance(wanted, Tensor):
        if not isinstance(found, Tensor):
            return [f"{where} is no tensor"]
        if found.shape != wanted.shape:
            return [f"{where}: shape {tuple(found.shape)} instead of {tuple(wanted.shape)}"]
        same = found.dtype == wanted.dtype
        return [] if same else [f"{where}: {found.dtype} instead of {wanted.dtype}"]
    if isinstance(wanted, Mapping):
        if not isinstance(found, dict):
            return [f"{where} is no dict"]
        result = [f"{where}.{key} is missing" for key in wanted if key not in found]
        result += [f"{where}.{key} is not known" for key in found if key not in wanted]
        for key in wanted:
            if key in found:
                result += differences(f"{where}.{key}", found[key], wanted[key])
        return result
    if isinstance(wanted, (list, tuple)):
        if type(found) is not type(wanted) or len(found) != len(wanted):
            return [f"{where} is no {type(wanted).__name__} of {len(wanted)}"]
        pairs = enumerate(zip(found, wanted))
        return [
            finding
            for index, (one, other) in pairs
            for finding in differences(f"{where}.{index}", one, other)
        ]
    numbers = {type(found), type(wanted)} <= {int, float}
    if not (numbers or (type(found) is type(wanted) and (wanted in (True, False, found)))):
        return [f"{where}: {_short(found)} instead of {_short(wanted)}"]
    return []


def _short(value: Any) -> str:
    return repr(value)[:40]
