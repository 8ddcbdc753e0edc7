"""Strokes of given directions: each place learns from strokes that run as its own are to run.

A place has the direction of its lines, across the gradient, by the structure tensor. The statistics
of a direction are those of the artwork's places that have it. So that all of the artwork counts for
each of them, colours included, it is looked at turned by every direction.
"""

from __future__ import annotations

import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.image import Picture, fit
from impasto.image.picture import Floats

# From level lines clockwise in equal steps. Between two of them both share a place.
DIRECTIONS = 4
# The exponent of that share: nearly half of both in the middle, next to nothing a step away.
SHARP = 8
# The photo is looked at with this longer side. Its directions are those of cells, so many along
# it; where one has no lines, those of larger cells around it, which count for little elsewhere.
SIDE, CELLS, LESS = 384, (48, 12, 3, 1), 0.1
# Pixels over which a direction of the artwork's strokes is averaged.
STROKE = 7
# How much places without a direction count in an artwork beside those of one, and the squares of
# slopes below which there is none.
FLOOR, FLAT = 0.02, 1e-6
# Pixels beside the borders of a turned artwork that do not count.
BORDER = 8


def find_directions(grey: Floats) -> tuple[Floats, ...]:
    """How far each place is to have strokes of each direction.

    Args:
        grey: ``(H, W)`` in [0, 1], a photo or a drawing whose lines are followed.

    Returns:
        For each direction ``(H, W)``, adding up to 1; alike where there are no lines.
    """
    plane = torch.from_numpy(grey.copy())[None, None]
    size = fit(grey.shape, SIDE)
    tensor = _tensor(F.interpolate(plane, size=size, mode="area"))
    levels = (F.interpolate(tensor, size=fit(size, cells), mode="area") for cells in CELLS)
    wide = [F.interpolate(level, size=grey.shape, mode="bilinear") for level in levels]
    found = sum((LESS**index * level for index, level in enumerate(wide)), torch.zeros(()))
    return tuple(share.numpy() for share in _shares(_coherence(found) * _along(found))[0])


def turned(artwork: Picture) -> list[list[Picture]]:
    """An artwork, visible where its strokes have a direction: for each, in all of its turns."""
    alpha = artwork.alpha_tensor()
    image = artwork.tensor()
    if alpha is None:
        alpha = torch.ones_like(image[:, :1])
    copies = [_turned(torch.cat([image, alpha], dim=1), turn) for turn in range(DIRECTIONS)]
    return [list(of_one) for of_one in zip(*map(_by_direction, copies), strict=True)]


def _by_direction(copy: Tensor) -> list[Picture]:
    """A copy ``(1, 4, H, W)``, RGB and alpha, visible where its strokes have each direction."""
    image, alpha = copy[:, :3], copy[:, 3:]
    tensor = F.avg_pool2d(_tensor(image.mean(dim=1, keepdim=True)), STROKE, 1, STROKE // 2)
    counting = alpha * (_coherence(tensor) + FLOOR)
    whole = Picture.from_tensor(image)
    parts = (counting * _shares(_along(tensor)))[0].numpy()
    return [replace(whole, alpha=part) for part in parts]


def _turned(image: Tensor, turn: int) -> Tensor:
    """An image ``(1, 4, H, W)`` turned clockwise, its canvas as large as that takes."""
    degrees = turn * 180 / DIRECTIONS
    if degrees % 90 == 0:
        return torch.rot90(image, -round(degrees / 90), (2, 3))
    height, width = image.shape[2:]
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    size = [
        math.ceil(height * abs(cos) + width * abs(sin)),
        math.ceil(width * abs(cos) + height * abs(sin)),
    ]
    rows, columns = (torch.arange(side) - (side - 1) / 2 for side in size)
    across = (cos * columns[None, :] + sin * rows[:, None]) * 2 / width
    down = (cos * rows[:, None] - sin * columns[None, :]) * 2 / height
    grid = torch.stack([across, down], dim=2)[None]
    copy = F.grid_sample(image, grid, mode="bicubic", align_corners=False).clamp(0, 1)
    side = 2 * BORDER + 1
    alpha = -F.max_pool2d(-F.pad(copy[:, 3:], [BORDER] * 4), side, 1)
    return torch.cat([copy[:, :3], alpha], dim=1)


def _tensor(grey: Tensor) -> Tensor:
    """The structure tensor of ``(1, 1, H, W)`` at each pixel, as ``(1, 3, H, W)``.

    Twice the angle of the lines as cosine and sine, times the square of the slope; and that square.
    """
    soft = F.avg_pool2d(F.pad(grey, [2] * 4, mode="replicate"), 3, 1)
    across = (soft[..., 1:-1, 2:] - soft[..., 1:-1, :-2]) / 2
    down = (soft[..., 2:, 1:-1] - soft[..., :-2, 1:-1]) / 2
    square = across.square() + down.square()
    return torch.cat([down.square() - across.square(), -2 * across * down, square], dim=1)


def _coherence(tensor: Tensor) -> Tensor:
    """How far lines agree in their direction, ``(1, 1, H, W)`` in [0, 1]."""
    length: Tensor = tensor[:, :2].norm(dim=1, keepdim=True)
    return length / (tensor[:, 2:] + FLAT)


def _along(tensor: Tensor) -> Tensor:
    """The directions of a structure tensor as ``(1, 2, H, W)``, of length 1 or 0."""
    return F.normalize(tensor[:, :2], dim=1)


def _shares(along: Tensor) -> Tensor:
    """How far directions of at most length 1 are each of all, ``(1, DIRECTIONS, H, W)``."""
    angles = 2 * math.pi * torch.arange(DIRECTIONS) / DIRECTIONS
    axes = torch.stack([angles.cos(), angles.sin()], dim=1)
    alike = (1 + F.conv2d(along, axes[:, :, None, None])).clamp_min(0).pow(SHARP)
    shares: Tensor = alike / alike.sum(dim=1, keepdim=True)
    return shares
