"""Make the pictures that the web app offers to choose from.

python examples/app_shelf.py [DIR]

Writes artworks/NAME.webp, each artwork as ``impasto.artworks`` draws it, and styles/NAME.webp, the
portrait in each style of the gallery, into DIR (the app's own folder if left out). It takes a few
minutes and needs to be run again when an artwork or a shipped network changes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import impasto
from impasto import artworks
from impasto.app.library import FOLDER
from impasto.image import Picture, save_image
from impasto.networks.gallery import gallery
from impasto.samples import portrait

ARTWORK_SIDE = 512
THUMBNAIL_SIDE = 224
QUALITY = 86


def main() -> None:
    """Make all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for part in ("artworks", "styles"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for name in gallery().styles:
        painted = impasto.stylize(face(), name, max_size=2 * THUMBNAIL_SIDE).picture
        small = painted.resized(THUMBNAIL_SIDE, THUMBNAIL_SIDE)
        save_image(small, folder / "styles" / f"{name}.webp", quality=QUALITY)
    for name in artworks.names():
        path = folder / "artworks" / f"{name}.webp"
        save_image(artworks.draw(name, ARTWORK_SIDE), path, quality=QUALITY)


def face() -> Picture:
    """The upper, square part of the portrait."""
    photo = portrait()
    width = photo.size[1]
    return Picture(photo.rgb[:width].copy(), name="portrait")


if __name__ == "__main__":
    main()
