"""Which way of painting a style calls for. No heavy import here."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from impasto.errors import InputError
from impasto.names import must_be_known, nearest
from impasto.networks.description import describe
from impasto.networks.gallery import gallery, is_style
from impasto.networks.options import ArbitraryOptions, FastOptions
from impasto.options import OptimizeOptions

logger = logging.getLogger(__name__)

Method = Literal["optimize", "fast", "arbitrary"]

OPTIONS: dict[str, Any] = {
    "optimize": OptimizeOptions,
    "fast": FastOptions,
    "arbitrary": ArbitraryOptions,
}
MODEL_SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Choice:
    """A method with what it paints from.

    Attributes:
        method: "optimize", "fast" or "arbitrary".
        styles: The styles: pictures, or for "fast" names; none where the model knows only one.
        model: A model file that takes the place of the shipped one.
    """

    method: str
    styles: list[Any]
    model: str | None = None


def choose(
    styles: Sequence[Any],
    method: str | None = None,
    model: str | None = None,
    *,
    artworks: str = "optimize",
) -> Choice:
    """Choose the method for styles, where it was left out, and say which in the log.

    A model file, given as the model or among the styles, is painted with as its header says;
    names of the gallery's styles, where no file has this name, mean "fast"; pictures mean
    what ``artworks`` says.

    Args:
        styles: Pictures, names of styles, or a model file.
        method: The method, if it is to be this one.
        model: A model file.
        artworks: The method for pictures.

    Raises:
        InputError: If there is no such method, the styles do not fit it, or none was given.
    """
    files = [style for style in styles if _is_model(style)]
    if len(files) + (model is not None) > 1:
        raise InputError(f"more than one model ({model or files[1]}, {files[0]}): give one")
    if model is not None and not isinstance(model, (str, os.PathLike)):
        raise InputError(f"the model has to be a file, not {model!r}")
    rest = [style for style in styles if not _is_model(style)]
    model = model or (os.fspath(files[0]) if files else None)
    if not rest and not model:
        raise InputError("no style: give at least one")
    if method is not None:
        must_be_known("method", method, OPTIONS)
        return Choice(method, rest, model)
    method, why = _infer(rest, model, artworks)
    logger.info("painting by --method %s: %s", method, why)
    return Choice(method, rest, model)


def _infer(styles: Sequence[Any], model: str | None, artworks: str) -> tuple[str, str]:
    if model is not None:
        return describe(model).kind, f"{Path(model).name} is such a model"
    if all(_is_name(style) for style in styles):
        known = gallery().styles
        for name in styles:
            if not is_style(name, known):
                hint = nearest(name, known)
                raise InputError(f"'{name}' is neither a file nor a style of the gallery: {hint}")
        return "fast", f"{', '.join(styles)} of the gallery"
    return artworks, "artworks were given"


def _is_model(style: Any) -> bool:
    return isinstance(style, (str, os.PathLike)) and str(style).endswith(MODEL_SUFFIX)


def _is_name(style: Any) -> bool:
    """Whether a style can only be meant as a name: a missing file would have a suffix."""
    if not isinstance(style, str) or "://" in style:
        return False
    return not Path(style).suffix and not Path(style).exists()
