"""Energies of an image's finest octaves: grain, which feature maps hardly see.

VGG tells little of fine colour, but everybody sees speckle: without this term the finest octave of
the colours has three to twelve times the artwork's energy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from impasto.losses.source import Source
from impasto.losses.statistics import EPS

OCTAVES = 3
# The finest half of the finest octave, and the octaves.
BANDS = 1 + OCTAVES
# Whether rows and whether columns repeat.
Axes = tuple[bool, bool]
# Lightness, red against blue, green against both: orthonormal.
OPPONENTS = (
    (3**-0.5, 3**-0.5, 3**-0.5),
    (2**-0.5, 0.0, -(2**-0.5)),
    (6**-0.5, -2 * 6**-0.5, 6**-0.5),
)
# Pixels from which on colours are looked at one after the other, in a third of the memory.
LARGE = 2**20
# Roots of energies below this are no grain: it keeps their gradient finite.
FAINT = 1e-4
# Nor does an artwork without any make the term endlessly strong.
FLAT = 0.02


class Bands:
    """Compares the bands of a region with those of its styles by ``bands_loss``.

    Args:
        energies: ``(S, BANDS, 3)``, of the style images at the size that their strokes are to
            have (``band_energies``).
        weights: How much each style counts, as if their pixels were mixed in these shares.
        where: The content image; its alpha is how much each pixel belongs to the region.
        wrapped: Whether its rows and whether its columns repeat.
    """

    def __init__(
        self,
        energies: Tensor,
        weights: Sequence[float],
        where: Source,
        wrapped: Axes = (False, False),
    ) -> None:
        shares = energies.new_tensor(weights) / sum(weights)
        self.target = (shares[:, None, None] * energies).sum(dim=0, keepdim=True)
        self.where, self.wrapped = where.alpha, wrapped

    def __call__(self, image: Tensor) -> Tensor:
        """Return the loss of an image ``(1, 3, H, W)``, a scalar."""
        return bands_loss(band_energies(image, self.where, self.wrapped), self.target)


def band_energies(
    images: Tensor, weights: Tensor | None = None, wrapped: Axes = (False, False)
) -> Tensor:
    """Mean squares of the finest octaves of images in opponent colours.

    An octave is what a binomial filter takes away; the next one is looked for in what is left, at
    half of the size (Burt and Adelson 1983). What half of that filter takes away of the finest
    octave counts once more, by itself: speckle of single pixels hides behind edges otherwise.

    Args:
        images: ``(B, 3, H, W)``, RGB in [0, 1].
        weights: ``(B, 1, H, W)`` or ``(1, 1, H, W)``, how much each pixel counts; all alike if
            left out.
        wrapped: Whether rows and whether columns repeat.

    Returns:
        ``(B, BANDS, 3)``, the finest first; of lightness, red against blue, and green against
        both.
    """
    energies: Tensor = _Energies.apply(images, weights, wrapped)  # type: ignore[no-untyped-call]
    return energies


def bands_loss(energies: Tensor, target: Tensor) -> Tensor:
    """The excess of bands over the target: squares over the target's energy, mean of bands.

    Compared are roots: energies themselves would hardly tell a faint excess of colour from none.
    What an image lacks is left to the style losses. So the term is convex; a term that asks for
    more would be steep in all directions wherever a smooth photo meets a rough artwork.

    Args:
        energies: ``(B, BANDS, 3)``, of images.
        target: ``(B or 1, BANDS, 3)``, of artworks.

    Returns:
        A scalar, the mean over the batch: 0 for images without any excess.
    """
    roots, goals = ((each + FAINT**2).sqrt() for each in (energies, target))
    excess = (roots - goals).clamp_min(0).square().sum(dim=2)
    return (excess / (target.sum(dim=2) + FLAT**2)).mean()


class _Energies(torch.autograd.Function):
    """Energies with a hand-written gradient; kept are the octaves, a third more than an image."""

    @staticmethod
    def forward(ctx: Any, images: Tensor, weights: Tensor | None, wrapped: Axes) -> Tensor:
        at_once = 3 if images[0, 0].numel() <= LARGE else 1
        ctx.colors = torch.split(images.new_tensor(OPPONENTS), at_once)
        ctx.octaves = [_octaves(_planes(images, colors), wrapped) for colors in ctx.colors]
        ctx.shares = [_shares(octave, weights) for octave in ctx.octaves[0]]
        ctx.wrapped = wrapped
        return torch.cat([_energies(of, ctx.shares, wrapped) for of in ctx.octaves], dim=2)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None]:
        first = ctx.octaves[0][0]
        result = first.new_zeros((first.shape[0], 3, *first.shape[2:]))
        steeps = torch.split(2 * grad, first.shape[1], dim=2)
        for colors, octaves, steep in zip(ctx.colors, ctx.octaves, steeps, strict=True):
            level = _by_level(octaves, ctx.shares, steep, ctx.wrapped)
            _add_mixed(result, colors.T, level)
        return result, None, None


def _planes(images: Tensor, colors: Tensor) -> Tensor:
    """``(B, K, H, W)``, the planes of images in some colours ``(K, 3)``."""
    planes = images.new_zeros((images.shape[0], len(colors), *images.shape[2:]))
    _add_mixed(planes, colors, images)
    return planes


def _add_mixed(result: Tensor, matrix: Tensor, planes: Tensor) -> None:
    """Add planes, mixed by a matrix: a product of matrices would round by the batch's size."""
    for column, plane in zip(matrix.T, torch.split(planes, 1, dim=1), strict=True):
        result.addcmul_(column[:, None, None], plane)


