"""Training pictures from a folder, and some of them kept apart to see what was learnt."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence
from random import Random

import torch
from torch import Tensor

from impasto.errors import InputError
from impasto.training.augment import jitter
from impasto.training.data import PictureFolder

logger = logging.getLogger(__name__)

HELD_OUT = 4


class Photos:
    """Crops of the pictures in a folder, a few pictures held out.

    Args:
        folder: Where they are. Of less than eight pictures none can be spared: some are both
            learnt on and looked at.
        size: Side of the crops in pixels.
        jitter: How much colours change at random; see ``augment.jitter``.

    Attributes:
        held_out: ``(N, 3, size, size)``, crops of the pictures held out.

    Raises:
        InputError: If no picture can be used.
    """

    def __init__(self, folder: PictureFolder, size: int, jitter: float) -> None:
        self.size = size
        self.jitter = jitter
        self.held_out, kept = _hold_out(folder, size)
        self.folder = folder
        if len(folder) >= 2 * HELD_OUT:
            self.folder = copy.copy(folder)
            self.folder.paths = [path for path in folder.paths if path not in kept]
        else:
            logger.warning(
                "only %d pictures in %s: the held-out loss is not of unseen ones",
                len(folder),
                folder.folder,
            )

    def draw(self, draws: Sequence[Random]) -> Tensor:
        """Draw ``(B, 3, size, size)``, RGB in [0, 1], each by its own generator."""
        crops = [(self.folder.crop(self.size, rng), rng) for rng in draws]
        return torch.stack([jitter(crop, rng, self.jitter) for crop, rng in crops])


def _hold_out(folder: PictureFolder, size: int) -> tuple[Tensor, set[object]]:
    """Crops of readable pictures, drawn without looking at the seed of the training."""
    rng = Random("held out")
    crops, kept = [], set[object]()
    for path in rng.sample(folder.paths, len(folder)):
        single = copy.copy(folder)
        single.paths, single.skipped = [path], set()
        try:
            crops.append(single.crop(size, rng))
            kept.add(path)
        except InputError:
            folder.skipped.add(path)
        if len(crops) == HELD_OUT:
            break
    if not crops:
        raise InputError(f"none of the pictures in '{folder.folder}' can be used")
    return torch.stack(crops), kept
