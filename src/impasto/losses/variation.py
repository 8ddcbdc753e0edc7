"""Total variation: how rough an image is."""

from __future__ import annotations

from torch import Tensor


def total_variation(image: Tensor, wrapped: tuple[bool, bool] = (False, False)) -> Tensor:
    """Mean squared difference of neighbouring pixels, the two axes added.

    The classic smoothness term (Mahendran and Vedaldi 2015, with exponent 2).

    Args:
        image: ``(B, 3, H, W)``, RGB in [0, 1].
        wrapped: Whether the last row and the last column have the first one as a neighbour.

    Returns:
        A scalar; an axis of one pixel adds nothing.
    """
    loss = image.new_zeros(())
    for axis, wraps in zip((2, 3), wrapped, strict=True):
        if image.shape[axis] > 1:
            change = image.roll(-1, axis) - image if wraps else image.diff(dim=axis)
            loss = loss + change.square().mean()
    return loss
