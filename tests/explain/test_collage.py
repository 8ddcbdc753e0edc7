"""Collages: where pictures and names go, and what paints them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from impasto.errors import InputError
from impasto.explain.collage import Paint, grid, paint_all
from impasto.image import Picture
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
    runs = iter([None, None, "interrupted"])

    def paint(photo: Picture) -> Result:
        return Result(photo, {}, stopped=next(runs))

    photos = {"a": plain(*RED), "b": plain(*GREEN)}
    painted = paint_all(photos, [("x", paint), ("y", paint)])
    assert [names for names, _ in painted] == [("a", "x"), ("b", "x")]


def test_a_style_is_asked_for_when_the_one_before_is_done() -> None:
    asked: list[str] = []

    def painters() -> Iterator[tuple[str, Paint]]:
        for name in "xy":
            asked.append(name)
            yield name, lambda photo: Result(photo, {})

    for (_, style), _ in paint_all({"a": plain(*RED), "b": plain(*GREEN)}, painters()):
        assert asked[-1] == style


def test_a_style_without_a_picture_leaves_its_place_blank() -> None:
    made = grid({"a": plain(*RED)}, {"x": None}, {("a", "x"): plain(*BLUE)}, height=32)
    photo, cell = middle(made, RED), middle(made, BLUE)
    assert photo[0] == cell[0] and photo[1] < cell[1]
