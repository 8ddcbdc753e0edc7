"""The network that repaints a picture, and what it takes for a style.

After Johnson et al. 2016: two strided convolutions down, residual blocks, two convolutions up, with
an instance normalisation behind each (Ulyanov et al. 2017). Departures, and why:

- Scale and shift of every normalisation are an input, the *modulation*: the per-style network keeps
  a table of them, one row a style (Dumoulin et al. 2017); the any-style network predicts them from
  an artwork (Ghiasi et al. 2017).
- At last the colours get the artwork's mean and covariance (``recolor``): a network has to learn
  strokes, not palettes, and is never muddy.
- No convolution at full resolution before the two with a stride: it took a fifth of the time, and
  what it sees has to pass through a quarter of the resolution anyway.
- Bilinear upsampling before a convolution instead of a transposed convolution: no checkerboards
  (Odena et al. 2016). Both are computed as one convolution at low resolution.
- Borders are replicated (before the last convolution reflected), never zero: no frame appears.
- A small last convolution, 3x3 instead of 9x9: with three outputs it is the slowest of all.
- A logistic function behind it: what it gives is in [0, 1] without clipping, with a gradient.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.stylizers.networks.description import Architecture
from impasto.stylizers.networks.layers import Convolution, PixelConvolution, UpConvolution
from impasto.stylizers.networks.moments import (
    Moments,
    covariance,
    map_moments,
    second_moments,
    uncentred,
)
from impasto.stylizers.networks.recolor import transport

STRIDE = 4
# Added to the variance of maps, of the first and of the others: more than rounding and the grid of
# the upsampling leave in a photo of one colour, which would be blown up to a pattern, and less than
# a hundredth of what is there in any other (.2 and 16 at least).
EPS_FIRST, EPS = 1e-3, 0.1

#: Where moments of a picture are taken: at a normalisation by its number, or of what was painted.
Place = int
COLOURS: Place = -1
#: Which moments of a picture to go by, given those just measured.
Settle = Callable[[Place, Moments], Moments]


class Style(NamedTuple):
    """A style, or several: ``B`` for as many pictures, or ``R`` for regions of one.

    Attributes:
        modulation: ``(B or R, 2, N)``, N the modulation size: scales, then shifts.
        colours: Mean ``(B or R, 3)`` and covariance ``(B or R, 3, 3)`` of the artwork's colours.
    """

    modulation: Tensor
    colours: Moments


def as_measured(_place: Place, measured: Moments) -> Moments:
    """Go by the moments of this picture alone."""
    return measured


class Block(nn.Module):
    """A residual block; no ReLU after the sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = Convolution(width, width, 3, bias=False)
        self.conv2 = Convolution(width, width, 3, bias=False)

    def forward(self, maps: Tensor, norm: Callable[[Tensor], Tensor]) -> Tensor:
        """Add what the block sees to ``(B, C, h, w)``."""
        return maps + norm(self.conv2(norm(self.conv1(maps)).relu()))


