"""The network that repaints a picture, and what it takes for a style.

The photo in the artwork's colours (``recolor``) is encoded; the maps of two depths are brought to
the means and deviations of the artwork's (AdaIN, Huang and Belongie 2017), those of the deepest to
its mean and covariance (Li et al. 2017), and a decoder paints from them, coarse to fine, as in
MicroAST (Wang et al. 2023). Departures, and why:

- The decoder has no normalisation by statistics of the picture. Every channel is scaled and shifted
  by the style's *modulation* alone (Perez et al. 2018), at depth after long vectors of channels
  were shortened: unbounded, the deep layers of a first training blew up and died. At unit length a
  clear sky was as loud as a crowd, and was painted as full; bounded, what is faint stays faint.
  What a pixel becomes so depends on its surroundings and on a few moments of the photo, not on what
  else is in the picture: no islands in smooth areas, tiles and frames that fit.
- AdaIN divides by deviations with a floor: channels that are nearly empty are not blown up.
- The recoloured photo itself goes to the last layers, as logits; the network starts as the
  identity and learns what to paint over.
- Upsampling is bilinear, in one with the convolution behind it.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.stylizers.networks import encoder
from impasto.stylizers.networks.codes import StyleCode
from impasto.stylizers.networks.description import Architecture
from impasto.stylizers.networks.encoder import STRIDE, WIDTHS, Encoder
from impasto.stylizers.networks.layers import Convolution, PixelConvolution, UpConvolution
from impasto.stylizers.networks.recolor import transport, whiten_and_colour

#: The layers whose maps the decoder takes: relu2_2, relu3_3, relu4_1, each half of the one before.
FINE, MIDDLE, DEEP = TAKEN = (3, 6, 7)
DEEP_FLOOR = 0.5  # of the deepest maps' typical deviation, in all directions
FLOOR = 0.25  # of a channel's typical deviation: no channel is amplified by more than its inverse
DARKEST = 0.02  # of a pixel whose logit is taken, and the distance of the lightest from 1
FAINT = 0.3  # of the usual size: what residual blocks, and the last layer, say at first

#: Where moments of a picture come from: its colours, or the maps of a layer by its number.
Place = int
COLOURS: Place = -1
#: Mean ``(B, C)`` with variance ``(B, C)``, or with the covariance ``(B, 3, 3)`` of colours.
Moments = tuple[Tensor, Tensor]
#: Which moments of a picture to go by, given those just measured.
Settle = Callable[[Place, Moments], Moments]
Film = Callable[[Tensor], Tensor]


def as_measured(_place: Place, measured: Moments) -> Moments:
    """Go by the moments of this picture alone."""
    return measured


def bounded(maps: Tensor) -> Tensor:
    """Maps ``(B, C, h, w)`` whose root mean square over channels stays below the root of 2.

    One of 1 stays as it is, and what is nearly empty stays so, up to that root.
    """
    wide = maps.float()
    return wide * torch.rsqrt((wide.square().mean(dim=1, keepdim=True) + 1) / 2)


class Block(nn.Module):
    """A residual block; no ReLU after the sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1 = Convolution(width, width, 3, bias=False)
        self.conv2 = Convolution(width, width, 3, bias=False)
        with torch.no_grad():
            self.conv2.weight.mul_(FAINT)

    def forward(self, maps: Tensor, film: Film) -> Tensor:
        """Add what the block sees to ``(B, C, h, w)``."""
        return maps + film(self.conv2(film(self.conv1(maps)).relu()))


