"""Collages: where pictures and names go, and what paints them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from impasto.errors import InputError
from impasto.explain.collage import grid, load_named, paint_all
from impasto.image import Picture, save_image
from impasto.result import Result

RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def plain(*color: float) -> Picture:
    return Picture(np.broadcast_to(np.array(color, np.float32), (32, 32, 3)).copy())


def middle(picture: Picture, color: tuple[float, float, float]) -> tuple[float, float]:
    rows, columns = np.nonzero(np.abs(picture.rgb - np.array(color)).max(axis=2) < 0.01)
    assert len(rows) == 32 * 32
    return float(rows.mean()), float(columns.mean())


def test_a_cell_lies_right_of_its_photo_and_below_its_artwork() -> None:
    contents = {"a": plain(0.5, 0.5, 0.5), "b": plain(*RED)}
    styles = {"x": plain(0.2, 0.5, 0.5), "y": plain(*GREEN)}
    made = grid(contents, styles, {("b", "y"): plain(*BLUE)}, height=32)
    photo, artwork, cell = (middle(made, color) for color in (RED, GREEN, BLUE))
    assert cell == (photo[0], artwork[1])


def test_more_artworks_than_columns_follow_below() -> None:
    styles = {"x": plain(*RED), "y": plain(*GREEN), "z": plain(*BLUE)}
    made = grid({"a": plain(0.5, 0.5, 0.5)}, styles, {}, columns=2, height=32)
    red, green, blue = (middle(made, color) for color in (RED, GREEN, BLUE))
    assert red[0] == green[0] < blue[0]
    assert red[1] < green[1]
    with pytest.raises(InputError, match="columns"):
        grid({"a": plain(*RED)}, styles, {}, columns=0)


def test_an_interrupted_run_ends_the_painting() -> None:
    runs = iter([None, "interrupted"])

    def paint(photo: Picture, artwork: Picture) -> Result:
        return Result(photo, {}, stopped=next(runs))

    pictures = {"a": plain(*RED), "b": plain(*GREEN)}
    assert [names for names, _ in paint_all(pictures, pictures, paint)] == [("a", "a")]


def test_files_with_one_name_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for folder in (tmp_path, tmp_path / "other"):
        save_image(plain(*RED), folder / "a.b.png")
    files = [str(tmp_path / "a.b.png"), str(tmp_path / "other" / "a.b.png")]
    assert list(load_named(files, 16)) == ["a.b", "a.b (2)"]
