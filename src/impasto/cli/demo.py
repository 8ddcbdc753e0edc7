"""``impasto demo``: see what Impasto does without any file of one's own."""

from __future__ import annotations

import argparse
import logging
from pathlib import Path
from typing import Any

from impasto.cli.arguments import add_options, collect
from impasto.cli.bars import RunBars, download_bar
from impasto.cli.stylize import exit_code
from impasto.options import OptimizeOptions
from impasto.pictures import ARTWORKS, load_artwork, load_portrait

logger = logging.getLogger(__name__)


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "demo",
        help="make a first picture; needs no files",
        description="Repaint a portrait in the public domain in the manner of an example "
        "artwork. Writes demo.png, and photo, artwork and result as demo_strip.png.",
    )
    parser.add_argument("--artwork", default=ARTWORKS[0], metavar="NAME", help="which artwork")
    parser.add_argument("--list", action="store_true", help="list the artworks and stop")
    parser.add_argument(
        "-o", "--output", type=Path, default=Path("demo.png"), metavar="FILE", help="the result"
    )
    add_options(parser.add_argument_group("optimisation"), OptimizeOptions)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command and return its exit code."""
    if args.list:
        print("\n".join(ARTWORKS))
        return 0
    from impasto.image import check_writable, save_image
    from impasto.media.sheet import strip
    from impasto.stylizers.optimize import Optimize

    strip_path = args.output.with_name(f"{args.output.stem}_strip.png")
    for path in (args.output, strip_path):
        check_writable(path)
    options = OptimizeOptions(**collect(args, OptimizeOptions))
    photo, artwork = load_portrait(), load_artwork(args.artwork)
    with download_bar(options.backbone) as progress:
        stylizer = Optimize(options, progress=progress)
    with RunBars(args.quiet) as bars:
        result = stylizer.set_style(artwork)(photo, callback=bars())
    result.save(args.output)
    save_image(
        strip([photo, artwork, result.picture], ["photo", args.artwork, "result"]), strip_path
    )
    logger.info("wrote %s and %s (%.1f s)", args.output, strip_path, result.seconds)
    return exit_code(result)
