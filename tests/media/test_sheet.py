from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from impasto.errors import InputError
from impasto.image import Picture
from impasto.media.labels import Label
from impasto.media.sheet import flatten, grid, sheet, strip

WHITE = (1.0, 1.0, 1.0)
RED, GREEN, BLUE = (1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)


def plain(color: tuple[float, float, float], height: int, width: int) -> Picture:
    return Picture(np.broadcast_to(np.array(color, np.float32), (height, width, 3)).copy())


def box(picture: Picture, color: tuple[float, float, float]) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of the pixels of a colour, which must fill the box."""
    mask = np.abs(picture.rgb - np.array(color, np.float32)).max(axis=2) < 0.01
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    assert mask[top:bottom, left:right].all()
    return int(top), int(left), int(bottom), int(right)


def ink(picture: Picture, top: int, left: int, bottom: int, right: int) -> bool:
    """Whether there is text (dark pixels) in a box."""
    return bool((picture.rgb[top:bottom, left:right].max(axis=2) < 0.5).any())


def test_strip_lays_pictures_side_by_side_at_one_height() -> None:
    made = strip(
        [plain(RED, 30, 40), plain(GREEN, 200, 100), plain(BLUE, 64, 64)],
        ["content", "style", "result"],
        height=64,
    )
    boxes = [box(made, color) for color in (RED, GREEN, BLUE)]
    sizes = [(bottom - top, right - left) for top, left, bottom, right in boxes]
    assert sizes == [(64, 85), (64, 32), (64, 64)]
    assert boxes[0][0] == boxes[1][0] == boxes[2][0]
    assert boxes[0][3] < boxes[1][1] and boxes[1][3] < boxes[2][1]
    for _, left, bottom, right in boxes:
        assert ink(made, bottom, left, made.size[0], right)
    assert made.alpha is None
    assert (made.rgb[0] == 1).all() and (made.rgb[:, 0] == 1).all()  # a white margin


def test_long_labels_stay_under_their_picture() -> None:
    long = "starry_night_van_gogh " * 9 + "\n\x00" + "x" * 500
    made = strip([plain(RED, 9, 12), plain(GREEN, 9, 12)], [long, ""], height=96)
    _, left, bottom, right = box(made, RED)
    height, width = made.size
    assert ink(made, bottom, left, height, right)
    assert not ink(made, bottom, right, height, width)
    assert height - bottom < 96  # two lines at most


OTHER_SCRIPTS = ["照片", "人物", "фото", "ภาพ", "تصوير", "\U0001f600", "\U0001f4a9"]


def test_labels_of_other_scripts_can_be_told_apart() -> None:
    """Not rows of equal boxes, by a font of the system where it has one."""
    made = [strip([plain(RED, 9, 12)], [name], height=96) for name in OTHER_SCRIPTS]
    below = {one.rgb[box(one, RED)[2] :].tobytes() for one in made}
    assert len(below) == len(OTHER_SCRIPTS)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere fonts cannot be hidden")
def test_without_fonts_labels_of_other_scripts_are_in_ascii(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PATH", "XDG_DATA_DIRS", "XDG_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
    assert Label("山水 1", 12).text == "\\u5c71\\u6c34 1"
    assert Label("café", 12).text == "cafe"


def test_strip_breaks_into_rows() -> None:
    made = strip(
        [plain(RED, 8, 8), plain(GREEN, 8, 8), plain(BLUE, 8, 8)], list("abc"), height=32, columns=2
    )
    red, green, blue = (box(made, color) for color in (RED, GREEN, BLUE))
    assert red[0] == green[0] and red[2] < blue[0]
    assert red[1] == blue[1] and red[3] < green[1]


@pytest.mark.parametrize("size", [(1, 5000), (5000, 1), (1, 1)])
def test_odd_sizes_stay_in_bounds(size: tuple[int, int]) -> None:
    made = strip([plain(RED, *size)], ["odd"], height=40)
    top, left, bottom, right = box(made, RED)
    assert bottom - top <= 40 and right - left <= 160
    assert made.size[1] < 200 and ink(made, bottom, 0, *made.size)


def test_strip_refuses_what_does_not_fit() -> None:
    picture = plain(RED, 4, 4)
    with pytest.raises(InputError, match="one label a picture"):
        strip([], [])
    with pytest.raises(InputError, match="one label a picture"):
        strip([picture], ["a", "b"])
    with pytest.raises(InputError, match="height"):
        strip([picture], ["a"], height=0)
    with pytest.raises(InputError, match="column"):
        strip([picture], ["a"], columns=0)


def test_a_sheet_lays_pictures_out_with_captions_below() -> None:
    made = sheet(
        [[None, plain(RED, 20, 30)], [plain(GREEN, 20, 20), plain(BLUE, 20, 20)]],
        [["", "great_wave"], ["tiger"]],
        height=60,
    )
    red, green, blue = (box(made, color) for color in (RED, GREEN, BLUE))
    assert (red[2] - red[0], red[3] - red[1]) == (60, 90)
    assert green[0] == blue[0] > red[2]
    assert red[1] + red[3] == blue[1] + blue[3]  # both in the middle of their column
    height, width = made.size
    assert ink(made, red[2], red[1], green[0], red[3])
    assert ink(made, green[2], green[1], height, green[3])
    assert not ink(made, 0, 0, green[0], red[1])  # the blank corner
    assert not ink(made, blue[2], blue[1], height, width)  # no caption


def test_sheet_takes_ragged_rows_without_captions() -> None:
    made = sheet([[plain(RED, 8, 8)], [plain(GREEN, 8, 8), plain(BLUE, 8, 8)]], height=24)
    assert box(made, RED)[1] == box(made, GREEN)[1] < box(made, BLUE)[1]
    assert not ink(made, 0, 0, *made.size)


def test_sheet_refuses_what_does_not_fit() -> None:
    with pytest.raises(InputError, match="at least one picture"):
        sheet([])
    with pytest.raises(InputError, match="at least one picture"):
        sheet([[None]])
    with pytest.raises(InputError, match="2 captions for a row of 1"):
        sheet([[plain(RED, 4, 4)]], [["a", "b"]])
    with pytest.raises(InputError, match="1 captions for a row of 0"):
        sheet([[plain(RED, 4, 4)]], [["a"], ["b"]])


def test_a_cell_of_a_grid_lies_right_of_its_photo_and_below_its_artwork() -> None:
    contents = {"a": plain(WHITE, 32, 32), "b": plain(RED, 32, 32)}
    styles = {"x": plain(WHITE, 32, 32), "y": plain(GREEN, 32, 32)}
    made = grid(contents, styles, {("b", "y"): plain(BLUE, 32, 32)}, height=32)
    photo, artwork, cell = (box(made, color) for color in (RED, GREEN, BLUE))
    assert (cell[0], cell[1]) == (photo[0], artwork[1])
    assert photo[3] < cell[1] and artwork[2] < cell[0]


def test_more_artworks_than_columns_follow_below() -> None:
    styles = {"x": plain(RED, 32, 32), "y": plain(GREEN, 32, 32), "z": plain(BLUE, 32, 32)}
    made = grid({"a": plain(WHITE, 32, 32)}, styles, {}, columns=2, height=32)
    red, green, blue = (box(made, color) for color in (RED, GREEN, BLUE))
    assert red[0] == green[0] < blue[0]
    assert red[1] < green[1]
    with pytest.raises(InputError, match="columns"):
        grid({"a": plain(RED, 32, 32)}, styles, {}, columns=0)


def test_a_style_without_a_picture_has_its_name_alone() -> None:
    made = grid(
        {"a": plain(RED, 32, 32)}, {"x": None}, {("a", "x"): plain(BLUE, 32, 32)}, height=32
    )
    photo, cell = box(made, RED), box(made, BLUE)
    assert photo[0] == cell[0] and photo[3] < cell[1]
    assert ink(made, 0, cell[1], cell[0], cell[3])


def test_alpha_is_laid_on_a_light_checkerboard() -> None:
    alpha = np.zeros((32, 32), np.float32)
    alpha[:, 16:] = 1
    pixels = np.asarray(flatten(Picture(plain(RED, 32, 32).rgb, alpha)))
    assert (pixels[:, 16:] == (255, 0, 0)).all()
    assert sorted(np.unique(pixels[:, :16])) == [232, 255]
    assert (pixels[:8, :8] != pixels[8:16, :8]).all()
