"""``impasto compare``: collages of photos, artworks and methods."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import INTERRUPTED, add_options, collect
from impasto.cli.bars import RunBars
from impasto.cli.method_options import (
    Stylizers,
    add_method_options,
    choices_of,
    load_picture,
    options_of,
)
from impasto.cli.outputs import check_outputs
from impasto.errors import InputError
from impasto.methods import MODEL_SUFFIX
from impasto.names import must_be_known, told_apart
from impasto.options import PRESETS, OptimizeOptions, names
from impasto.stylizers.networks.options import ArbitraryOptions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from impasto.image import Picture
    from impasto.methods import Choice
    from impasto.stylizers.base import Stylizer

logger = logging.getLogger(__name__)


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command with its three kinds of collage."""
    parser = subparsers.add_parser(
        "compare",
        help="make collages: photos by artworks, methods side by side, before and after",
        description="Make collages of photos, artworks and methods.",
    )
    kinds = parser.add_subparsers(title="collages", metavar="KIND", required=True)
    _add_grid(kinds)
    _add_methods(kinds)
    _add_strip(kinds)


def _add_grid(kinds: argparse._SubParsersAction[Any]) -> None:
    parser = kinds.add_parser(
        "grid",
        help="stylize each photo in each style",
        description="Stylize each photo in each style and lay the results out in a table. For one "
        "photo in many styles at once, painted by networks, see `impasto sheet`.",
    )
    parser.add_argument("contents", nargs="+", metavar="CONTENT", help="photos")
    parser.add_argument(
        "--styles",
        nargs="+",
        required=True,
        metavar="STYLE",
        help="artworks, styles of the gallery or model files",
    )
    parser.add_argument(
        "--columns", type=int, default=6, metavar="N", help="styles in a row (default: 6)"
    )
    _add_output(parser, "grid.jpg")
    add_method_options(parser)
    parser.set_defaults(run=_grid)


def _add_methods(kinds: argparse._SubParsersAction[Any]) -> None:
    parser = kinds.add_parser(
        "methods",
        help="stylize one photo by several methods",
        description="Stylize one photo by several methods and put the results side by side.",
    )
    parser.add_argument("content", metavar="CONTENT", help="photo")
    parser.add_argument("style", metavar="STYLE", help="artwork")
    parser.add_argument(
        "--methods",
        nargs="+",
        default=list(PRESETS),
        metavar="METHOD",
        help=f"{', '.join(PRESETS)}, arbitrary, or a model file (default: all presets)",
    )
    _add_output(parser, "methods.jpg")
    add_options(parser.add_argument_group("optimisation, for all methods"), OptimizeOptions)
    parser.set_defaults(run=_methods)


def _add_strip(kinds: argparse._SubParsersAction[Any]) -> None:
    parser = kinds.add_parser(
        "strip",
        help="put finished pictures side by side, as before and after",
        description="Put finished pictures side by side with captions, as before and after.",
    )
    parser.add_argument("images", nargs="+", metavar="IMAGE", help="pictures")
    parser.add_argument(
        "--labels", nargs="+", metavar="TEXT", help="captions (default: the files' names)"
    )
    parser.add_argument("--columns", type=int, metavar="N", help="pictures in a row (default: all)")
    _add_output(parser, "strip.jpg")
    parser.set_defaults(run=_strip)


