"""The front door: a stylizer by its name, and one function that repaints a picture."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.errors import InputError, torch_needed
from impasto.events import Callback
from impasto.files import check_place
from impasto.image import ImageSource, as_list
from impasto.methods import OPTIONS, Choice, choose
from impasto.options import OptimizeOptions
from impasto.result import Result
from impasto.stylizers.body.pack import SUFFIX

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from impasto.keywords import Keywords
    from impasto.stylizers.base import Stylizer
    from impasto.stylizers.body import StylePack


def stylize(
    content: ImageSource,
    styles: ImageSource | Sequence[ImageSource],
    *,
    method: str | None = None,
    preset: str | None = None,
    style_weights: float | Sequence[float] | None = None,
    mask: ImageSource | None = None,
    content_masks: ImageSource | Sequence[ImageSource] | None = None,
    style_masks: ImageSource | Sequence[ImageSource | None] | None = None,
    callback: Callback | Sequence[Callback] | None = None,
    **options: Unpack[Keywords],
) -> Result:
    """Repaint a picture in the manner of one or several artworks.

    To repaint many pictures, ``load`` a stylizer once and call it for each of them.

    Args:
        content: The photo: a path, Pillow image, NumPy array, tensor or Picture.
        styles: The artwork, or several: blended, or each in its own region; a folder of artworks
            or a ``pack_style`` file, as one; names of the gallery; or a trained model file.
        method: "optimize" (step by step, the best picture), "fast" (a network that knows the
            style) or "arbitrary" (a network for any artwork). Left out, it is chosen by the styles:
            a gallery name or a model file is painted with its network, artworks are optimised.
        preset: For "optimize": where the options start from (``impasto.options.PRESETS``).
        style_weights: How much each style counts; all alike if left out.
        mask: Where to paint; elsewhere the photo stays as it is.
        content_masks: For each style the region of the photo that is to have it; one style serves
            for all of them.
        style_masks: For each artwork the part whose style is taken; None: all of it.
        callback: Called with a Step after each step of an optimisation; or several.
        **options: Fields of ``OptimizeOptions``, ``FastOptions`` or ``ArbitraryOptions``, for
            example ``max_size=1024``.

    Returns:
        The picture with its settings and losses.

    Raises:
        InputError: If a picture, mask, style, option or device cannot be used.
        ImpastoError: If memory runs out or the loss is not finite from the start.
    """
    choice = choose(as_list(styles), method, options.pop("model", None))
    stylizer = load(choice, preset=preset, **options)
    stylizer.set_style(choice.styles or None, weights=style_weights, masks=style_masks)
    return stylizer(content, mask=mask, content_masks=content_masks, callback=callback)


def load(
    what: str | os.PathLike[str] | Choice,
    *,
    preset: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    **options: Unpack[Keywords],
) -> Stylizer[Any]:
    """Load a stylizer, once for many styles and pictures.

    Args:
        what: A method, whose style is still to be set (``set_style``): "optimize", "fast" or
            "arbitrary"; a name of the gallery, or the file of a model that knows one style, which
            set the style; or another model file.
        preset: As for ``stylize``.
        progress: Told of the bytes of a download, done and in all, if the weights need one.
        **options: As for ``stylize``.

    Raises:
        InputError: If there is no such stylizer, or an option, device or model cannot be used.
        MissingTorchError: If it needs torch, and that is not installed.
    """
    if not isinstance(what, Choice) and what not in OPTIONS:
        choice = choose([os.fspath(what)], model=options.pop("model", None))
        stylizer = load(choice, preset=preset, progress=progress, **options)
        only = choice.method == "fast" and len(stylizer.styles) == 1  # type: ignore[attr-defined]
        return stylizer.set_style(choice.styles or None) if choice.styles or only else stylizer
    choice = what if isinstance(what, Choice) else Choice(str(what), [], options.pop("model", None))
    if choice.method == "optimize":
        with torch_needed():
            from impasto.stylizers.optimize import Optimize

        if choice.model:
            raise InputError(f"the method optimize takes artworks, not the model {choice.model}")
        checked = OptimizeOptions.preset(preset or "default", **options)
        return Optimize(checked, progress=progress)
    if preset is not None:
        raise InputError(f"presets are for the method optimize, not {choice.method}")
    from impasto.stylizers.networks.stylizer import Arbitrary, Fast

    kinds: dict[str, Any] = {"fast": Fast, "arbitrary": Arbitrary}
    loaded: Stylizer[Any] = kinds[choice.method](model=choice.model, **options)
    return loaded


def pack_style(
    folder: str | os.PathLike[str],
    path: str | os.PathLike[str],
    *,
    max_size: int = 1024,
    backbones: Sequence[str] = ("lite", "vgg16"),
) -> StylePack:
    """Write the pooled statistics of a folder of artworks as a style that travels without them.

    Args:
        folder: The folder; its subfolders do not count.
        path: The file, named ``*.style``.
        max_size: The longest side, in pixels, at which the artworks are looked at: that of the
            largest pictures that are to be painted with their full strokes.
        backbones: Which backbones of "optimize" it is for; it always is for "arbitrary" as well.

    Returns:
        What was written.

    Raises:
        InputError: If the folder holds no pictures, one cannot be used, or there is no such
            backbone.
        ImpastoError: If the file cannot be written.
    """
    from impasto.stylizers.body.folder import pictures_in, pool
    from impasto.stylizers.body.pack_file import write_pack
    from impasto.stylizers.networks.stylizer import Arbitrary
    from impasto.stylizers.optimize import Optimize

    if Path(path).suffix != SUFFIX:
        raise InputError(f"cannot write {os.fspath(path)}: a style pack is named *{SUFFIX}")
    check_place(path)
    if max_size < 1:
        raise InputError(f"max_size has to be at least 1, not {max_size}")
    paths = pictures_in(folder)
    eyes = [Optimize(OptimizeOptions(backbone=name)).eye for name in dict.fromkeys(backbones)]
    pack = pool(paths, [*eyes, Arbitrary().eye], max_size, os.fspath(folder))
    write_pack(pack, os.fspath(path))
    return pack
