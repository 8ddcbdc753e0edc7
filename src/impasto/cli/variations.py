"""``impasto stylize --variations N``: a contact sheet of choices, and the command for each."""

from __future__ import annotations

import argparse
import logging
import shlex
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import INTERRUPTED, add_option, collect
from impasto.cli.method_options import load_picture, load_stylizer, opened
from impasto.errors import InputError
from impasto.methods import Choice
from impasto.options import OptimizeOptions

if TYPE_CHECKING:
    from impasto.image import Picture

logger = logging.getLogger(__name__)


def add_variations(parser: argparse.ArgumentParser) -> None:
    """Add --variations."""
    add_option(
        parser,
        "variations",
        type=int,
        metavar="N",
        help="instead of a result paint N small ones with other style weights and forms, on one "
        "sheet, and print the command for each",
    )


def paint_variations(
    args: argparse.Namespace, output: str, sources: Sequence[str], choice: Choice
) -> int:
    """Paint the sheet, print the commands, and return the exit code.

    Raises:
        InputError: If the method or another argument does not go together with it.
    """
    _refuse(args, output, sources[0], choice)
    from impasto.image import save_image
    from impasto.media.variations import SIDE, contact_sheet, variations

    given = {name: getattr(args, name, None) for name in ("style_weight", "forms")}
    chosen = variations(args.variations, args.preset, **given)
    photo = load_picture(sources[0], SIDE)
    pictures: list[Picture] = []
    for changes in chosen:
        result = _stylized(args, choice, photo, changes)
        if result.stopped == "interrupted":
            break
        pictures.append(result.picture)
        logger.info("%d of %d: %s", len(pictures), len(chosen), _label(changes))
        print(command(args, sources, changes), flush=True)
    if not pictures:
        return INTERRUPTED
    labels = [_label(changes) for changes in chosen[: len(pictures)]]
    found = contact_sheet(pictures, labels, len(chosen))
    save_image(found, output, quality=args.quality, bits=args.bits)
    logger.info("wrote %s", output)
    return 0 if len(pictures) == len(chosen) else INTERRUPTED


def command(args: argparse.Namespace, sources: Sequence[str], changes: Mapping[str, float]) -> str:
    """The command that paints a variation at full size."""
    given: dict[str, Any] = {
        name: getattr(args, name)
        for name in ("preset", "style_weights", "mask", "content_masks", "style_masks")
        if getattr(args, name) is not None
    }
    given |= {**collect(args, OptimizeOptions), **changes}
    words = ["impasto", "stylize", *sources]
    for name, value in given.items():
        words += [f"--{name.replace('_', '-')}", *_words(name, value)]
    return shlex.join(words)


def _words(name: str, value: Any) -> list[str]:
    """A value as the command line takes it."""
    if isinstance(value, bool):
        return []
    if isinstance(value, dict):
        return [",".join(f"{layer}={weight:g}" for layer, weight in value.items())]
    if name == "style_weights":
        return [",".join(f"{weight:g}" for weight in value)]
    return [*map(str, value)] if isinstance(value, list) else [str(value)]


def _stylized(
    args: argparse.Namespace, choice: Choice, photo: Picture, changes: Mapping[str, float]
) -> Any:
    from impasto.media.variations import SIDE, quick

    small = quick(getattr(args, "max_size", SIDE))
    stylizer = load_stylizer(argparse.Namespace(**{**vars(args), **small, **changes}), choice)
    return stylizer(
        photo,
        mask=args.mask and opened(args.mask),
        content_masks=args.content_masks and [*map(opened, args.content_masks)],
    )


def _refuse(args: argparse.Namespace, output: str, content: str, choice: Choice) -> None:
    if choice.method != "optimize":
        raise InputError(
            f"--variations vary what --method optimize knows, not {choice.method}: "
            "`impasto sheet` shows a photo in many styles"
        )
    if "-" in (content, output):
        raise InputError("--variations takes a file and writes one: commands cannot name a stream")


def _label(changes: Mapping[str, float]) -> str:
    return f"style weight {changes['style_weight']:g}, forms {changes['forms']:g}"