def _add_output(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument(
        "-o", "--output", default=name, metavar="FILE", help=f"the collage (default: {name})"
    )
    parser.add_argument(
        "--height", type=int, default=256, metavar="PX", help="of each picture (default: 256)"
    )


def _grid(args: argparse.Namespace) -> int:
    _check(args, [*args.contents, *args.styles])
    if args.style_weights is not None:
        raise InputError("--style-weights does nothing in a grid: each style is painted by itself")
    found = choices_of(args, [[style] for style in args.styles])
    choices = dict(zip(_stems(args.styles), found, strict=True))
    from impasto.api import load
    from impasto.media.sheet import grid

    side = getattr(args, "max_size", OptimizeOptions.max_size)
    photos = [load_picture(content, side) for content in args.contents]
    contents = dict(zip(_stems(args.contents), photos, strict=True))
    artworks = {name: _artwork(choice, side) for name, choice in choices.items()}

    def loaded(choice: Choice) -> Stylizer[Any]:
        return load(choice, **options_of(args, choice))

    stylizers = Stylizers(loaded)
    for choice in choices.values():
        stylizers(choice)  # what is wrong with one of them is told now, not after the others

    with RunBars(args.quiet) as bars:
        painted = _paint_all(contents, choices, stylizers, bars)
    _save(grid(contents, artworks, painted, columns=args.columns, height=args.height), args.output)
    return 0 if len(painted) == len(contents) * len(choices) else INTERRUPTED


def _paint_all(
    contents: Mapping[str, Picture],
    choices: Mapping[str, Choice],
    stylizers: Stylizers,
    bars: RunBars,
) -> dict[tuple[str, str], Picture]:
    """Each photo in each style by both names; where the run was interrupted, what is done."""
    count = len(contents) * len(choices)
    painted: dict[tuple[str, str], Picture] = {}
    for style, choice in choices.items():
        stylizer = stylizers(choice)
        for content, photo in contents.items():
            result = stylizer(photo, callback=bars())
            if result.stopped == "interrupted":
                return painted
            painted[content, style] = result.picture
            logger.info("%d of %d: %s in the manner of %s", len(painted), count, content, style)
    return painted


def _stems(sources: list[str]) -> list[str]:
    """Labels of files in a collage: their names without folder and suffix, told apart."""
    return told_apart(Path(source).stem for source in sources)


def _artwork(choice: Choice, side: int) -> Picture | None:
    """A style to look at; None where there is only its name."""
    from impasto.stylizers.body import is_pooled

    if choice.method == "fast" or is_pooled(choice.styles[0]):
        return None
    return load_picture(choice.styles[0], side)


def _methods(args: argparse.Namespace) -> int:
    from impasto.media.sheet import strip

    _check(args, [args.content, args.style, *args.methods])
    photo, artwork = load_picture(args.content), load_picture(args.style)
    pictures, labels = [photo, artwork], ["photo", "artwork"]
    given = collect(args, OptimizeOptions)
    stylizers = {method: _stylizer(method, artwork, given) for method in args.methods}
    with RunBars(args.quiet) as bars:
        for method, stylizer in stylizers.items():
            result = stylizer(photo, callback=bars(method))
            if result.stopped == "interrupted":
                break
            pictures.append(result.picture)
            labels.append(f"{Path(method).stem}, {result.seconds:.1f} s")
    _save(strip(pictures, labels, height=args.height), args.output)
    return 0 if len(pictures) == 2 + len(stylizers) else INTERRUPTED


def _stylizer(method: str, artwork: Picture, given: dict[str, Any]) -> Stylizer[Any]:
    """The stylizer of a method as the command line names it."""
    from impasto.api import load
    from impasto.stylizers.networks.description import describe

    # Networks take those options that they know: size, device, precision.
    shared = {name: given[name] for name in given if name in names(ArbitraryOptions)}
    if method.endswith(MODEL_SUFFIX):
        stylizer = load(method, **shared)
        return stylizer.set_style(None if describe(method).kind == "fast" else artwork)
    must_be_known("method", method, [*PRESETS, "arbitrary", f"FILE{MODEL_SUFFIX}"])
    if method == "arbitrary":
        return load(method, **shared).set_style(artwork)
    return load("optimize", preset=method, **given).set_style(artwork)


def _strip(args: argparse.Namespace) -> int:
    from impasto.media.sheet import strip

    _check(args, args.images)
    labels = args.labels or [Path(image).stem for image in args.images]
    pictures = [*map(load_picture, args.images)]
    _save(strip(pictures, labels, height=args.height, columns=args.columns), args.output)
    return 0


def _check(args: argparse.Namespace, inputs: list[str]) -> None:
    """Refuse now what would fail after a long run."""
    from impasto.image import check_writable

    check_writable(args.output)
    check_outputs({"-o": args.output}, inputs)
    for name in ("height", "columns"):
        value = getattr(args, name, None)
        if value is not None and value < 1:
            raise InputError(f"{name} has to be at least 1, not {value}")


def _save(picture: Picture, path: str) -> None:
    from impasto.image import save_image

    save_image(picture, path)
    logger.info("wrote %s", path)
