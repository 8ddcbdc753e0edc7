"""Training by several processes that torchrun started: who is who, and what they tell each other.

Each process works off its share of every batch; the mean of the gradients is that of the whole
batch. So the number of processes changes how long a training takes, not what it learns, and a run
may be resumed with another number of them.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

from impasto.devices import pick_device
from impasto.errors import InputError

# Tensors on a CPU always go by gloo, so that what is told beside the gradients stops no GPU.
BACKENDS = {"cpu": "gloo", "cuda": "cpu:gloo,cuda:nccl"}


@dataclass(frozen=True)
class World:
    """The processes of a training.

    Attributes:
        rank: The number of this one, from 0.
        size: How many there are.
    """

    rank: int = 0
    size: int = 1

    @property
    def writes(self) -> bool:
        """Whether this process writes files and shows progress: one of them does."""
        return self.rank == 0

    def shares(self, batch: int, parts: int) -> list[range]:
        """The pictures of a batch that are for this process.

        Args:
            batch: Pictures in a batch of all processes.
            parts: Parts in which each process works off its share.

        Returns:
            For each part the numbers of its pictures.

        Raises:
            InputError: If the batch cannot be divided evenly: the mean of the parts would not be
                that of the batch.
        """
        if parts < 1 or batch % (self.size * parts):
            raise InputError(
                f"a batch of {batch} cannot be divided among {self.size} processes in {parts} "
                "parts each: change --batch or --accumulate"
            )
        count = batch // (self.size * parts)
        first = self.rank * parts
        return [range(i * count, (i + 1) * count) for i in range(first, first + parts)]

    def share_gradients(self, module: nn.Module) -> None:
        """Make the gradients of a module their means over all processes.

        After the backward pass and in one go, not during it as ``DistributedDataParallel`` does:
        networks as small as these would not gain anything that is worth its conditions.
        """
        if self.size == 1:
            return
        gradients = [each.grad for each in module.parameters() if each.grad is not None]
        mean = self.mean(torch.cat([each.flatten() for each in gradients]))
        parts = torch.split(mean, [each.numel() for each in gradients])
        for gradient, part in zip(gradients, parts, strict=True):
            gradient.copy_(part.view_as(gradient))

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a tensor over all processes."""
        if self.size > 1:
            dist.all_reduce(value)
        return value / self.size

    def agree(self, why: str | None) -> str | None:
        """The value of the process that writes, for all: they have to stop at the same step."""
        if self.size == 1:
            return why
        told: list[str | None] = [why]
        dist.broadcast_object_list(told, device=torch.device("cpu"))
        return told[0]


def started() -> int:
    """How many processes torchrun has started; 1 without it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def own_device(name: str) -> str:
    """The device of this process: where CUDA may be taken, each takes another one."""
    if started() > 1 and name in ("auto", "cuda") and torch.cuda.is_available():
        return f"cuda:{os.environ['LOCAL_RANK']}"
    return name


@contextmanager
def joined(device: str) -> Iterator[World]:
    """Join the processes that torchrun started; without it this one is alone.

    Args:
        device: That of this process: a name for ``impasto.devices.pick_device``.

    Raises:
        InputError: If the device does not exist, or is of a kind that cannot train together.
    """
    picked = pick_device(device)
    if started() == 1:
        yield World()
        return
    if picked.type not in BACKENDS:
        raise InputError(f"several processes train on cpu or cuda, not on {picked.type}")
    if picked.type == "cuda":
        torch.cuda.set_device(picked)
    # Loaded later, its default arguments would keep the group alive when it is destroyed; and its
    # threads, still there when Python ends, abort the process now and then.
    importlib.import_module("torch.distributed.nn.functional")
    dist.init_process_group(BACKENDS[picked.type])
    try:
        yield World(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
