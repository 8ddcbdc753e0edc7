"""Transparency: colours that nobody sees must not matter."""

from __future__ import annotations

import numpy as np
from PIL import Image

from impasto.image.picture import Floats, resample


def clean(rgb: Floats, alpha: Floats | None) -> tuple[Floats, Floats | None]:
    """Drop an alpha that is opaque everywhere, and fill hidden colours (in place) otherwise."""
    if alpha is None or (alpha == 1).all():
        return rgb, None
    fill_hidden(rgb, alpha)
    return rgb, alpha


def fill_hidden(rgb: Floats, alpha: Floats) -> None:
    """Spread the visible colours over fully transparent pixels, in place.

    Push-pull (Gortler et al., The Lumigraph, 1996): visible colours are averaged into ever
    smaller pictures, and each hidden pixel takes the finest average that saw something. What
    comes out is smooth; where nothing at all is visible it is mid-grey.

    Args:
        rgb: ``(H, W, 3)``.
        alpha: ``(H, W)``.
    """
    hidden = alpha == 0
    if not hidden.any():
        return
    if hidden.all():
        rgb[:] = 0.5
        return
    coarse, coverage = _halve(rgb, alpha)
    fill_hidden(coarse, coverage)
    height, width = alpha.shape
    for channel in range(3):  # one by one, for the memory
        plane = coarse[..., channel, None]
        spread = resample(plane, height, width, Image.Resampling.BILINEAR)[..., 0]
        np.copyto(rgb[..., channel], spread, where=hidden)


def _halve(rgb: Floats, alpha: Floats) -> tuple[Floats, Floats]:
    """Average blocks of 2 x 2 pixels weighted by alpha; the alpha is summed up, at most 1."""
    height, width = (side + 1 for side in alpha.shape)
    total = np.zeros((height // 2, width // 2, 3), np.float32)
    weight = np.zeros((height // 2, width // 2), np.float32)
    for dy, dx in np.ndindex(2, 2):
        part = alpha[dy::2, dx::2]
        here = np.s_[: part.shape[0], : part.shape[1]]
        total[here] += rgb[dy::2, dx::2] * part[..., None]
        weight[here] += part
    seen = weight > 0
    total[seen] /= weight[seen, None]
    return total, weight.clip(max=1)
