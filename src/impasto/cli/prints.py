"""``--print``: a picture at the size of a print that looks like its preview."""

from __future__ import annotations

import argparse
import logging
from typing import TYPE_CHECKING

from impasto.cli.arguments import add_option
from impasto.errors import InputError

if TYPE_CHECKING:
    from impasto.image import Picture
    from impasto.image.prints import Print
    from impasto.methods import Choice
    from impasto.printing import PrintJob

logger = logging.getLogger(__name__)


def add_print(parser: argparse.ArgumentParser) -> None:
    """Add --print and --dpi."""
    group = parser.add_argument_group(
        "print", "The print looks like the picture of --max-size, which is its preview."
    )
    add_option(
        group,
        "print",
        metavar="SIZE",
        help="enlarge to the pixels of a print, as 30x40cm or 12x16in; strokes grow with it",
    )
    add_option(group, "dpi", type=int, metavar="N", help="pixels per inch (default: 300)")


def page_of(args: argparse.Namespace) -> Print | None:
    """The print that the arguments ask for.

    Raises:
        InputError: If there cannot be such a print.
    """
    from impasto.image.prints import DPI, parse_print

    if args.print is None:
        if args.dpi is not None:
            raise InputError("--dpi is for prints: give --print as well")
        return None
    if args.upscale:
        raise InputError("--print enlarges the photo as far as it needs: leave --upscale out")
    return parse_print(args.print, DPI if args.dpi is None else args.dpi)


def job_of(page: Print, args: argparse.Namespace, choice: Choice, photo: Picture) -> PrintJob:
    """The way of a photo to a print; the arguments become those to paint it with.

    Raises:
        InputError: If the preview would be larger than the print.
    """
    from impasto.printing import PrintJob

    job = PrintJob(page, choice.method, photo.size, getattr(args, "max_size", None))
    logger.info("the print is %s", job.describe())
    vars(args).update(job.options)
    return job
