"""``impasto gallery`` and ``impasto sheet``."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasto.cli import main
from impasto.image import load_image
from tests.models import write_fast


def test_the_gallery_names_styles_and_painters(
    shipped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gallery"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split(maxsplit=1) == ["great-wave", "the painter of great-wave"]
    assert second.startswith("starry-night")


def test_the_gallery_can_be_looked_at(shipped: Path) -> None:
    assert main(["gallery", "-o", "gallery.png"]) == 0
    height, width = load_image("gallery.png").size
    assert 320 < height < 480 < width


def test_a_sheet_shows_the_photo_in_every_style(shipped: Path) -> None:
    assert main(["sheet", "photo.png", "--tile-size", "64"]) == 0
    row = load_image("photo_sheet.png")
    assert 3 * 64 < row.size[1] < 4 * 64
    styles = ["great_wave", "photo.png", "fast.safetensors"]
    write_fast(shipped / "fast.safetensors", ("only",))
    assert main(["sheet", "photo.png", *styles[1:], "--tile-size", "64", "-o", "more.png"]) == 0
    assert load_image("more.png").size == row.size


def test_a_sheet_that_cannot_be_is_refused(
    shipped: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-q", "sheet", "photo.png", "great-wav"]) == 2
    assert "did you mean great-wave" in capsys.readouterr().err
    assert main(["-q", "sheet", "gone.png"]) == 2
    assert main(["-q", "sheet", "photo.png", "-o", "nowhere/sheet.png"]) == 2
    assert not (shipped / "photo_sheet.png").exists()