class Painter(nn.Module):
    """Encoder and decoder.

    Args:
        architecture: The measures of the decoder.

    Attributes:
        channels: Channels of each modulated map, in the order in which they run.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, blocks = architecture.width, architecture.blocks
        fine, middle, deep = 2 * width, 4 * width, 8 * width
        self.encoder = Encoder()
        self.enter = Convolution(WIDTHS[DEEP], deep, 1, bias=False)
        self.deep = nn.ModuleList(Block(deep) for _ in range(blocks))
        self.up_middle = UpConvolution(deep, middle)
        self.skip_middle = Convolution(WIDTHS[MIDDLE], middle, 1, bias=False)
        self.middle = Block(middle)
        self.up_fine = UpConvolution(middle, fine)
        self.skip_fine = Convolution(WIDTHS[FINE], fine, 1, bias=False)
        self.fine = Block(fine)
        self.up = UpConvolution(fine, width)
        self.pixels = PixelConvolution(3, width, 5)
        self.head = PixelConvolution(width + 3, 3, 3)
        self.channels = (deep, *[deep] * 2 * blocks, *[middle] * 3, *[fine] * 3, width)
        self._start_as_identity()

    @torch.no_grad()
    def _start_as_identity(self) -> None:
        assert self.head.bias is not None
        self.head.bias.zero_()
        self.head.weight.mul_(FAINT)
        self.head.weight[:, -3:] = 0
        self.head.weight[:, -3:, 1, 1] = torch.eye(3)

    @property
    def reach(self) -> int:
        """How far a pixel of the result sees, in pixels; a multiple of the stride."""
        deep, middle, fine = 1 + 2 * len(self.deep), 3, 3
        reach = encoder.REACH + STRIDE * deep + 4 * middle + 2 * fine + 3
        return STRIDE * -(-reach // STRIDE)

    @property
    def modulation_size(self) -> int:
        """Number of scales, and of shifts, that a modulation holds."""
        return sum(self.channels)

    def forward(
        self,
        image: Tensor,
        style: StyleCode[Tensor],
        modulation: Tensor,
        settle: Settle = as_measured,
        masks: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Repaint pictures.

        Args:
            image: ``(B, 3, H, W)``, RGB in [0, 1], of any size.
            style: The moments to bring the picture's to, ``B`` or one of them.
            modulation: ``(B or 1, 2, N)``, N the modulation size: scales, then shifts.
            settle: Which moments of the picture to go by: a tile goes by those of the whole.
            masks: ``(R, 1, H, W)``, adding up to 1: where in one picture each of ``R`` styles is.
            weights: ``(B, 1, H, W)``, how much each pixel counts for the moments; all alike if
                left out. Or ``(R, 1, H, W)``, how much for those of each style, instead of masks.

        Returns:
            ``(B, 3, H, W)``, RGB in [0, 1], float32.
        """
        height, width = image.shape[2:]
        margins = encoder.padding(image)
        image = F.pad(image, margins, mode="replicate")
        masks, weights = (
            None if each is None else F.pad(each, margins, mode="replicate")
            for each in (masks, weights)
        )
        where, counting = Spread(masks), masks
        if weights is not None:
            counting = weights
            if masks is not None and len(weights) < len(masks):
                counting = weights * masks
        levels = _levels(counting)
        recoloured = self.recolour(image, style, settle, where, levels[0])
        maps = self.encoder(recoloured)
        fine, middle, deep = (maps[number].float() for number in TAKEN)
        seen = {
            FINE: self._adain(FINE, fine, style, settle, where, levels[1]),
            MIDDLE: self._adain(MIDDLE, middle, style, settle, where, levels[2]),
            DEEP: self._whitened(deep, style, settle, where, levels[3]),
        }
        return self._decode(recoloured, seen, modulation, where)[:, :, :height, :width]

    def recolour(
        self,
        image: Tensor,
        style: StyleCode[Tensor],
        settle: Settle,
        where: Spread,
        weights: Tensor | None = None,
    ) -> Tensor:
        """A picture ``(B, 3, H, W)`` in the colours of a style; see ``forward``."""
        with torch.autocast(image.device.type, enabled=False):
            own = settle(COLOURS, encoder.covariance(encoder.second_moments(image, weights)))
            matrix, shift = transport(own, encoder.colours_of(style))
            return where.moved(image, matrix, shift).clamp(0, 1)

    def _adain(
        self,
        number: int,
        maps: Tensor,
        style: StyleCode[Tensor],
        settle: Settle,
        where: Spread,
        weights: Tensor | None,
    ) -> Tensor:
        """A layer's maps with the moments of a style, in units of the layer."""
        mean, variance = settle(number, encoder.map_moments(maps, weights))
        wanted, spread = encoder.layer_moments(style, number)
        unit = self._unit(number)
        floor = (FLOOR * unit).square()
        gain = ((spread + floor) / (variance + floor)).sqrt() / unit
        shift = wanted / unit - mean * gain
        return torch.addcmul(where(shift, maps), maps, where(gain, maps))

    def _whitened(
        self,
        maps: Tensor,
        style: StyleCode[Tensor],
        settle: Settle,
        where: Spread,
        weights: Tensor | None,
    ) -> Tensor:
        """The deepest maps with the mean and covariance of a style, in units of the layer."""
        unit = self._unit(DEEP)
        with torch.autocast(maps.device.type, enabled=False):
            own = settle(DEEP, encoder.covariance(encoder.second_moments(maps, weights)))
            wanted = encoder.deepest_moments(style)
            squared = torch.outer(unit, unit)
            own, wanted = ((mean / unit, spread / squared) for mean, spread in (own, wanted))
            matrix, shift = whiten_and_colour(own, wanted, DEEP_FLOOR**2)
            return where.moved(maps / unit[:, None, None], matrix, shift)

    def _unit(self, number: int) -> Tensor:
        start = encoder.STARTS[number] - encoder.COLOURS
        return self.encoder.typical[start : start + WIDTHS[number]]

    def _decode(
        self, recoloured: Tensor, seen: dict[int, Tensor], modulation: Tensor, where: Spread
    ) -> Tensor:
        # Not Tensor.split: in ONNX it is one node, with more outputs than WebGPU can write.
        ends = accumulate(self.channels)
        affines = (
            modulation[:, :, end - size : end].float()
            for size, end in zip(self.channels, ends, strict=True)
        )

        def film(maps: Tensor) -> Tensor:
            # The last map holds four pixels of each channel.
            affine = next(affines)
            affine = affine.repeat_interleave(maps.shape[1] // affine.shape[2], 2)
            scale, shift = affine.unbind(1)
            return torch.addcmul(where(shift, maps), maps, where(scale, maps))

        def steady(maps: Tensor) -> Tensor:
            return film(bounded(maps))

        maps = steady(self.enter(seen[DEEP])).relu()
        for block in self.deep:
            maps = block(maps, steady)
        maps = F.pixel_shuffle(self.up_middle(maps), 2) + self.skip_middle(seen[MIDDLE])
        maps = self.middle(steady(maps).relu(), steady)
        maps = F.pixel_shuffle(self.up_fine(maps), 2) + self.skip_fine(seen[FINE])
        maps = self.fine(film(maps).relu(), film)
        # From here on the four pixels of each stay channels.
        pixels = F.pixel_unshuffle(recoloured, 2)
        maps = film(self.up(maps) + self.pixels(4 * pixels - 2)).relu()
        # Half precision would leave bands in a clear sky.
        with torch.autocast(recoloured.device.type, enabled=False):
            logits = torch.logit(pixels.clamp(DARKEST, 1 - DARKEST))
            painted = self.head(torch.cat([maps.float(), logits], 1)).sigmoid()
            return F.pixel_shuffle(painted, 2)


def _levels(weights: Tensor | None) -> list[Tensor | None]:
    """Weights ``(B, 1, H, W)`` at full size and at that of each map that is taken."""
    levels = [weights]
    for _ in TAKEN:
        levels.append(None if levels[-1] is None else F.avg_pool2d(levels[-1], 2))
    return levels


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
        return torch.einsum("rc,rohw->ochw", values, _shrunk(self.masks, maps))

    def moved(self, maps: Tensor, matrix: Tensor, shift: Tensor) -> Tensor:
        """Maps ``(B, C, h, w)`` after linear maps and shifts, each of R in its place."""
        rows = maps.flatten(2).expand(len(matrix), -1, -1)
        moved = torch.baddbmm(shift[:, :, None], matrix, rows).view(-1, *maps.shape[1:])
        if self.masks is None:
            return moved
        return (moved * _shrunk(self.masks, maps)).sum(dim=0, keepdim=True)


def _shrunk(masks: Tensor, maps: Tensor) -> Tensor:
    """Masks ``(R, 1, H, W)`` at the size of maps."""
    return F.interpolate(masks, size=maps.shape[2:], mode="area")
