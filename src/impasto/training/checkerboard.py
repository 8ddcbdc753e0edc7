"""The regular pattern that upsampling leaves in a picture."""

from __future__ import annotations

import torch
from torch import Tensor

# The networks work at a quarter of the resolution. What they interpolate varies less between the
# coarse pixels than at them, and a ReLU turns that into a mean: a lattice of dots, in skies. Twice
# that period, so that a pattern of every second coarse pixel counts as well.
PERIOD = 8


def checkerboard(images: Tensor) -> Tensor:
    """The mean square of what repeats every eight pixels, or four, or two.

    All pixels at the same place of their 8x8 cell are averaged. Only what comes back in step
    survives that: the differences between the 64 means are the pattern (Odena et al. 2016,
    "Deconvolution and checkerboard artifacts", show where it comes from). A window that fades
    towards the borders keeps slow gradients out of it.

    Args:
        images: ``(B, 3, H, W)``, at least eight pixels high and wide; the rest that a division by
            eight leaves is not looked at.

    Returns:
        A scalar, the mean over the batch; 0 for a flat picture.
    """
    rows, columns = (size // PERIOD for size in images.shape[2:])
    height, width = rows * PERIOD, columns * PERIOD
    window = _fading(rows, images)[:, None] * _fading(columns, images)
    faded = images[:, :, :height, :width].float() * window
    means = faded.reshape(*images.shape[:2], rows, PERIOD, columns, PERIOD).sum(dim=(2, 4))
    pattern = means - means.mean(dim=(2, 3), keepdim=True)
    return pattern.square().mean()


def _fading(cells: int, like: Tensor) -> Tensor:
    """A Hann window over cells, whose sum at each of the eight places is 1."""
    window = torch.hann_window(cells * PERIOD, device=like.device)
    if cells == 1:
        return torch.ones_like(window)
    return window * (PERIOD / window.sum())
