"""Where a picture is painted, and which part of it in which style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from impasto.errors import InputError
from impasto.image import ImageSource, Picture
from impasto.image.masks import load_mask, load_painted, resized, weighted
from impasto.image.picture import Floats


@dataclass(frozen=True)
class Guidance:
    """The masks of a photo.

    Attributes:
        mask: ``(H, W)`` in [0, 1], where the photo is painted; None: everywhere.
        guides: ``(H, W)`` in [0, 1] for each style, where the photo is to have it. No pixel
            belongs to them more than once. None: the styles are blended everywhere.
    """

    mask: Floats | None = None
    guides: tuple[Floats, ...] | None = None

    def part(self, photo: Picture, index: int) -> Picture:
        """The photo, visible only where it is painted in a style."""
        guide = self.guides[index] if self.guides else None
        return weighted(weighted(photo, self.mask), guide)

    def resized(self, height: int, width: int) -> Guidance:
        """The masks at another size, in pixels."""
        mask = None if self.mask is None else resized(self.mask, height, width)
        if self.guides is None:
            return Guidance(mask)
        return Guidance(mask, tuple(resized(guide, height, width) for guide in self.guides))

    def mask_tensor(self, device: torch.device) -> Tensor | None:
        """The mask as ``(1, 1, H, W)``."""
        return None if self.mask is None else _tensor(self.mask, device)

    def guide_tensors(self, device: torch.device) -> list[Tensor] | None:
        """The guides as ``(1, 1, H, W)`` each."""
        return None if self.guides is None else [_tensor(guide, device) for guide in self.guides]


def load_guidance(
    photo: Picture,
    mask: ImageSource | None,
    content_masks: Sequence[ImageSource] | None,
    styles: int,
) -> Guidance:
    """Read the masks of a photo. Where content masks overlap, they share the pixels.

    Raises:
        InputError: If a mask cannot be used, if there are not as many content masks as styles,
            or if one of them has nothing left to paint.
    """
    painted = load_painted(mask, photo)
    guides = None
    if content_masks is not None:
        if len(content_masks) != styles:
            raise InputError(
                f"{len(content_masks)} content masks for {styles} styles: give one for each"
            )
        masks = [load_mask(source, photo) for source in content_masks]
        total = np.maximum(1, np.sum(masks, axis=0))
        guides = tuple(one / total for one in masks)
    guidance = Guidance(painted, guides)
    for index in range(styles):
        part = guidance.part(photo, index)
        if part.alpha is not None and not part.alpha.any():
            raise InputError(
                f"nothing to paint in style {index + 1}: nothing of {photo.name} is visible "
                "within its masks"
            )
    return guidance


def _tensor(mask: Floats, device: torch.device) -> Tensor:
    return torch.from_numpy(mask[None, None].copy()).to(device)
