"""``--print``: a picture at the size of a print that looks like its preview."""

from __future__ import annotations

import argparse
import dataclasses
import logging
from typing import TYPE_CHECKING

from impasto.cli.arguments import add_option
from impasto.errors import InputError
from impasto.methods import OPTIONS, Choice

if TYPE_CHECKING:
    from impasto.image import Picture
    from impasto.image.prints import Print
    from impasto.result import Result

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


class PrintJob:
    """One photo on its way to a print.

    The optimisation goes on from the preview to the size of the print (``preview_size``). Networks
    paint strokes of a fixed size in pixels: they paint the preview, which is then enlarged.

    Args:
        page: The print.
        args: The arguments; ``max_size``, the size of the preview, becomes the size to paint at.
        choice: How to paint.
        photo: The photo.

    Raises:
        InputError: If the preview would be larger than the print.
    """

    def __init__(
        self, page: Print, args: argparse.Namespace, choice: Choice, photo: Picture
    ) -> None:
        options = OPTIONS[choice.method]
        self.page, self.args = page, args
        self.optimizing = choice.method == "optimize"
        self.size = page.size(photo.size)
        given = getattr(args, "max_size", None)
        if given is not None and not 1 <= given <= max(self.size):
            raise InputError(
                f"--max-size, the preview of a print of {max(self.size)} px, has to be from 1 to "
                f"as many, not {given}"
            )
        self.preview = min(options.max_size, max(self.size)) if given is None else given
        args.max_size = self.preview
        if self.optimizing:
            args.max_size, args.preview_size = max(self.size), self.preview
        height, width = self.size
        logger.info(
            "the print is %d x %d px, %.1f x %.1f cm",
            *(width, height, 2.54 * width / page.dpi, 2.54 * height / page.dpi),
        )

    def photo(self, photo: Picture) -> Picture:
        """The photo at the size to be painted at."""
        from impasto.image import fit

        if self.optimizing:
            return photo.resized(*self.size)
        return photo.resized(*fit(self.size, self.preview))

    def finished(self, result: Result) -> Result:
        """The result at the size of the print, with its resolution."""
        picture = self.page.marked(result.picture.resized(*self.size), exif=self.args.exif)
        self.args.exif = True  # what is to be left out is gone, and the resolution stays
        settings = {**result.settings, "print": self.args.print, "dpi": self.page.dpi}
        return dataclasses.replace(result, picture=picture, settings=settings)
