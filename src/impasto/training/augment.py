"""Random changes of training pictures: colours, noise, small motion."""

from __future__ import annotations

from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

LUMA = (0.299, 0.587, 0.114)
GREY = 0.3  # share of the grain without colour
NOISE = 0.01  # largest standard deviation of the noise on the second of two frames
SHIFT = 10.0  # largest motion of a whole frame, in pixels
BEND = 8.0  # standard deviation of the motion of its parts


def jitter(image: Tensor, rng: Random, amount: float) -> Tensor:
    """Change brightness, contrast, saturation and the balance of the colours at random.

    Args:
        image: ``(3, H, W)``, RGB in [0, 1].
        rng: All randomness comes from here.
        amount: About the largest relative change; 0 changes nothing.

    Returns:
        ``(3, H, W)``, RGB in [0, 1].
    """
    contrast, saturation = (1 + rng.uniform(-amount, amount) for _ in range(2))
    brightness = rng.uniform(-amount, amount) / 2
    balance = torch.tensor([1 + rng.uniform(-amount, amount) / 4 for _ in range(3)])
    grey = (image * torch.tensor(LUMA)[:, None, None]).sum(dim=0, keepdim=True)
    coloured = torch.lerp(grey, image, saturation) * balance[:, None, None]
    return ((coloured - 0.5) * contrast + 0.5 + brightness).clamp(0, 1)


def grain(image: Tensor, rng: Random) -> Tensor:
    """Add Gaussian noise, coloured or grey, of a grain of 1, 2 or 4 pixels, to ``(3, S, S)``."""
    size = image.shape[-1]
    noise = torch.randn(image.shape, generator=_generator(rng))
    if rng.random() < GREY:
        noise = noise.mean(dim=0, keepdim=True)
    pixels = rng.choice((1, 1, 2, 4))
    if pixels > 1:
        coarse = noise[None, :, : -(-size // pixels), : -(-size // pixels)]
        noise = 1.3 * F.interpolate(coarse, size=(size, size), mode="bilinear")[0]
    return (image + rng.uniform(0.03, 0.35) * noise).clamp(0, 1)


def motion(size: int, rng: Random) -> Tensor:
    """Smooth random motion of a square frame, as a grid for ``warp``.

    A frame moves as a whole and bends a little: video without video (Wang et al. 2020, "Consistent
    video style transfer via relaxation and regularization").

    Returns:
        ``(size, size, 2)``, where each pixel comes from, in [-1, 1] inside the frame.
    """
    random = _generator(rng)
    bend = BEND * torch.randn(1, 2, 4, 4, generator=random)
    shift = SHIFT * (2 * torch.rand(1, 2, 1, 1, generator=random) - 1)
    flow = F.interpolate(bend, size=(size, size), mode="bicubic", align_corners=True) + shift
    still = F.affine_grid(torch.eye(2, 3)[None], [1, 3, size, size], False)
    return (still + flow.permute(0, 2, 3, 1) * (2 / size))[0]


def warp(images: Tensor, grid: Tensor) -> Tensor:
    """Move ``(B, 3, H, W)`` by a grid; what comes from outside repeats the border."""
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def inside(grid: Tensor) -> Tensor:
    """The pixels of a moved frame that were in the frame before: ``(B, 1, H, W)``, 0 or 1."""
    return (grid.abs() < 1).all(dim=3)[:, None].float()


def noise(image: Tensor, rng: Random) -> Tensor:
    """Faint Gaussian noise for ``(3, H, W)``, of a random strength."""
    return rng.uniform(0, NOISE) * torch.randn(image.shape, generator=_generator(rng))


def _generator(rng: Random) -> torch.Generator:
    """A torch generator that is seeded by a Python one."""
    return torch.Generator().manual_seed(rng.randrange(2**31))
