"""The layers of the networks that paint: nothing in them depends on the size of a picture.

Borders are replicated (before the last convolution reflected), never zero: no frame appears.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Convolution(nn.Conv2d):
    """A convolution with an odd kernel and replicated borders; a stride divides sizes."""

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve ``(B, C, h, w)``."""
        padded = replicate(maps, self.kernel_size[0] // 2)
        return F.conv2d(padded, self.weight, self.bias, self.stride)


class UpConvolution(nn.Conv2d):
    """Bilinear upsampling to twice the size, then a 3x3 convolution with replicated borders.

    Not a transposed convolution: no checkerboards (Odena et al. 2016). Both are linear and see
    nine pixels of the small map, so they are done at once, before upsampling, with one kernel for
    each of the four pixels that a pixel becomes: the same numbers, faster. Those four stay
    channels, ``(B, 4 * C', h, w)``, until ``F.pixel_shuffle``.
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


class PixelConvolution(nn.Conv2d):
    """A 3x3 convolution of a map whose pixels are still four channels of a small one.

    Rearranging three channels at the end is cheaper than all of them before. At the border the
    small map is replicated, which for the large one is a reflection.

    Args:
        inputs: Channels of the large map.
        outputs: Channels of the result.
    """

    #: Which pixel a tap of the kernel meets: (phase of the result, coarse position, phase, tap).
    TAPS = (
        (((0, 0, 0), (1, 0, 0)), ((0, 1, 0), (0, 0, 1)), ((0, 0, 0), (0, 0, 0))),
        (((0, 0, 0), (0, 0, 0)), ((1, 0, 0), (0, 1, 0)), ((0, 0, 1), (0, 0, 0))),
    )

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__(inputs, outputs, 3)

    def forward(self, maps: Tensor) -> Tensor:
        """Convolve ``(B, 4 * C, h, w)`` to ``(B, 4 * C', h, w)``."""
        taps = torch.tensor(self.TAPS, dtype=self.weight.dtype, device=self.weight.device)
        kernels = torch.einsum("aypi,bxqj,ocij->oabcpqyx", taps, taps, self.weight.float())
        kernels = kernels.flatten(0, 2).flatten(1, 3)
        assert self.bias is not None
        bias = self.bias.float().repeat_interleave(4)
        return F.conv2d(replicate(maps, 1), kernels, bias)


def replicate(maps: Tensor, margin: int) -> Tensor:
    """Add a margin that repeats the border."""
    return F.pad(maps, (margin,) * 4, mode="replicate")
