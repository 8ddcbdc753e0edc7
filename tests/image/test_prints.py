"""Formats of prints, and the resolution in files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.errors import InputError
from impasto.image import Picture, save_image
from impasto.image.origin import Origin
from impasto.image.prints import parse_print


@pytest.mark.parametrize(
    ("text", "dpi", "picture", "size"),
    [
        ("30x40cm", 300, (600, 800), (3543, 4724)),
        ("40 x 30 cm", 300, (800, 600), (4724, 3543)),
        ("12x16in", 100, (300, 400), (1200, 1600)),
        ("300x400mm", 300, (600, 800), (3543, 4724)),
        ("30x40cm", 254, (1000, 1000), (3000, 3000)),
        ("10x10cm", 254, (10, 4000), (2, 1000)),
    ],
)
def test_a_picture_fills_the_sheet_and_keeps_its_shape(
    text: str, dpi: int, picture: tuple[int, int], size: tuple[int, int]
) -> None:
    assert parse_print(text, dpi).size(picture) == size


@pytest.mark.parametrize(
    ("text", "dpi", "message"),
    [
        ("30x40", 300, "a print is given as"),
        ("30cm", 300, "a print is given as"),
        ("0x40cm", 300, "a print is given as"),
        ("-3x4cm", 300, "a print is given as"),
        ("30x40cm", 0, "dpi has to be a whole number from 1 to 4800"),
        ("10000x10000mm", 300, "megapixels"),
    ],
)
def test_formats_that_cannot_be_are_refused(text: str, dpi: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_print(text, dpi)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tif", "webp"])
@pytest.mark.parametrize("exif", [True, False])
def test_files_tell_the_resolution(tmp_path: Path, suffix: str, exif: bool) -> None:
    origin = Origin({0x0110: "camera"}, {}, (72.5, 72.5))
    picture = Picture(np.zeros((8, 8, 3), np.float32), origin=origin)
    path = tmp_path / f"it.{suffix}"
    save_image(parse_print("10x10cm", 240).marked(picture, exif=exif), path)
    with Image.open(path) as image:
        found = image.getexif()
        x = image.info["dpi"][0] if suffix != "webp" else found[0x011A]
        assert float(x) == pytest.approx(240, abs=0.1)
        assert found.get(0x0110) == ("camera" if exif else None)
