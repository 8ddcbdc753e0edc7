"""Example pictures: artworks and photos. No heavy import here.

The artworks were drawn by the code in examples/artworks. The portrait shows Grace Hopper in 1984
(photo: United States Navy, public domain; the file is that of matplotlib's sample data). The cat is
Chelsea (photo: Stéfan van der Walt, CC0), the cup of coffee is from Pikolo Espresso Bar (photo:
Rachel Michetti, CC0); both are from scikit-image's samples, compressed anew.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.names import must_be_known

if TYPE_CHECKING:
    from impasto.image import Picture

FOLDER = Path(__file__).parent
PORTRAIT = FOLDER / "portrait.jpg"
PHOTOS = {
    "cat": FOLDER / "photos" / "cat.webp",
    "coffee": FOLDER / "photos" / "coffee.webp",
    "portrait": PORTRAIT,
}
ARTWORKS = (  # the most striking first
    "night-wind",
    "wave-print",
    "stained-glass",
    "pine-linocut",
    "river-dots",
    "dolphin-mosaic",
    "poppy-watercolor",
    "windmill-etching",
    "orphic-discs",
)


def artwork_path(name: str) -> Path:
    """The file of an example artwork, 512 pixels square.

    Raises:
        InputError: If there is none of this name.
    """
    must_be_known("artwork", name, ARTWORKS)
    return FOLDER / "artworks" / f"{name}.webp"


def load_artwork(name: str, size: int = 512) -> Picture:
    """An example artwork.

    Args:
        name: One of ``ARTWORKS``.
        size: Height and width in pixels.

    Raises:
        InputError: If there is none of this name, or the size is below 1.
    """
    from impasto.image import load_image

    return replace(load_image(artwork_path(name)).resized(size, size), name=name)


def load_portrait() -> Picture:
    """The portrait, 600 pixels high and 512 wide."""
    from impasto.image import load_image

    return replace(load_image(PORTRAIT), name="portrait")