class Painter(nn.Module):
    """The transformation network with its style as an input.

    Args:
        architecture: Its measures.

    Attributes:
        channels: Channels of each normalised map, in the order in which they run.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, blocks = architecture.width, architecture.blocks
        half, quarter = 2 * width, 4 * width
        self.down = nn.ModuleList(
            [
                Convolution(3, half, 7, stride=2, bias=False),
                Convolution(half, quarter, 3, stride=2, bias=False),
            ]
        )
        self.blocks = nn.ModuleList(Block(quarter) for _ in range(blocks))
        self.up = nn.ModuleList([UpConvolution(quarter, half), UpConvolution(half, width)])
        self.head = PixelConvolution(width, 3)
        self.channels = (half, *[quarter] * (1 + 2 * blocks), half, width)

    @property
    def reach(self) -> int:
        """How far a pixel of the result sees, in pixels; a multiple of the stride.

        One for each 3x3 convolution, times its stride's scale, rounded up.
        """
        return 8 * len(self.blocks) + 16

    @property
    def modulation_size(self) -> int:
        """Number of scales, and of shifts, that a modulation holds."""
        return sum(self.channels)

    def forward(
        self,
        image: Tensor,
        style: Style,
        settle: Settle = as_measured,
        masks: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Repaint pictures.

        Args:
            image: ``(B, 3, H, W)``, RGB in [0, 1], of any size.
            style: The style, or ``B`` of them.
            settle: Which moments of the picture to go by: a tile goes by those of the whole.
            masks: ``(R, 1, H, W)``, adding up to 1: where in one picture each of ``R`` styles is.
            weights: ``(B, 1, H, W)``, how much each pixel counts for the moments; all alike if
                left out. Or ``(R, 1, H, W)``, how much for those of each style, instead of masks.

        Returns:
            ``(B, 3, H, W)``, RGB in [0, 1], float32.
        """
        height, width = image.shape[2:]
        image, where, counting = _on_grid(image, masks, weights)
        counts = _levels(counting)
        painted = self._strokes(image, style.modulation, settle, where, counts)
        # Half precision would leave bands in a clear sky.
        with torch.autocast(image.device.type, enabled=False):
            own = settle(COLOURS, covariance(second_moments(painted, counts[0])))
            coloured = where.moved(painted, *transport(own, style.colours)).clamp(0, 1)
        return coloured[:, :, :height, :width]

    def _strokes(
        self,
        image: Tensor,
        modulation: Tensor,
        settle: Settle,
        where: Spread,
        counts: list[Tensor | None],
    ) -> Tensor:
        """What the convolutions make of a picture, in colours of its own."""
        last = len(self.channels) - 1
        # Not Tensor.split: in ONNX it is one node, with more outputs than WebGPU can write.
        places = enumerate(zip(accumulate(self.channels), self.channels, strict=True))

        def norm(maps: Tensor) -> Tensor:
            place, (end, size) = next(places)
            scale, shift = modulation[:, :, end - size : end].float().unbind(1)
            maps = maps.float()
            measured = map_moments(maps, counts[1 if place in (0, last) else 2])
            mean, variance = settle(place, _of_channels(measured, size))
            # Rounding can leave the variance of a constant map below zero.
            floor = EPS if place else EPS_FIRST
            gain = scale * torch.rsqrt(variance.clamp_min(0) + floor)
            affine = torch.stack([gain, shift - mean * gain])
            gain, shift = affine.repeat_interleave(maps.shape[1] // size, 2)
            return torch.addcmul(where(shift, maps), maps, where(gain, maps))

        maps = 4 * image - 2
        for conv in self.down:
            maps = norm(conv(maps)).relu()
        for block in self.blocks:
            maps = block(maps, norm)
        # To a normalisation on the way up the four pixels of each are channels still.
        coarse, fine = self.up
        maps = norm(fine(F.pixel_shuffle(norm(coarse(maps)).relu(), 2))).relu()
        with torch.autocast(image.device.type, enabled=False):
            return F.pixel_shuffle(self.head(maps).sigmoid(), 2)


def _of_channels(measured: Moments, channels: int) -> Moments:
    """Mean and variance of channels, of which several lie one behind the other."""
    if measured[0].shape[1] == channels:
        return measured
    mean, square = (each.view(len(each), channels, -1).mean(dim=2) for each in uncentred(measured))
    return covariance((mean, square))


class Spread:
    """Lays values of styles, ``(B or R, C)``, over a picture.

    Args:
        masks: Where each of R styles is, ``(R, 1, H, W)``; None: a style, or B, over everything.
    """

    def __init__(self, masks: Tensor | None) -> None:
        self.masks = masks

    def __call__(self, values: Tensor, maps: Tensor) -> Tensor:
        """For maps of ``(h, w)``: ``(B, C, 1, 1)``, or with masks ``(1, C, h, w)``."""
        if self.masks is None:
            return values[:, :, None, None]
        shrunk = F.interpolate(self.masks, size=maps.shape[2:], mode="area")
        return torch.einsum("rc,rohw->ochw", values, shrunk)

    def moved(self, image: Tensor, matrix: Tensor, shift: Tensor) -> Tensor:
        """Colours ``(B, 3, H, W)`` after linear maps and shifts, each of R in its place."""
        moved = matrix @ image.flatten(2) + shift[:, :, None]
        moved = moved.view(-1, *image.shape[1:])
        return moved if self.masks is None else (moved * self.masks).sum(dim=0, keepdim=True)


def _on_grid(
    image: Tensor, masks: Tensor | None, weights: Tensor | None
) -> tuple[Tensor, Spread, Tensor | None]:
    """What ``Painter.forward`` takes, with sides of whole strides: borders are repeated.

    Returns:
        The picture; how to lay styles over it; and ``(B or R, 1, H, W)``, how much each pixel
        counts for the moments of each of them, None if all count alike.
    """
    margins = padding(image)
    image = F.pad(image, margins, mode="replicate")
    masks, weights = (
        None if each is None else F.pad(each, margins, mode="replicate")
        for each in (masks, weights)
    )
    counting = masks if weights is None else weights
    if masks is not None and weights is not None and len(weights) < len(masks):
        counting = weights * masks
    return image, Spread(masks), counting


def padding(image: Tensor) -> tuple[int, int, int, int]:
    """The padding at the right and below, as ``F.pad`` takes it, up to whole strides."""
    height, width = image.shape[2:]
    return 0, -width % STRIDE, 0, -height % STRIDE


def _levels(weights: Tensor | None) -> list[Tensor | None]:
    """Weights ``(B, 1, H, W)`` at full size, at a half and at a quarter."""
    if weights is None:
        return [None] * 3
    half = F.avg_pool2d(weights, 2)
    return [weights, half, F.avg_pool2d(half, 2)]
