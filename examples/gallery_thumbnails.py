"""Makes the thumbnails of the gallery: the portrait in each of its styles.

    python examples/gallery_thumbnails.py src/impasto/pictures/styles

To be run again when the gallery's network changes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import impasto
from impasto.pictures import load_portrait
from impasto.stylizers.networks.gallery import gallery

SIDE = 224


def main(folder: Path) -> None:
    """Make all thumbnails."""
    photo = load_portrait()
    face = impasto.Picture(photo.rgb[: photo.size[1]].copy(), name="portrait")
    for name in gallery().styles:
        painted = impasto.stylize(face, name, max_size=2 * SIDE).picture
        impasto.save_image(painted.resized(SIDE, SIDE), folder / f"{name}.webp", quality=86)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
