"""The interface between the trainer and a training task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from impasto.image import Picture
from impasto.training.data import Pictures
from impasto.training.recipes import Recipe

Batch = TypeVar("Batch")


class Task(ABC, Generic[Batch]):
    """A training task: a network, batches, losses, and a look at the results.

    Attributes:
        recipe: What to do.
        folders: The pictures that are learnt on.
    """

    recipe: Recipe
    folders: list[Pictures]

    @property
    def settings(self) -> dict[str, Any]:
        """Settings that a checkpoint must share with this training: plain values by name."""
        return asdict(self.recipe)

    @abstractmethod
    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move what the losses need to a device, the backbone in a dtype; called once, first."""

    @abstractmethod
    def network(self, weights: Mapping[str, Tensor] | None = None) -> nn.Module:
        """Build the network on the CPU, with these weights or those with which it starts."""

    def prepare(self, step: int, average: Any) -> None:
        """Called before each step, with the steps done and the averaged network."""
        return

    @abstractmethod
    def batch(self, draws: Sequence[Random]) -> Batch:
        """Draw a batch on the CPU, each example by a generator of its own; called in threads."""

    @abstractmethod
    def terms(self, network: Any, batch: Batch) -> dict[str, Tensor]:
        """The weighted loss terms of a batch: scalars by name."""

    @abstractmethod
    def held_out(self, network: Any) -> float:
        """The loss on pictures on which the network does not learn."""

    @abstractmethod
    def sheet(self, network: Any) -> Picture:
        """A contact sheet that shows what the network does."""

    @abstractmethod
    def write(self, network: Any, path: Path, step: int) -> None:
        """Write a network that has learnt for so many steps to a file.

        Raises:
            ImpastoError: If it cannot be written.
        """

    def state(self) -> dict[str, Any]:
        """The task's part of a checkpoint: tensors and plain values by name."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take what a checkpoint kept; called before ``network``."""
        return


def exact(images: Tensor) -> torch.autocast:
    """No autocast: a backbone has its own dtype, and statistics need float32."""
    return torch.autocast(images.device.type, enabled=False)
