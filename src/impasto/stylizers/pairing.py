"""Regions found by themselves: sky is painted as the artwork's sky, ground as its ground.

Deep features tell what is where (Gatys et al. 2017 have regions drawn by hand). Those of photo and
artwork are clustered together, so that a cluster is a region of both. Paintings differ from photos
in all of their features alike, so each picture's mean is taken off before: otherwise clusters would
be of the photo or of the artwork, and pair nothing.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.backbones import load_backbone
from impasto.backbones.base import Backbone
from impasto.devices import own_state
from impasto.image import Picture, fit
from impasto.image.picture import Floats
from impasto.image.wrapping import Axes, around, extended

# Of the embedded backbone, whatever paints: texture, and what it belongs to.
LAYERS = ("relu3_1", "relu4_1")
# Pictures are looked at with this longer side: regions are large, and textures small.
SIDE = 384
# How much the height in the picture counts beside what is seen: from top to bottom it makes as
# much of a difference as two places with nothing in common do in one layer.
HEIGHT = 1.0
# A region has at least this share of the photo and of the artwork: smaller ones say too little of
# a style, or of where to have it.
LEAST = 0.1
# Searches from other starts, of which the best counts, and steps of each.
STARTS, STEPS = 4, 20
# How softly places belong to regions: 0 would be to the nearest alone.
SOFTNESS = 0.08
# Blur of regions in positions of the deepest layer, against islands.
BLUR = 1.2
# Radius in pixels and contrast of the edges that regions follow (He, Sun and Tang 2010).
RADIUS, CONTRAST = 12, 1e-3
# Every place belongs to every region by this much, so that none is ever empty.
TRACE = 1e-3


@dataclass(frozen=True, eq=False)
class Positions:
    """What is seen of a picture, position by position.

    Attributes:
        rows: ``(h * w, C)``, features of unit length by layer, and the height.
        weights: ``(h * w,)``, how much each position counts; their sum is 1.
        grid: (h, w).
        means: What was taken off the features of each layer, ``(1, C, 1, 1)``.
        small: The picture as it was looked at, with margins where it repeats.
        margins: Of these, in pixels.
    """

    rows: Tensor
    weights: Tensor
    grid: tuple[int, int]
    means: tuple[Tensor, ...]
    small: Picture
    margins: tuple[int, int]


@dataclass(frozen=True, eq=False)
class Pairing:
    """The regions of an artwork, and what their counterparts in photos are known by.

    Attributes:
        artwork: The artwork as a whole.
        parts: ``(H, W)`` in [0, 1] for each region of the artwork; their sum is 1 everywhere.
        centers: ``(K, C)``, the features of each region.
        spread: Mean squared distance of features to their center.
        means: Of the photo's features, by layer.
        wrapped: Whether rows and whether columns of photos repeat.
    """

    artwork: Picture
    parts: tuple[Floats, ...]
    centers: Tensor
    spread: float
    means: tuple[Tensor, ...]
    wrapped: Axes

    @own_state()
    @torch.no_grad()
    def regions(self, photo: Picture) -> tuple[Floats, ...]:
        """The regions of the photo, or of another frame of its film, as ``parts`` are."""
        look = _look(photo, self.wrapped, means=self.means)
        return _masks(look, self.centers, self.spread, photo.size)


@own_state()
@torch.no_grad()
def pair(photo: Picture, artwork: Picture, count: int, wrapped: Axes = (False, False)) -> Pairing:
    """Find the regions of a photo and an artwork; the same pictures always have the same ones.

    Args:
        photo: What is transparent does not count.
        artwork: The same.
        count: The most regions; there are fewer where one would be too small.
        wrapped: Whether rows and whether columns of the photo repeat.
    """
    looks = [_look(photo, wrapped), _look(artwork, (False, False), level=wrapped[0])]
    rows = torch.cat([look.rows for look in looks])
    weights = torch.cat([look.weights for look in looks])
    centers = _common(looks, _clustered(rows, weights, count))
    spread = float((weights * _distances(rows, centers).amin(dim=1)).sum() / weights.sum())
    parts = _masks(looks[1], centers, spread, artwork.size)
    return Pairing(artwork, parts, centers, spread, looks[0].means, wrapped)


@functools.cache
def _backbone() -> Backbone:
    return load_backbone("lite")


def _look(
    picture: Picture,
    wrapped: Axes,
    *,
    level: bool = False,
    means: Sequence[Tensor | None] = (None,) * len(LAYERS),
) -> Positions:
    """Look at a picture.

    Args:
        picture: The picture.
        wrapped: Whether its rows and whether its columns repeat.
        level: Whether the height does not count, as where rows repeat.
        means: What to take off the features of each layer; None: their own means.
    """
    backbone = _backbone()
    smallest = backbone.min_size
    height, width = fit(picture.size, SIDE)
    small = picture.resized(max(height, smallest), max(width, smallest))
    margins = around(small.size, wrapped)
    small = extended(small, margins)
    maps = backbone(small.tensor(), LAYERS)
    h, w = maps[LAYERS[-1]].shape[2:]
    alpha = small.alpha_tensor()
    visible = torch.ones(1, 1, h, w) if alpha is None else _at(alpha, (h, w))
    weights = visible.flatten() / visible.sum()
    parts, found = [], []
    for layer, known in zip(LAYERS, means, strict=True):
        planes = _at(maps[layer].float(), (h, w))
        mean = (planes * weights.view(1, 1, h, w)).sum((2, 3), keepdim=True)
        found.append(mean if known is None else known)
        parts.append(F.normalize(planes - found[-1], dim=1))
    rises = 0.0 if level or wrapped[0] else HEIGHT
    parts.append(rises * torch.linspace(-1, 1, h).view(1, 1, h, 1).expand(1, 1, h, w))
    rows = torch.cat(parts, dim=1)[0].flatten(1).T.contiguous()
    return Positions(rows, weights, (h, w), tuple(found), small, margins)


def _at(planes: Tensor, size: tuple[int, int]) -> Tensor:
    """Planes ``(1, C, H, W)`` at another, smaller (height, width)."""
    return planes if planes.shape[2:] == size else F.adaptive_avg_pool2d(planes, size)


def _distances(rows: Tensor, centers: Tensor) -> Tensor:
    """Squared distances, ``(N, K)``."""
    return torch.cdist(rows, centers).square()


def _clustered(rows: Tensor, weights: Tensor, count: int) -> Tensor:
    """The centers of k-means ``(K, C)``, begun as by Arthur and Vassilvitskii 2007."""
    generator = torch.Generator().manual_seed(0)
    best, least = rows[:1], math.inf
    for _ in range(STARTS):
        centers = rows[torch.multinomial(weights, 1, generator=generator)]
        while len(centers) < count:
            chances = weights * _distances(rows, centers).amin(dim=1)
            if float(chances.sum()) <= 0:  # fewer different places than clusters
                break
            centers = torch.cat([centers, rows[torch.multinomial(chances, 1, generator=generator)]])
        centers = _settled(rows, weights, centers)
        loss = float((weights * _distances(rows, centers).amin(dim=1)).sum())
        if loss < least:
            best, least = centers, loss
    return best


def _settled(rows: Tensor, weights: Tensor, centers: Tensor) -> Tensor:
    """Centers moved to the means of what is nearest to them."""
    for _ in range(STEPS):
        nearest = F.one_hot(_distances(rows, centers).argmin(dim=1), len(centers)).to(rows)
        share = weights[:, None] * nearest
        total = share.sum(dim=0)[:, None]
        centers = torch.where(total > 0, share.T @ rows / total.clamp_min(1e-12), centers)
    return centers


def _common(looks: Sequence[Positions], centers: Tensor) -> Tensor:
    """Centers that are large enough in every picture; the places of others go to the nearest."""
    rows = torch.cat([look.rows for look in looks])
    weights = torch.cat([look.weights for look in looks])
    while len(centers) > 1:
        least = torch.stack([_shares(look, centers) for look in looks]).amin(dim=0)
        worst = int(least.argmin())
        if least[worst] >= LEAST:
            break
        centers = _settled(rows, weights, torch.cat([centers[:worst], centers[worst + 1 :]]))
    return centers


def _shares(look: Positions, centers: Tensor) -> Tensor:
    """The share of each center in a picture, ``(K,)``."""
    nearest = _distances(look.rows, centers).argmin(dim=1)
    return torch.zeros(len(centers)).index_add(0, nearest, look.weights)


def _masks(
    look: Positions, centers: Tensor, spread: float, size: tuple[int, int]
) -> tuple[Floats, ...]:
    """How much each pixel of a picture of (height, width) belongs to each center."""
    distances = _distances(look.rows, centers) / (SOFTNESS * max(spread, 1e-6))
    masks = torch.softmax(-distances, dim=1).T.view(1, len(centers), *look.grid)
    masks = F.interpolate(_blurred(masks), size=look.small.size, mode="bilinear")
    masks = _along_edges(masks, look.small.tensor().mean(dim=1, keepdim=True))
    rows, columns = (slice(margin, -margin or None) for margin in look.margins)
    masks = F.interpolate(masks[..., rows, columns], size=size, mode="bilinear")
    masks = masks.clamp(0, 1) + TRACE
    return tuple((masks / masks.sum(dim=1, keepdim=True))[0].numpy())


def _blurred(planes: Tensor) -> Tensor:
    """Planes ``(1, C, H, W)`` behind a Gaussian."""
    reach = round(3 * BLUR)
    kernel = torch.exp(-torch.arange(-reach, reach + 1).square() / (2 * BLUR**2))
    kernel = (kernel / kernel.sum()).view(1, 1, 1, -1)
    for _ in range(2):
        padded = F.pad(planes, (reach, reach, 0, 0), mode="replicate").transpose(0, 1)
        planes = F.conv2d(padded, kernel).transpose(0, 1).transpose(2, 3)
    return planes


def _along_edges(planes: Tensor, guide: Tensor) -> Tensor:
    """Planes ``(1, K, H, W)`` with edges where a guide ``(1, 1, H, W)`` has them.

    The guided filter of He, Sun and Tang 2010. It is linear: a sum of 1 stays one.
    """

    def mean(values: Tensor) -> Tensor:
        padded = F.pad(values, (RADIUS,) * 4, mode="replicate")
        return F.avg_pool2d(padded, 2 * RADIUS + 1, stride=1)

    middle, level = mean(guide), mean(planes)
    slope = (mean(guide * planes) - middle * level) / (
        mean(guide * guide) - middle.square() + CONTRAST
    )
    return mean(slope) * guide + mean(level - slope * middle)
