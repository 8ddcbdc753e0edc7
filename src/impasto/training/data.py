"""Folders of pictures as training data: random crops, decoded when they are needed."""

from __future__ import annotations

import logging
import math
from pathlib import Path
from random import Random

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from impasto.errors import InputError
from impasto.image import Picture, load_image, suffixes

logger = logging.getLogger(__name__)

MOST_ENLARGED = 2
MIN_SCALE = 0.45  # crops show pictures shrunk to no less than this, unless they are very large
# Small pictures are also shown enlarged, as long as a crop holds a third of the shorter side: what
# is painted later is often larger, and its skies are smoother.
MAX_SCALE, LEAST_SHOWN = 1.5, 1 / 3


class PictureFolder:
    """The pictures in a folder and the folders below it.

    Pictures that cannot be read, or are so small that a crop would be mostly blur, are skipped,
    and kept count of, when they are first drawn.

    Args:
        folder: Where to look.

    Attributes:
        paths: The picture files, sorted.
        skipped: Those of them that turned out not to be readable, or too small.

    Raises:
        InputError: If there is no such folder, or no picture in it.
    """

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise InputError(f"there is no folder '{folder}'")
        self.folder = folder
        self.paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in suffixes())
        self.skipped: set[Path] = set()
        if not self.paths:
            raise InputError(f"there are no pictures in '{folder}'")

    def __len__(self) -> int:
        return len(self.paths)

    def crop(self, size: int, rng: Random) -> Tensor:
        """Draw a random square of a random picture at a random scale, mirrored half of the time.

        Args:
            size: Side of the crop in pixels; pictures of half of it are enlarged to it.
            rng: All randomness comes from here, so equal generators draw equal crops.

        Returns:
            ``(3, size, size)``, RGB in [0, 1].

        Raises:
            InputError: If none of the pictures can be used.
        """
        while len(self.skipped) < len(self.paths):
            path = rng.choice(self.paths)
            if path in self.skipped:
                continue
            try:
                picture = load_image(path, at_least=round(size / MIN_SCALE))
                return _random_crop(picture, size, rng)
            except InputError as error:
                self.skipped.add(path)
                logger.warning("skipping %s: %s", path, error)
        raise InputError(f"none of the pictures in '{self.folder}' can be used")


def _random_crop(picture: Picture, size: int, rng: Random) -> Tensor:
    if min(picture.size) * MOST_ENLARGED < size:
        height, width = picture.size
        raise InputError(f"{width} x {height} px is too small")
    image = picture.pil().convert("RGB")
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
