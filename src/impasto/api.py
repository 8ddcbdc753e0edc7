"""The front door: one function that repaints a picture, by any method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from impasto.errors import InputError
from impasto.events import Callback
from impasto.image import ImageSource, as_list
from impasto.methods import Choice, choose
from impasto.options import OptimizeOptions
from impasto.result import Result

if TYPE_CHECKING:
    from impasto.networks import Arbitrary, Fast
    from impasto.optimize import Optimize

Styles = ImageSource | Sequence[ImageSource]
Masks = ImageSource | Sequence[ImageSource | None]


def stylize(
    content: ImageSource,
    styles: Styles,
    *,
    method: str | None = None,
    preset: str | None = None,
    style_weights: Sequence[float] | None = None,
    mask: ImageSource | None = None,
    content_masks: Styles | None = None,
    style_masks: Masks | None = None,
    callback: Callback | Sequence[Callback] | None = None,
    **options: Any,
) -> Result:
    """Repaint a picture in the manner of one or several artworks.

    To repaint many pictures, call ``make_stylizer`` once, and what it returns for each of them.

    Args:
        content: The photo: a path, Pillow image, NumPy array, tensor or Picture.
        styles: The artwork, or several of them: blended, or each in its own region; names of the
            gallery's styles; or a trained model file.
        method: "optimize" (minutes, the best picture), "fast" (a network that knows the style)
            or "arbitrary" (a network for any artwork). Left out, it is chosen by the styles: a
            gallery name or a model file is painted with its network, artworks are optimised.
        preset: For "optimize": "default", "best", "draft" or "gatys" (the classic recipe).
        style_weights: How much each artwork counts; all alike if left out.
        mask: Where to paint; elsewhere the photo stays as it is.
        content_masks: For "optimize": for each artwork the region of the photo that is to have
            its style; one artwork serves for all of them.
        style_masks: For "optimize": for each artwork the part whose style is taken; None: all.
        callback: Called with a Step after each step of an optimisation; or several.
        **options: Fields of ``OptimizeOptions``, ``FastOptions`` or ``ArbitraryOptions``, for
            example ``max_size=1024``.

    Returns:
        The picture with its settings and losses.

    Raises:
        InputError: If a picture, mask, style, option or device cannot be used.
        ImpastoError: If memory runs out or the loss is not finite from the start.
    """
    callbacks = [] if callback is None else as_list(callback)
    if not all(map(callable, callbacks)):
        raise InputError(f"a callback has to be a function, not {callback!r}")
    stylizer = make_stylizer(
        styles,
        method=method,
        preset=preset,
        style_weights=style_weights,
        style_masks=style_masks,
        **options,
    )
    return stylizer(content, mask=mask, content_masks=content_masks, callbacks=callbacks)


class Stylizer(Protocol):
    """What repaints pictures, one after the other, in a style that is set."""

    def __call__(
        self,
        content: ImageSource,
        *,
        mask: ImageSource | None = None,
        content_masks: Styles | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> Result:
        """Repaint a picture within masks; callbacks hear of each step of an optimisation."""


def make_stylizer(
    styles: Styles,
    *,
    method: str | None = None,
    preset: str | None = None,
    style_weights: Sequence[float] | None = None,
    style_masks: Masks | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Stylizer:
    """Prepare to repaint any number of pictures in a style: model and style are read once.

    Args:
        styles: As for ``stylize``, like all that is not said here.
        method: Likewise.
        preset: Likewise.
        style_weights: Likewise.
        style_masks: Likewise.
        progress: Told of the bytes of a download, done and in all, if the weights need one.
        **options: Likewise.

    Raises:
        InputError: If a style, option or device cannot be used.
    """
    choice = choose(as_list(styles), method, options.pop("model", None))
    masks: dict[str, Any] = {}
    if choice.method == "optimize":
        masks["style_masks"] = style_masks
    else:
        _refuse_regions(style_masks, choice.method)
    stylizer: Any = load_stylizer(choice, preset=preset, progress=progress, **options)
    stylizer.set_style(choice.styles or None, style_weights=style_weights, **masks)
    return _bound(stylizer, choice.method)


def _bound(stylizer: Any, method: str) -> Stylizer:
    """An ``Optimize``, ``Fast`` or ``Arbitrary`` whose style is set, as a function of a photo."""
    if method == "optimize":
        optimizing: Stylizer = stylizer.stylize
        return optimizing

    def stylize(
        content: ImageSource,
        *,
        mask: ImageSource | None = None,
        content_masks: Styles | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> Result:
        _refuse_regions(content_masks, method)
        result: Result = stylizer.stylize(content, mask=mask, callbacks=callbacks)
        return result

    return stylize


def _refuse_regions(masks: Masks | None, method: str) -> None:
    """Raise InputError where masks of content or styles are given to a network."""
    if masks is not None:
        raise InputError(f"masks of content and styles are for the method optimize, not {method}")


def load_stylizer(
    choice: Choice,
    *,
    preset: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Any,
) -> Optimize | Fast | Arbitrary:
    """Load the ``Optimize``, ``Fast`` or ``Arbitrary`` of a choice, without its style.

    Args:
        choice: The method and its model.
        preset: As for ``make_stylizer``, like all that is not said here.
        progress: Likewise.
        **options: Likewise.

    Raises:
        InputError: If an option, device or model cannot be used.
    """
    if choice.method == "optimize":
        from impasto.optimize import Optimize

        if choice.model:
            raise InputError(f"the method optimize takes artworks, not the model {choice.model}")
        checked = OptimizeOptions.preset(preset or "default", **options)
        return Optimize(checked, progress=progress)
    if preset is not None:
        raise InputError(f"presets are for the method optimize, not {choice.method}")
    from impasto.networks import Arbitrary, Fast

    return (Fast if choice.method == "fast" else Arbitrary)(model=choice.model, **options)
