"""The network that repaints a picture, and its form for a fixed set of styles.

After Johnson et al. 2016: two strided convolutions down, residual blocks, two convolutions up.
Departures, and why:

- No convolution at full resolution before the two with a stride: it took a fifth of the time, and
  what it sees has to pass through a quarter of the resolution anyway.
- Scale and shift of every instance normalisation are an input, the *modulation*: they alone make
  the style. The per-style network keeps a table of them, one row a style (Dumoulin et al. 2017);
  the arbitrary style network predicts them from a style image (Ghiasi et al. 2017).
- Bilinear upsampling before a convolution instead of a transposed convolution: no checkerboards
  (Odena et al. 2016), nor the small bricks that nearest-neighbour upsampling left in first trials.
  Both are computed as one convolution at low resolution.
- Borders are replicated (before the last convolution reflected), never zero: no frame appears.
- A small last convolution, 3x3 instead of 9x9: with three outputs it is the slowest of all.
- A logistic function at the end: the result is in [0, 1] without clipping, with a gradient.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.networks.description import Architecture

EPS = 1e-5

Norm = Callable[[Tensor, Tensor, Tensor], Tensor]


def statistics(maps: Tensor, axes: tuple[int, ...] = (2, 3)) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each channel of ``(B, C, h, w)``: ``(B, C, 1, 1)``."""
    mean = maps.mean(dim=axes, keepdim=True)
    square = maps.square().mean(dim=axes, keepdim=True)
    return mean, ((square - mean.square()).clamp_min(0) + EPS).sqrt()


def normalise(
    maps: Tensor, mean: Tensor, deviation: Tensor, scale: Tensor, shift: Tensor
) -> Tensor:
    """Bring ``(B, C, h, w)`` with these statistics to those of scale and shift ``(B, C)``."""
    gain = scale[:, :, None, None] / deviation
    return torch.addcmul(shift[:, :, None, None] - mean * gain, maps, gain)


