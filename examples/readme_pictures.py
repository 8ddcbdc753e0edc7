"""Makes the pictures that the README shows, into docs/images.

    pip install "impasto[dev]"
    python examples/readme_pictures.py

Photos: Grace Hopper (United States Navy, public domain); Eileen Collins (NASA, public domain), the
cat Chelsea (Stéfan van der Walt, CC0) and a rocket (SpaceX, CC0), from scikit-image's samples.
Artworks: drawn by examples/artworks.
"""

from __future__ import annotations

from pathlib import Path

import skimage.data

import impasto
from impasto.callbacks import Frames
from impasto.image import Picture, load_image, save_image
from impasto.media.sheet import sheet, strip
from impasto.pictures import load_artwork, load_portrait

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
PHOTOS = ("astronaut", "chelsea", "rocket")
ARTWORKS = ("night-wind", "wave-print", "stained-glass", "dolphin-mosaic", "pine-linocut")


def main() -> None:
    """Make all pictures."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    _hero(impasto.Optimize(max_size=512))
    _sheet(impasto.Optimize(max_size=384))
    _gallery(impasto.Fast(max_size=512))


def _hero(stylizer: impasto.Optimize) -> None:
    photo, artwork = load_portrait(), load_artwork("night-wind")
    frames = Frames(count=6)
    result = stylizer.set_style(artwork)(photo, callback=[frames])
    row = [photo, artwork, result.picture]
    save_image(strip(row, ["photo", "artwork", "impasto"], height=420), IMAGES / "hero.jpg")
    labels = [f"step {step}" for step in frames.steps]
    save_image(strip(frames.pictures(), labels, height=220), IMAGES / "progress.jpg")


def _sheet(stylizer: impasto.Optimize) -> None:
    photos = [load_image(getattr(skimage.data, name)()) for name in PHOTOS]
    styles = [load_artwork(name) for name in ARTWORKS]
    rows: list[list[Picture | None]] = [
        [photo, *(stylizer.set_style(style)(photo).picture for style in styles)] for photo in photos
    ]
    rows.insert(0, [None, *styles])
    picture = sheet(rows, [["", *ARTWORKS]], height=176)
    save_image(picture, IMAGES / "sheet.jpg", quality=90)


def _gallery(stylizer: impasto.Fast) -> None:
    photo = load_image(skimage.data.chelsea())
    pictures = [photo, *(stylizer.set_style(name)(photo).picture for name in stylizer.styles)]
    picture = strip(pictures, ["photo", *stylizer.styles], height=220, columns=3)
    save_image(picture, IMAGES / "gallery.jpg", quality=90)


if __name__ == "__main__":
    main()
