"""Total variation: how rough an image is."""

from __future__ import annotations

from torch import Tensor


def total_variation(image: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels, the two axes added.

    The classic smoothness term (Mahendran and Vedaldi 2015, with exponent 2).

    Args:
        image: ``(B, 3, H, W)``, RGB in [0, 1].

    Returns:
        A scalar; an axis of one pixel adds nothing.
    """
    loss = image.new_zeros(())
    for axis in (2, 3):
        if image.shape[axis] > 1:
            loss = loss + image.diff(dim=axis).square().mean()
    return loss
