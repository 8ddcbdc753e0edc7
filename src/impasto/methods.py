"""Choosing the method for styles. No heavy import here."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from impasto.errors import InputError
from impasto.keywords import File
from impasto.names import must_be_known, nearest
from impasto.options import OptimizeOptions
from impasto.stylizers.networks.description import describe
from impasto.stylizers.networks.gallery import gallery, is_style
from impasto.stylizers.networks.options import ArbitraryOptions, FastOptions

logger = logging.getLogger(__name__)


OPTIONS: dict[str, Any] = {
    "optimize": OptimizeOptions,
    "fast": FastOptions,
    "arbitrary": ArbitraryOptions,
}
MODEL_SUFFIX = ".safetensors"
# Other programs' models, which people have at hand.
FOREIGN_SUFFIXES = (".pth", ".pt", ".t7", ".ckpt", ".onnx", ".h5", ".pb", ".npz", ".model")


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
    model: File | None = None


def choose(
    styles: Sequence[Any],
    method: str | None = None,
    model: File | None = None,
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
    _refuse_foreign([*styles, model])
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
        if method != "fast":
            _refuse_names(rest, f"--method {method}")
        return Choice(method, rest, model)
    method, why = _infer(rest, model, artworks)
    logger.info("painting by --method %s: %s", method, why)
    return Choice(method, rest, model)


def grouped(styles: Sequence[Any]) -> list[list[Any]]:
    """Styles that are painted one by one, apart by how: the gallery's names, and artworks."""
    names = [style for style in styles if _is_name(style)]
    artworks = [style for style in styles if not _is_name(style)]
    return [group for group in (names, artworks) if group]


def _infer(styles: Sequence[Any], model: File | None, artworks: str) -> tuple[str, str]:
    if model is not None:
        return describe(model).kind, f"{Path(model).name} is such a model"
    names = [style for style in styles if _is_name(style)]
    if not names:
        return artworks, "artworks were given"
    known = gallery().styles
    for name in names:
        if not is_style(name, known):
            hint = nearest(name, known)
            raise InputError(f"'{name}' is neither a file nor a style of the gallery: {hint}")
    if len(names) < len(styles):
        _refuse_names(names, "artworks")
    return "fast", f"{', '.join(names)} of the gallery"


def _refuse_names(styles: Sequence[Any], other: str) -> None:
    for name in filter(_is_name, styles):
        if is_style(name, gallery().styles):
            raise InputError(
                f"'{name}' is a style of the gallery, painted by a network that knows no other: "
                f"it does not go together with {other}"
            )


def _refuse_foreign(sources: Sequence[Any]) -> None:
    for source in sources:
        path = os.fspath(source) if isinstance(source, (str, os.PathLike)) else ""
        if path.lower().endswith(FOREIGN_SUFFIXES):
            raise InputError(
                f"cannot paint with {path}: models are read as {MODEL_SUFFIX}, as written by "
                "`impasto train`; `impasto gallery` lists the styles that come along"
            )


def _is_model(style: Any) -> bool:
    return isinstance(style, (str, os.PathLike)) and str(style).endswith(MODEL_SUFFIX)


def _is_name(style: Any) -> bool:
    """Whether a style can only be meant as a name: a missing file would have a suffix."""
    if not isinstance(style, str) or "://" in style:
        return False
    return not Path(style).suffix and not Path(style).exists()