def instance_norm(maps: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Instance normalisation of ``(B, C, h, w)`` in float32, with scale and shift ``(B, C)``."""
    maps = maps.float()
    return normalise(maps, *statistics(maps), scale, shift)


class Convolution(nn.Conv2d):
    """A convolution with an odd kernel and replicated borders; a stride rounds sizes up."""

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve ``(B, C, h, w)``."""
        padded = replicate(maps, self.kernel_size[0] // 2)
        return F.conv2d(padded, self.weight, self.bias, self.stride)


class UpConvolution(nn.Conv2d):
    """Bilinear upsampling to twice the size, then a 3x3 convolution with replicated borders.

    Both are linear and see nine pixels of the small map, so they are done at once, before
    upsampling, with one kernel for each of the four pixels that a pixel becomes: the same
    numbers, faster. Those four stay channels, ``(B, 4 * C', h, w)``, until ``F.pixel_shuffle``.
    """

    #: How the taps of a kernel on the fine grid add up on the coarse one: (phase, coarse, fine).
    TAPS = (
        ((0.75, 0.25, 0.0), (0.25, 0.75, 0.75), (0.0, 0.0, 0.25)),
        ((0.25, 0.0, 0.0), (0.75, 0.75, 0.25), (0.0, 0.25, 0.75)),
    )

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3, bias=False)

    def forward(self, maps: Tensor) -> Tensor:
        """Upsample and convolve ``(B, C, h, w)`` to ``(B, 4 * C', h, w)``."""
        taps = torch.tensor(self.TAPS, dtype=self.weight.dtype, device=self.weight.device)
        kernels = torch.einsum("ayi,bxj,ocij->oabcyx", taps, taps, self.weight.float())
        return F.conv2d(replicate(maps, 1), kernels.flatten(0, 2))


class Head(nn.Conv2d):
    """The last 3x3 convolution, of a map whose pixels are still four channels of a small one.

    Rearranging three channels at the end is cheaper than all of them before. At the border the
    small map is replicated, which for the large one is a reflection.
    """

    #: Which pixel a tap of the kernel meets: (phase of the result, coarse position, phase, tap).
    TAPS = (
        (((0, 0, 0), (1, 0, 0)), ((0, 1, 0), (0, 0, 1)), ((0, 0, 0), (0, 0, 0))),
        (((0, 0, 0), (0, 0, 0)), ((1, 0, 0), (0, 1, 0)), ((0, 0, 1), (0, 0, 0))),
    )

    def __init__(self, inputs: int) -> None:
        super().__init__(inputs, 3, 3)

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve ``(B, 4 * C, h, w)`` to ``(B, 3, 2 * h, 2 * w)``."""
        taps = torch.tensor(self.TAPS, dtype=self.weight.dtype, device=self.weight.device)
        kernels = torch.einsum("aypi,bxqj,ocij->oabcpqyx", taps, taps, self.weight.float())
        kernels = kernels.flatten(0, 2).flatten(1, 3)
        assert self.bias is not None
        bias = self.bias.float().repeat_interleave(4)
        return F.pixel_shuffle(F.conv2d(replicate(maps, 1), kernels, bias), 2)


def replicate(maps: Tensor, margin: int) -> Tensor:
    """Add a margin that repeats the border."""
    return F.pad(maps, (margin,) * 4, mode="replicate")


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
    """The transformer network with its modulation as an input.

    Args:
        architecture: Its measures.

    Attributes:
        channels: Channels of each normalisation, in the order in which they run.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        width, blocks = architecture.width, architecture.blocks
        self.channels = (2 * width, *[4 * width] * (1 + 2 * blocks), 2 * width, width)
        self.down = nn.ModuleList(
            [
                Convolution(3, 2 * width, 7, stride=2, bias=False),
                Convolution(2 * width, 4 * width, 3, stride=2, bias=False),
            ]
        )
        self.blocks = nn.ModuleList(Block(4 * width) for _ in range(blocks))
        self.up = nn.ModuleList(
            [UpConvolution(4 * width, 2 * width), UpConvolution(2 * width, width)]
        )
        self.head = Head(width)

    @property
    def reach(self) -> int:
        """How far a pixel of the result sees, in pixels; a multiple of 4.

        One for each 3x3 convolution, times its stride's scale, rounded up.
        """
        return 8 * len(self.blocks) + 16

    @property
    def modulation_size(self) -> int:
        """Number of scales, and of shifts, that a modulation holds."""
        return sum(self.channels)

    def forward(self, image: Tensor, modulation: Tensor, norm: Norm = instance_norm) -> Tensor:
        """Repaint pictures.

        Args:
            image: ``(B, 3, H, W)``, RGB in [0, 1], of any size.
            modulation: ``(B or 1, 2, N)``, N the modulation size: scales, then shifts.
            norm: Called for each normalisation in turn, with its map, scale and shift.

        Returns:
            ``(B, 3, H, W)``, RGB in [0, 1], float32.
        """
        affines = iter(modulation.float().split(self.channels, 2))  # type: ignore[no-untyped-call]

        def modulated(maps: Tensor) -> Tensor:
            return norm(maps, *next(affines).unbind(1))

        maps = 4 * image - 2
        for conv in self.down:
            maps = modulated(conv(maps)).relu()
        for block in self.blocks:
            maps = block(maps, modulated)
        coarse, fine = self.up
        maps = modulated(F.pixel_shuffle(coarse(maps), 2)).relu()
        maps = fine(maps)
        # To a normalisation the four pixels of each are a longer map of one channel.
        size = maps.shape
        maps = modulated(maps.reshape(size[0], -1, 4 * size[2], size[3])).relu().view(size)
        # Half precision would leave bands in a clear sky.
        with torch.autocast(image.device.type, enabled=False):
            painted: Tensor = self.head(maps.float()).sigmoid()
        # Strides round sizes up, so the way back may end some pixels too far.
        return painted[:, :, : image.shape[2], : image.shape[3]]


class TransformerNetwork(nn.Module):
    """A transformer network for a fixed set of styles, which may be mixed.

    Args:
        architecture: The measures of the network.
        styles: How many styles there are.
    """

    def __init__(self, architecture: Architecture, styles: int = 1) -> None:
        super().__init__()
        self.painter = Painter(architecture)
        plain = torch.tensor([1.0, 0.0])[:, None].expand(2, self.painter.modulation_size)
        self.table = nn.Parameter(plain.repeat(styles, 1, 1))

    def forward(self, image: Tensor, style_weights: Tensor) -> Tensor:
        """Repaint pictures.

        Args:
            image: ``(B, 3, H, W)``, RGB in [0, 1], of any size.
            style_weights: ``(B or 1, S)``, the share of each style; a row adds up to 1.

        Returns:
            ``(B, 3, H, W)``, RGB in [0, 1], float32.
        """
        painted: Tensor = self.painter(image, self.modulation(style_weights))
        return painted

    def modulation(self, style_weights: Tensor) -> Tensor:
        """The modulation ``(B, 2, N)`` of style weights ``(B, S)``: a mean of the table's rows."""
        return torch.einsum("bs,skn->bkn", style_weights.to(self.table), self.table)
