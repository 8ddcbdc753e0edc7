"""The shelf: every artwork and every style of the gallery has its picture in the package."""

from __future__ import annotations

from PIL import Image

from impasto.app import library


def test_everything_that_can_be_chosen_has_a_picture() -> None:
    for files, side in ((library.artworks(), 512), (library.gallery_styles(), 224)):
        for path in files.values():
            with Image.open(path) as image:
                assert image.size == (side, side)


def test_every_photo_is_there_and_small() -> None:
    for path in library.photos().values():
        with Image.open(path) as image:
            assert 400 < max(image.size) <= 600


def test_names_are_told_as_titles() -> None:
    assert library.title("great-wave") == "Great wave"
