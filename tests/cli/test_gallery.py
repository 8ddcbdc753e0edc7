"""``impasto gallery`` and ``impasto sheet``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from impasto import artworks
from impasto.cli import main
from impasto.image import load_image, save_image
from impasto.networks import gallery
from tests.models import write_arbitrary, write_fast


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    write_fast(tmp_path / "fast.safetensors")
    write_arbitrary(tmp_path / "arbitrary.safetensors")
    save_image(artworks.draw("river-dots", 48), tmp_path / "photo.png")
    monkeypatch.setattr(gallery, "MODELS", tmp_path)
    monkeypatch.chdir(tmp_path)
    gallery.gallery.cache_clear()
    yield tmp_path
    gallery.gallery.cache_clear()


def test_the_gallery_names_styles_and_painters(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["gallery"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split(maxsplit=1) == ["great-wave", "the painter of great-wave"]
    assert second.startswith("starry-night")


def test_the_gallery_can_be_looked_at(folder: Path) -> None:
    assert main(["gallery", "-o", "gallery.png"]) == 0
    height, width = load_image("gallery.png").size
    assert 320 < height < 480 < width


def test_a_sheet_shows_the_photo_in_every_style(folder: Path) -> None:
    assert main(["sheet", "photo.png", "--tile-size", "64"]) == 0
    row = load_image("photo_sheet.png")
    assert 3 * 64 < row.size[1] < 4 * 64
    styles = ["great_wave", "photo.png", "fast.safetensors"]
    write_fast(folder / "fast.safetensors", ("only",))
    assert main(["sheet", "photo.png", *styles[1:], "--tile-size", "64", "-o", "more.png"]) == 0
    assert load_image("more.png").size == row.size


def test_a_sheet_that_cannot_be_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-q", "sheet", "photo.png", "great-wav"]) == 2
    assert "did you mean great-wave" in capsys.readouterr().err
    assert main(["-q", "sheet", "gone.png"]) == 2
    assert main(["-q", "sheet", "photo.png", "-o", "nowhere/sheet.png"]) == 2
    assert not (folder / "photo_sheet.png").exists()
