"""Data parallel training under torchrun: who a process is, and what it shares with the others."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from spintron_ir import ParameterError

__all__ = ["ALONE", "Team", "team"]

VARIABLES = ("RANK", "LOCAL_RANK", "WORLD_SIZE")
"""What torchrun tells a process."""


@dataclass(frozen=True)
class Team:
    """The processes of a training and the place of this one among them.

    Attributes
    ----------
    rank, size : int
        Number of this process, from 0, and of processes. Only number 0 writes.
    """

    rank: int = 0
    size: int = 1

    def wrap(self, model: nn.Module) -> nn.Module:
        """The model with its gradients averaged over the processes in every step."""
        return model if self.size == 1 else DistributedDataParallel(model)

    def gather(self, value: Any) -> list[Any]:
        """The values of all processes."""
        values = [value] * self.size
        if self.size > 1:
            distributed.all_gather_object(values, value)
        return values

    def first(self, value: Any) -> Any:
        """The value of process 0."""
        values = [value]
        if self.size > 1:
            distributed.broadcast_object_list(values, src=0)
        return values[0]

    def same_buffers(self, model: nn.Module) -> None:
        """Give all processes the buffers of process 0: statistics come from its share."""
        if self.size > 1:
            for buffer in model.buffers():
                distributed.broadcast(buffer, src=0)


ALONE = Team()
"""One process."""


@contextmanager
def team(device: torch.device) -> Iterator[Team]:
    """Join the process group that torchrun describes, or the one that is there already.

    Over nccl where ``device`` is a GPU, otherwise over gloo. A group that is made here is left at
    the end.

    Raises
    ------
    ParameterError
        If torchrun's variables are missing.
    """
    if device.type == "cuda":
        torch.cuda.set_device(device)  # nccl sends objects from the current one
    made = not distributed.is_initialized()
    if made:
        missing = [name for name in VARIABLES if name not in os.environ]
        if missing:
            raise ParameterError(
                f"training: distributed needs the environment of torchrun, and {missing[0]} is not "
                "set; start the script with torchrun"
            )
        distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield Team(distributed.get_rank(), distributed.get_world_size())
    finally:
        if made:
            distributed.destroy_process_group()
