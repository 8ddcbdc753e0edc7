"""``impasto gallery`` and ``impasto sheet``: the styles that come along, and a photo in many."""

from __future__ import annotations

import argparse
import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from impasto.cli.arguments import add_option
from impasto.cli.method_options import Stylizers, load_picture
from impasto.cli.outputs import check_outputs

if TYPE_CHECKING:
    from impasto.image import Picture

logger = logging.getLogger(__name__)

TILE = 320
COLUMNS = 3


def add_parser(subparsers: argparse._SubParsersAction[Any]) -> None:
    """Add both commands."""
    gallery = subparsers.add_parser(
        "gallery",
        help="list the styles that come with the package",
        description="List the styles that come with the package; paint with one of them by "
        "`impasto stylize PHOTO NAME`.",
    )
    gallery.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="also show a portrait in all of them"
    )
    gallery.set_defaults(run=_gallery)
    sheet = subparsers.add_parser(
        "sheet",
        help="show a photo in many styles at once",
        description="Show a photo in many styles on one sheet, in seconds.",
    )
    sheet.add_argument("photo", metavar="PHOTO")
    sheet.add_argument(
        "styles",
        nargs="*",
        metavar="STYLE",
        help="styles of the gallery, artworks (painted by --method arbitrary) or model files; "
        "all styles of the gallery if left out",
    )
    sheet.add_argument(
        "-o", "--output", type=Path, metavar="FILE", help="the sheet (default: PHOTO_sheet.png)"
    )
    add_option(
        sheet, "tile_size", type=int, default=TILE, metavar="PX", help="height of each picture"
    )
    sheet.set_defaults(run=_sheet)


def _gallery(args: argparse.Namespace) -> int:
    from impasto.stylizers.networks.gallery import gallery

    description = gallery()
    width = max(map(len, description.styles))
    for name, attribution in zip(description.styles, description.attributions, strict=True):
        print(f"{name:{width}}  {attribution}")
    if args.output:
        from impasto.pictures import load_portrait

        _write(load_portrait(), list(description.styles), args.output, TILE, [])
    return 0


def _sheet(args: argparse.Namespace) -> int:
    from impasto.stylizers.networks.gallery import gallery

    styles = args.styles or list(gallery().styles)
    output = args.output or Path(f"{Path(args.photo).stem}_sheet.png")
    _write(load_picture(args.photo), styles, output, args.tile_size, [args.photo, *styles])
    return 0


def _write(photo: Picture, styles: list[str], output: Path, tile: int, inputs: list[str]) -> None:
    from impasto.api import load
    from impasto.image import check_writable, save_image
    from impasto.media.sheet import strip
    from impasto.methods import choose

    check_writable(output)
    check_outputs({"-o": output}, inputs)
    height, width = photo.size
    small = photo.resized(tile, max(1, round(tile * width / height)))
    stylizers = Stylizers(load)
    pictures, labels = [small], ["photo"]
    for style in styles:
        choice = choose([style])
        if choice.method == "optimize":
            choice = replace(choice, method="arbitrary")
        pictures.append(stylizers(choice)(small).picture)
        labels.append(Path(style).stem)
    save_image(strip(pictures, labels, height=tile, columns=COLUMNS), output)
    logger.info("wrote %s", output)
