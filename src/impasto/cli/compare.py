"""``impasto compare``: collages of photos, artworks and methods."""

from __future__ import annotations

import argparse
import logging
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import add_options, collect
from impasto.errors import InputError
from impasto.options import PRESETS, OptimizeOptions

if TYPE_CHECKING:
    from impasto.callbacks import ProgressBar
    from impasto.explain.collage import Paint
    from impasto.image import Picture
    from impasto.optimize import Optimize

logger = logging.getLogger(__name__)

INTERRUPTED = 130


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
        help="stylize each photo in the manner of each artwork",
        description="Stylize each photo in the manner of each artwork and lay them out in a "
        "table. With one photo: that photo in many styles.",
    )
    parser.add_argument("contents", nargs="+", metavar="CONTENT", help="photos")
    parser.add_argument("--styles", nargs="+", required=True, metavar="STYLE", help="artworks")
    parser.add_argument(
        "--columns", type=int, default=6, metavar="N", help="artworks in a row (default: 6)"
    )
    _add_output(parser, "grid.jpg")
    parser.add_argument("--preset", choices=list(PRESETS), default="default", help="the method")
    add_options(parser.add_argument_group("optimisation"), OptimizeOptions)
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
        help=f"{', '.join(PRESETS)}, arbitrary, fast=FILE, arbitrary=FILE (default: all presets)",
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
    options = OptimizeOptions.preset(args.preset, **collect(args, OptimizeOptions))
    from impasto.explain.collage import grid, load_named, paint_all
    from impasto.optimize import Optimize

    _check(args)
    contents = load_named(args.contents, options.max_size)
    styles = load_named(args.styles, _detail(options))
    count = len(contents) * len(styles)
    painted: dict[tuple[str, str], Picture] = {}
    with _Painting(args) as painting:
        paint = painting.with_progress(Optimize(options))
        for names, picture in paint_all(contents, styles, paint):
            painted[names] = picture
            logger.info("%d of %d: %s in the manner of %s", len(painted), count, *names)
    _save(grid(contents, styles, painted, columns=args.columns, height=args.height), args.output)
    return 0 if len(painted) == count else INTERRUPTED


def _methods(args: argparse.Namespace) -> int:
    from impasto.explain.collage import method
    from impasto.explain.strip import strip
    from impasto.image import load_image

    _check(args)
    photo, artwork = load_image(args.content), load_image(args.style)
    pictures, labels = [photo, artwork], ["photo", "artwork"]
    given = collect(args, OptimizeOptions)
    with _Painting(args) as painting:
        methods = {text: method(text, given, painting.with_progress) for text in args.methods}
        for text, paint in methods.items():
            logger.info("%s", text)
            result = paint(photo, artwork)
            if result.stopped == "interrupted":
                break
            pictures.append(result.picture)
            labels.append(f"{text}, {result.seconds:.1f} s")
    _save(strip(pictures, labels, height=args.height), args.output)
    return 0 if len(pictures) == 2 + len(methods) else INTERRUPTED


def _strip(args: argparse.Namespace) -> int:
    from pathlib import Path

    from impasto.explain.strip import strip
    from impasto.image import load_image

    _check(args)
    labels = args.labels or [Path(image).stem for image in args.images]
    pictures = [load_image(image) for image in args.images]
    _save(strip(pictures, labels, height=args.height, columns=args.columns), args.output)
    return 0


def _check(args: argparse.Namespace) -> None:
    """Refuse now what would fail after a long run."""
    from impasto.image import check_writable

    check_writable(args.output)
    for name in ("height", "columns"):
        value = getattr(args, name, None)
        if value is not None and value < 1:
            raise InputError(f"{name} has to be at least 1, not {value}")


def _detail(options: OptimizeOptions) -> int:
    """The longer side at which artworks are of use."""
    return max(1, round(options.max_size * max(1, options.style_scale)))


def _save(picture: Picture, path: str) -> None:
    from impasto.image import save_image

    save_image(picture, path)
    logger.info("wrote %s", path)


class _Painting(ExitStack):
    """Runs of the optimisation with a progress bar each."""

    def __init__(self, args: argparse.Namespace) -> None:
        super().__init__()
        self.quiet = args.quiet

    def with_progress(self, stylizer: Optimize) -> Paint:
        """What paints with this stylizer."""

        def watch() -> list[ProgressBar]:
            from impasto.callbacks import ProgressBar

            return [] if self.quiet else [self.enter_context(ProgressBar())]

        return lambda photo, artwork: stylizer(photo, artwork, callbacks=watch())
