"""Random changes of training pictures: colours, small motion, noise."""

from __future__ import annotations

from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.training.crops import generator

LUMA = (0.299, 0.587, 0.114)
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


def motion(size: int, rng: Random) -> Tensor:
    """Smooth random motion of a square frame, as a grid for ``warp``.

    A frame moves as a whole and bends a little: video without video (Wang et al. 2020, "Consistent
    video style transfer via relaxation and regularization").

    Returns:
        ``(size, size, 2)``, where each pixel comes from, in [-1, 1] inside the frame.
    """
    random = generator(rng)
    bend = BEND * torch.randn(1, 2, 4, 4, generator=random)
    shift = SHIFT * (2 * torch.rand(1, 2, 1, 1, generator=random) - 1)
    flow = F.interpolate(bend, size=(size, size), mode="bicubic", align_corners=True) + shift
    still = F.affine_grid(torch.eye(2, 3)[None], [1, 3, size, size], False)
    return (still + flow.permute(0, 2, 3, 1) * (2 / size))[0]


def warp(images: Tensor, grid: Tensor) -> Tensor:
    """Move ``(B, 3, H, W)`` by a grid; what comes from outside repeats the border."""
    return F.grid_sample(images, grid, padding_mode="border", align_corners=False)


def inside(grid: Tensor) -> Tensor:
    """Which pixels of a moved frame were in the frame before: ``(B, 1, H, W)``, 0 or 1."""
    return (grid.abs() < 1).all(dim=3)[:, None].float()


def noise(image: Tensor, rng: Random) -> Tensor:
    """Gaussian noise for ``(3, H, W)``, of a random strength."""
    return rng.uniform(0, NOISE) * torch.randn(image.shape, generator=generator(rng))