def _energies(octaves: Sequence[Tensor], shares: Sequence[Tensor], wrapped: Axes) -> Tensor:
    """The energies of the bands of some colours, ``(B, BANDS, K)``."""
    bands = [(_finest(octaves[0], wrapped), shares[0]), *zip(octaves, shares, strict=True)]
    return torch.stack([(band.square() * at).sum(dim=(2, 3)) for band, at in bands], dim=1)


def _by_level(
    octaves: Sequence[Tensor], shares: Sequence[Tensor], steep: Tensor, wrapped: Axes
) -> Tensor:
    """The gradient by planes from that by half of their energies, ``(B, BANDS, K)``."""
    finest, *steeps = steep[..., None, None].unbind(1)
    by_octaves = [
        octave * at * own for octave, at, own in zip(octaves, shares, steeps, strict=True)
    ]
    by_octaves[0] += _finest(_finest(octaves[0], wrapped) * shares[0] * finest, wrapped)
    level: Tensor | None = None  # the gradient by the level behind the octave
    for own in reversed(by_octaves):
        smooth = -own
        if level is not None:
            smooth[..., ::2, ::2] += level
        level = own + blur(smooth, wrapped)
    assert level is not None
    return level


def _octaves(level: Tensor, wrapped: Axes) -> list[Tensor]:
    """The octaves of planes ``(B, K, H, W)``, each half of the size of the one before."""
    octaves = []
    for _ in range(OCTAVES):
        smooth = blur(level, wrapped)
        octaves.append(level - smooth)
        level = smooth[..., ::2, ::2]
    return octaves


def _finest(octave: Tensor, wrapped: Axes) -> Tensor:
    """The finest half of the finest octave; its own gradient."""
    return octave - blur(octave, wrapped, times=1)


def blur(images: Tensor, wrapped: Axes, times: int = 2) -> Tensor:
    """The filter 1 2 1 on both axes, borders repeated where they do not wrap.

    It is as symmetric at the borders: so it is its own gradient. Twice it is the binomial filter
    1 4 6 4 1.
    """
    for axis in (2, 3):
        last = images.shape[axis] - 1
        before, after = (last, 0) if wrapped[axis - 2] else (0, last)
        for _ in range(times):
            images = torch.cat(
                [images.narrow(axis, before, 1), images, images.narrow(axis, after, 1)], axis
            )
            for length in (last + 2, last + 1):
                one, next_one = images.narrow(axis, 0, length), images.narrow(axis, 1, length)
                images = torch.lerp(one, next_one, 0.5)
    return images


def _shares(band: Tensor, weights: Tensor | None) -> Tensor:
    """How much each position of a band ``(B, K, H, W)`` counts in its mean."""
    if weights is None:
        return band.new_tensor(1 / band[0, 0].numel())
    at = F.interpolate(weights, size=band.shape[2:], mode="area")
    return at / at.sum(dim=(1, 2, 3), keepdim=True).clamp_min(EPS)
