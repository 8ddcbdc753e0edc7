"""The front door: one function that repaints a picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from impasto.events import Callback
from impasto.image import ImageSource
from impasto.optimize import Optimize
from impasto.options import OptimizeOptions
from impasto.result import Result


def stylize(
    content: ImageSource,
    styles: ImageSource | Sequence[ImageSource],
    *,
    preset: str = "default",
    style_weights: Sequence[float] | None = None,
    mask: ImageSource | None = None,
    content_masks: Sequence[ImageSource] | None = None,
    style_masks: Sequence[ImageSource | None] | None = None,
    callback: Callback | None = None,
    **options: Any,
) -> Result:
    """Repaint a picture in the manner of one or several artworks.

    To repaint many pictures, make an ``impasto.Optimize`` once and call it for each.

    Args:
        content: The photo: a path, Pillow image, NumPy array, tensor or Picture.
        styles: The artwork, or several of them: blended, or each in its own region.
        preset: "default", "best", "draft" or "gatys" (the classic recipe).
        style_weights: How much each artwork counts; all alike if left out.
        mask: Where to paint; elsewhere the photo stays as it is.
        content_masks: For each artwork the region of the photo that is to have its style.
        style_masks: For each artwork the part whose style is taken; None: all of it.
        callback: Called with a Step after each step of the optimisation.
        **options: Fields of ``OptimizeOptions``, for example ``max_size=1024``.

    Returns:
        The picture with its settings and losses.

    Raises:
        InputError: If a picture, mask, option or device cannot be used.
        ImpastoError: If memory runs out or the loss is not finite from the start.
    """
    stylizer = Optimize(OptimizeOptions.preset(preset, **options))
    callbacks = [callback] if callback else []
    return stylizer(
        content,
        styles,
        style_weights=style_weights,
        mask=mask,
        content_masks=content_masks,
        style_masks=style_masks,
        callbacks=callbacks,
    )
