"""The items of a batch: a content image, a style and an output file each."""

from __future__ import annotations

import logging
import string
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from impasto.batch import storage
from impasto.errors import InputError
from impasto.image import read_settings, suffixes
from impasto.image.saving import FORMATS
from impasto.stylizers.body.pack import SUFFIX

logger = logging.getLogger(__name__)

FIELDS = ("name", "style", "suffix")
MOST_NAMED = 5  # of the files that were left out


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
    made: Collection[str] = (),
) -> list[Item]:
    """Lay out a batch: every content image in every style, style by style.

    Results never become contents: what lies in ``folder`` is left out, or, where an input lies
    there itself, what an earlier run has made. What was left out is logged.

    Args:
        inputs: Files, folders and glob patterns, as paths or URLs.
        styles: Style images, or names of styles.
        folder: Where the results go; the folders below an input are kept.
        name: How results are called: {name} and {suffix} of the content image and {style};
            left out, "{name}.png", or "{name}_{style}.png" where there are several styles.
        recursive: Whether folders are searched with their subfolders.
        made: Results of earlier runs.

    Raises:
        InputError: If an input is missing or empty, the name is no such template, two items
            would become the same file, or one would replace a photo or an artwork.
    """
    name = name or ("{name}_{style}.png" if len(styles) > 1 else "{name}.png")
    _check_name(name)
    contents = _contents(inputs, folder, recursive, {*map(storage.same, made)})

    def items() -> list[Item]:
        return [
            Item(path, style, _join(folder, below, _named(name, path, style)))
            for style in dict.fromkeys(styles)
            for path, below in contents.items()
        ]

    for result in list(_earlier(items(), contents)):
        contents.pop(result, None)
    planned = items()
    if not planned:
        raise InputError(f"nothing to do: all pictures of {', '.join(inputs)} lie in {folder}")
    _check_unique(planned)
    return planned


def _contents(
    inputs: Sequence[str], folder: str, recursive: bool, made: set[object]
) -> dict[str, str]:
    """The content images, each with its folder below the input."""
    contents: dict[str, str] = {}
    results, others = 0, []
    for source in inputs:
        pictures, more = storage.find_pictures(source, recursive=recursive)
        others += more
        beside = _is_within(source, folder)
        for path, below in pictures:
            if (not beside and _is_within(path, folder)) or storage.same(path) in made:
                results += 1
            else:
                contents.setdefault(path, below)
    if results:
        logger.info("left out %d results of earlier runs in %s", results, folder)
    if others:
        some = [PurePosixPath(path).name for path in others[:MOST_NAMED]]
        rest = ["..."] if len(others) > MOST_NAMED else []
        named = ", ".join([*some, *rest])
        logger.info("left out %d files that are no pictures: %s", len(others), named)
    return contents


def _earlier(items: Sequence[Item], contents: Mapping[str, str]) -> Iterator[str]:
    """The contents that are results of an earlier run which was ended before it said so."""
    read = {storage.same(item.style): item.style for item in items}
    read |= {storage.same(path): path for path in contents}
    for item in items:
        lost = read.get(storage.same(item.output))
        if lost is None:
            continue
        if lost == item.content or lost not in contents or not _is_ours(lost):
            raise InputError(
                f"{item.output} would replace {lost}: tell results apart by --name, as "
                "'{name}_{style}.png'"
            )
        yield lost


def _is_ours(path: str) -> bool:
    return storage.is_local(path) and read_settings(path) is not None


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
    known = path.suffix.lower() in suffixes() | {".safetensors", SUFFIX}
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
