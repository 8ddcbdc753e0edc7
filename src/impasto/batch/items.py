"""What a batch is to do: which content image, in which style, to which file."""

from __future__ import annotations

import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from impasto.batch import storage
from impasto.errors import InputError
from impasto.image.saving import FORMATS

FIELDS = ("name", "style", "suffix")


@dataclass(frozen=True)
class Item:
    """One picture to make.

    Attributes:
        content: Path or URL of the content image.
        style: Path or URL of the style image, or the name of a style.
        output: Path or URL of the result.
    """

    content: str
    style: str
    output: str


def plan(
    inputs: Sequence[str],
    styles: Sequence[str],
    folder: str,
    *,
    name: str | None = None,
    recursive: bool = False,
) -> list[Item]:
    """Lay out a batch: every content image in every style, style by style.

    Args:
        inputs: Files, folders and glob patterns, as paths or URLs. What already lies in
            ``folder`` is left out, so that results never become contents.
        styles: Style images, or names of styles.
        folder: Where the results go; the folders below an input are kept.
        name: How results are called: {name} and {suffix} of the content image and {style};
            left out, "{name}.png", or "{name}_{style}.png" where there are several styles.
        recursive: Whether folders are searched with their subfolders.

    Raises:
        InputError: If an input is missing or empty, the name is no such template, or two items
            would become the same file.
    """
    name = name or ("{name}_{style}.png" if len(styles) > 1 else "{name}.png")
    _check_name(name)
    contents: dict[str, str] = {}
    for source in inputs:
        for path, below in storage.find_pictures(source, recursive=recursive):
            if not _is_within(path, folder):
                contents.setdefault(path, below)
    items = [
        Item(path, style, _join(folder, below, _named(name, path, style)))
        for style in dict.fromkeys(styles)
        for path, below in contents.items()
    ]
    if not items:
        raise InputError(f"nothing to do: all pictures of {', '.join(inputs)} lie in {folder}")
    _check_unique(items)
    return items


def _check_name(name: str) -> None:
    try:
        fields = {field for _, field, _, _ in string.Formatter().parse(name) if field is not None}
    except ValueError as error:
        raise InputError(f"the name '{name}' is no template: {error}") from None
    if unknown := fields - set(FIELDS):
        known = ", ".join(f"{{{field}}}" for field in FIELDS)
        raise InputError(f"the name '{name}' has no field {{{min(unknown)}}}: use {known}")
    suffix = PurePosixPath(name).suffix.lower().removeprefix(".")
    if suffix not in FORMATS:
        known = ", ".join(f".{extension}" for extension in FORMATS)
        raise InputError(f"the name '{name}' has to end in one of {known}")
    if ".." in PurePosixPath(name).parts or name.startswith("/"):
        raise InputError(f"the name '{name}' leads out of the folder of the results")


def _named(name: str, content: str, style: str) -> str:
    path = PurePosixPath(content.replace("\\", "/"))
    suffix = path.suffix.removeprefix(".").lower()
    return name.format(name=path.stem, suffix=suffix, style=_style_name(style))


def _style_name(style: str) -> str:
    path = PurePosixPath(style.replace("\\", "/"))
    known = path.suffix.lower() in {*storage.SUFFIXES, ".safetensors"}
    return path.stem if known else path.name


def _join(folder: str, *parts: str) -> str:
    return "/".join([folder.rstrip("/") or "/", *filter(None, parts)])


def _is_within(path: str, folder: str) -> bool:
    if storage.is_local(path) != storage.is_local(folder):
        return False
    if storage.is_local(path):
        return Path(path).resolve().is_relative_to(Path(folder).resolve())
    return path.startswith(folder.rstrip("/") + "/")


def _check_unique(items: Sequence[Item]) -> None:
    seen: dict[str, Item] = {}
    for item in items:
        other = seen.setdefault(item.output.lower(), item)
        if other is not item:
            first, second = (f"{i.content} in {i.style}" for i in (other, item))
            raise InputError(
                f"{first} and {second} would both become {item.output}: "
                "tell them apart by --name, as '{name}_{suffix}_{style}.png'"
            )
