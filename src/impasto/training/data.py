"""Folders of pictures as training data: random crops, decoded when they are needed."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from impasto.errors import InputError
from impasto.image import load_image, suffixes
from impasto.training.augment import jitter

logger = logging.getLogger(__name__)

HELD_OUT = 4
MOST_ENLARGED = 2
MIN_SCALE = 0.45  # crops show pictures shrunk to no less than this, unless they are very large
# Small pictures are also shown enlarged, as long as a crop holds a third of the shorter side: what
# is painted later is often larger, and its skies are smoother.
MAX_SCALE, LEAST_SHOWN = 1.5, 1 / 3
ENDLESS = 2**62
TRIES = 100  # draws for each picture of a folder until it counts as useless

#: A picture, and which of its crops.
Key = tuple[Path, int]


class Pictures:
    """Square crops of the pictures in a folder and the folders below it, a few held out.

    A crop depends on its key alone: place, scale, mirroring and colours are drawn by it. So what
    is costly to find out about a crop can be kept. Pictures that cannot be read, or are so small
    that a crop would be mostly blur, are skipped when they are first drawn.

    Args:
        folder: Where to look. Of less than eight pictures none can be spared: some are both
            learnt on and looked at.
        size: Side of the crops in pixels; pictures of half of it are enlarged to it.
        jitter: How much colours change at random; see ``augment.jitter``.
        deviation: The least standard deviation of the channel that varies most: crops of nearly
            one colour are not drawn.
        variants: How many crops a picture has; 0: no end of them.

    Attributes:
        paths: The picture files that are learnt on, sorted.
        skipped: Those files that turned out not to be readable, or too small.
        held_out: ``(N, 3, size, size)``, RGB in [0, 1], crops of other pictures.

    Raises:
        InputError: If there is no such folder, or no picture in it that can be used.
    """

    def __init__(
        self,
        folder: Path,
        size: int,
        *,
        jitter: float = 0.0,
        deviation: float = 0.0,
        variants: int = 0,
    ) -> None:
        if not folder.is_dir():
            raise InputError(f"there is no folder '{folder}'")
        self.folder, self.size = folder, size
        self.jitter, self.deviation = jitter, deviation
        self.variants = variants or ENDLESS
        self.paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes())
        self.skipped: set[Path] = set()
        if not self.paths:
            raise InputError(f"there are no pictures in '{folder}'")
        self.held_out = self._hold_out()

    def _hold_out(self) -> Tensor:
        """Crops of usable pictures, drawn without looking at the seed of the training."""
        crops, held = [], set[Path]()
        for path in Random("held out").sample(self.paths, len(self.paths)):
            if (crop := self._crop(path, "held out", 0.0)) is not None:
                crops.append(crop)
                held.add(path)
            if len(crops) == HELD_OUT:
                break
        if not crops:
            raise self._useless()
        if len(self.paths) >= 2 * HELD_OUT:
            self.paths = [path for path in self.paths if path not in held]
        else:
            logger.warning(
                "only %d pictures in %s: the held-out loss is not of unseen ones",
                len(self.paths),
                self.folder,
            )
        return torch.stack(crops)

    def keys(self, rng: Random) -> Iterator[Key]:
        """Keys of crops at random, to take the first whose crop can be used.

        Raises:
            InputError: After very many of them.
        """
        for _ in range(TRIES * len(self.paths)):
            yield rng.choice(self.paths), rng.randrange(self.variants)
        raise self._useless()

    def crop(self, key: Key) -> Tensor | None:
        """The crop ``(3, size, size)``, RGB in [0, 1], of a key; None if it cannot be used."""
        path, variant = key
        return self._crop(path, variant, self.jitter)

    def draw(self, rng: Random) -> Tensor:
        """Draw a crop ``(3, size, size)``, RGB in [0, 1]; equal generators draw equal crops.

        Raises:
            InputError: If none of the pictures can be used.
        """
        crops = (self.crop(key) for key in self.keys(rng))
        return next(crop for crop in crops if crop is not None)

    def batch(self, draws: Sequence[Random]) -> Tensor:
        """Draw ``(B, 3, size, size)``, RGB in [0, 1], each by its own generator."""
        return torch.stack([self.draw(rng) for rng in draws])

    def _crop(self, path: Path, seed: object, jittering: float) -> Tensor | None:
        if path in self.skipped:
            return None
        try:
            image = _read(path, self.size)
        except InputError as error:
            self.skipped.add(path)
            logger.warning("skipping %s: %s", path, error)
            return None
        rng = Random(f"{path.relative_to(self.folder).as_posix()} {seed}")
        crop = jitter(_random_crop(image, self.size, rng), rng, jittering)
        return crop if crop.flatten(1).std(dim=1).max() >= self.deviation else None

    def _useless(self) -> InputError:
        return InputError(f"none of the pictures in '{self.folder}' can be used")


def _read(path: Path, size: int) -> Image.Image:
    """Read a picture, shrunk as far as crops of this size allow, which spares most of the time."""
    picture = load_image(path, at_least=round(size / MIN_SCALE))
    height, width = picture.size
    if min(height, width) * MOST_ENLARGED < size:
        raise InputError(f"{width} x {height} px is too small")
    return picture.pil().convert("RGB")


def _random_crop(image: Image.Image, size: int, rng: Random) -> Tensor:
    """A random square of a picture at a random scale, mirrored half of the time."""
    width, height = image.size
    least = size / min(width, height)
    most = min(MAX_SCALE, max(1.0, least / LEAST_SHOWN))
    if least < 1:
        scale = math.exp(rng.uniform(math.log(max(least, MIN_SCALE)), math.log(most)))
    else:
        scale = least
    side = min(size / scale, width, height)
    left, top = rng.uniform(0, width - side), rng.uniform(0, height - side)
    crop = image.resize(
        (size, size),
        Image.Resampling.BICUBIC,
        box=(left, top, min(left + side, width), min(top + side, height)),
        reducing_gap=3.0,
    )
    if rng.random() < 0.5:
        crop = ImageOps.mirror(crop)
    return torch.from_numpy(np.array(crop)).permute(2, 0, 1).float() / 255
