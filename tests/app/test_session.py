"""Sessions: results as files with their settings, no more than are kept, gone in the end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.app import session as module
from impasto.app.comparison import comparison
from impasto.app.session import Session
from impasto.callbacks import Record
from impasto.image import Picture, read_settings
from impasto.result import Result

PHOTO = Picture(np.full((12, 8, 3), 0.5, np.float32), name="me & you.jpg")


def result(losses: tuple[Record, ...] = ()) -> Result:
    settings = {"method": "optimize", "styles": ["night-wind.webp"], "seed": 3}
    return Result(Picture(np.zeros((6, 4, 3), np.float32)), settings, losses)


def form(path: str) -> tuple[str | None, tuple[int, int]]:
    """Format and (width, height) of a file."""
    with Image.open(path) as image:
        return image.format, image.size


def test_a_result_is_kept_in_both_formats_with_its_settings(tmp_path: Path) -> None:
    entry = Session().add(result(), PHOTO, tmp_path, {})
    for path, kind in ((entry.png, "PNG"), (entry.jpeg, "JPEG")):
        assert form(path)[0] == kind
        assert read_settings(path) == entry.settings
    assert Path(entry.png).name == "me-you_night-wind_1.png"
    assert entry.before is not None
    assert form(entry.before)[1] == (4, 6)
    assert (entry.title, entry.size) == ("1: Night wind", (6, 4))
    assert entry.losses is None


def test_a_large_result_is_shown_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()
    small = session.add(result(), PHOTO, tmp_path, {})
    assert small.shown == small.png
    monkeypatch.setattr(module, "SHOWN", 3)
    large = session.add(result(), PHOTO, tmp_path, {})
    assert (form(large.png)[1], form(large.shown)[1]) == ((4, 6), (2, 3))
    assert large.before is not None
    assert form(large.before)[1] == (2, 3)


def test_a_contact_sheet_is_beside_no_photo(tmp_path: Path) -> None:
    sheet = replace(result(), settings={**result().settings, "variations": [{}]})
    entry = Session().add(sheet, PHOTO, tmp_path, {}, "6 variations")
    assert entry.before is None
    assert entry.title == "1: 6 variations"
    assert "input" not in comparison(entry.before, entry.shown, entry.size)


def test_losses_are_plotted_where_there_are_any(tmp_path: Path) -> None:
    records = tuple(Record(i, 0, (6, 4), 0.1 * i, {"total": 1 / i}) for i in range(1, 5))
    entry = Session().add(result(records), PHOTO, tmp_path, {})
    assert entry.losses is not None
    assert form(entry.losses)[0] == "PNG"


def test_the_latest_come_first_and_the_oldest_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT", 2)
    session = Session()
    made = [session.add(result(), PHOTO, tmp_path, {}) for _ in range(3)]
    assert session.entries == [made[2], made[1]]
    assert not any(Path(name).exists() for name in made[0].files)
    assert all(Path(name).exists() for name in made[1].files)


def test_closing_removes_all_of_it(tmp_path: Path) -> None:
    session, other = Session(), Session()
    session.add(result(), PHOTO, tmp_path, {})
    kept = other.add(result(), PHOTO, tmp_path, {})
    session.close()
    assert [str(path) for path in tmp_path.iterdir()] == [str(Path(kept.png).parent)]
    Session().close()
