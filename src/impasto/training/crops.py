"""The images on which a distilled network learns: crops of photos and artworks, some disturbed."""

from __future__ import annotations

from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.training.data import PictureFolder

NOISY = 0.25  # share of the crops with noise on them: style transfer starts from, or passes, such
BLENDED = 0.1  # share of the crops that are two pictures on top of each other
GREY = 0.3  # share of the noise without colour


class Crops:
    """Batches of crops, photos and artworks in turn.

    Args:
        photos: Where photos come from.
        artworks: Where artworks come from.
        size: Side of the crops in pixels.
    """

    def __init__(self, photos: PictureFolder, artworks: PictureFolder, size: int) -> None:
        self.photos = photos
        self.artworks = artworks
        self.size = size

    def photo(self, rng: Random) -> Tensor:
        """Draw a crop ``(3, size, size)`` of a photo, RGB in [0, 1]."""
        return self.photos.crop(self.size, rng)

    def artwork(self, rng: Random) -> Tensor:
        """Draw a crop ``(3, size, size)`` of an artwork, RGB in [0, 1]."""
        return self.artworks.crop(self.size, rng)

    def batch(self, count: int, rng: Random) -> Tensor:
        """Draw ``(count, 3, size, size)``, RGB in [0, 1], some of it noisy or blended."""
        crops = []
        for index in range(count):
            crop = self.photo(rng) if index % 2 else self.artwork(rng)
            kind = rng.random()
            if kind < NOISY:
                crop = add_noise(crop, rng)
            elif kind < NOISY + BLENDED:
                crop = torch.lerp(self.artwork(rng), crop, rng.uniform(0.2, 0.8))
            crops.append(crop)
        return torch.stack(crops).contiguous(memory_format=torch.channels_last)

    @property
    def skipped(self) -> int:
        """How many pictures were skipped because they cannot be read."""
        return len(self.photos.skipped) + len(self.artworks.skipped)


def add_noise(crop: Tensor, rng: Random) -> Tensor:
    """Add Gaussian noise, coloured or grey, of a grain of 1, 2 or 4 pixels, to a crop."""
    size = crop.shape[-1]
    noise = torch.randn(crop.shape, generator=generator(rng))
    if rng.random() < GREY:
        noise = noise.mean(dim=0, keepdim=True)
    grain = rng.choice((1, 1, 2, 4))
    if grain > 1:
        coarse = noise[None, :, : -(-size // grain), : -(-size // grain)]
        noise = 1.3 * F.interpolate(coarse, size=(size, size), mode="bilinear")[0]
    return (crop + rng.uniform(0.03, 0.35) * noise).clamp(0, 1)


def generator(rng: Random) -> torch.Generator:
    """A torch generator that is seeded by a Python one."""
    return torch.Generator().manual_seed(rng.randrange(2**31))
