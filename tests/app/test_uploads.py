"""Uploads: good ones are read, wrong ones refused in a line that names the file and no folder."""

from __future__ import annotations

import zlib
from pathlib import Path
from struct import pack
from typing import Any

import numpy as np
import pytest
from PIL import Image

from impasto.api import pack_style
from impasto.app.limits import Limits
from impasto.app.uploads import Inbox, drawn_mask
from impasto.errors import InputError
from impasto.image import Picture
from impasto.stylizers.body import StylePack, Works

LIMITS = Limits()


def inbox(folder: Path) -> Inbox:
    return Inbox(folder, LIMITS)


def saved(path: Path, size: tuple[int, int] = (40, 30), mode: str = "RGB") -> Path:
    rng = np.random.default_rng(0)
    channels = {"L": (), "RGB": (3,), "RGBA": (4,)}[mode]
    pixels = rng.integers(0, 256, (size[1], size[0], *channels), np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def huge_png(path: Path, side: int = 10_000) -> Path:
    """A black PNG of side x side pixels, a hundred kilobytes long, made without Pillow."""
    row = b"\0" + bytes((side + 7) // 8)
    packer = zlib.compressobj(9)
    body = b"".join(packer.compress(row) for _ in range(side)) + packer.flush()
    header = pack(">2I5B", side, side, 1, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", body), (b"IEND", b""))
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            pack(">I", len(data)) + name + data + pack(">I", zlib.crc32(name + data))
            for name, data in chunks
        )
    )
    return path


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_a_picture_is_read_under_its_own_name(tmp_path: Path, mode: str) -> None:
    picture = inbox(tmp_path).read(str(saved(tmp_path / "me.png", mode=mode)))
    assert picture.name == "me.png"
    assert picture.size == (30, 40)
    assert (picture.alpha is not None) == (mode == "RGBA")


def test_a_large_picture_comes_smaller(tmp_path: Path) -> None:
    path = tmp_path / "long.png"
    Image.new("RGB", (5000, 10)).save(path)
    assert inbox(tmp_path).read(str(path)).size == (8, 4096)


def refused(path: Path, limits: Limits = LIMITS) -> str:
    with pytest.raises(InputError) as error:
        Inbox(path.parent, limits).read(str(path))
    message = str(error.value)
    assert str(path.parent) not in message
    assert "\n" not in message
    return message


def test_text_that_calls_itself_a_jpeg_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.jpg").write_text("Dear Sir or Madam")
    assert "cannot read letter.jpg: it is not a picture" in refused(tmp_path / "letter.jpg")


def test_a_truncated_jpeg_is_refused(tmp_path: Path) -> None:
    whole = saved(tmp_path / "whole.jpg", (300, 200)).read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    assert "half.jpg" in refused(tmp_path / "half.jpg")


def test_a_hundred_megapixels_are_refused_before_they_are_decoded(tmp_path: Path) -> None:
    assert "huge.png" in refused(huge_png(tmp_path / "huge.png"))


def test_a_file_of_too_many_megabytes_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "heavy.png"
    path.write_bytes(bytes(1_100_000))
    assert "more than 1 MB" in refused(path, Limits(max_megabytes=1))


def test_a_missing_upload_is_told(tmp_path: Path) -> None:
    assert "upload it again" in refused(tmp_path / "gone.png")
    with pytest.raises(InputError, match="no artwork yet"):
        inbox(tmp_path).read(None, "artwork")


@pytest.mark.parametrize(
    "path",
    [
        "{beside}/secret.png",
        "{inbox}/../{beside.name}/secret.png",
        "{inbox}/link.png",
        "{inbox}",
        "{beside}/none.png",
        "secret.png",
        "file://{beside}/secret.png",
        "http://127.0.0.1/secret.png",
        "{inbox}/\0.png",
        "{inbox}/\ud800.png",
        "{inbox}/" + 5000 * "x",
        7,
        {"path": "x"},
        ["x"],
    ],
)
def test_only_files_of_the_inbox_are_read(tmp_path: Path, path: object) -> None:
    beside, folder = tmp_path / "beside", tmp_path / "inbox"
    beside.mkdir()
    folder.mkdir()
    (folder / "link.png").symlink_to(saved(beside / "secret.png"))
    if isinstance(path, str):
        path = path.format(beside=beside, inbox=folder)
    with pytest.raises(InputError, match=r"^the photo is no longer here: upload it again$"):
        inbox(folder).read(path)


def strokes(*places: tuple[int, int]) -> Picture:
    alpha = np.zeros((4, 6), np.float32)
    for place in places:
        alpha[place] = 0.75
    return Picture(np.ones((4, 6, 3), np.float32), alpha)


def test_a_drawn_mask_is_white_where_any_layer_was_drawn_on() -> None:
    mask = drawn_mask([strokes((0, 1)), strokes((3, 5))])
    assert mask is not None
    expected = np.zeros((4, 6))
    expected[0, 1] = expected[3, 5] = 1
    np.testing.assert_array_equal(mask.rgb, np.repeat(expected[..., None], 3, axis=2))


def test_a_mask_can_mean_everything_else() -> None:
    mask = drawn_mask([strokes((0, 1))], (1, 0))
    assert mask is not None
    assert mask.rgb[0, 1].tolist() == [0, 0, 0]
    assert mask.rgb.sum() == 3 * (4 * 6 - 1)


def test_a_soft_edge_is_as_wide_as_it_says_and_stays_where_it_was() -> None:
    alpha = np.zeros((40, 200), np.float32)
    alpha[:, :100] = 1
    left = Picture(np.ones((40, 200, 3), np.float32), alpha)
    sharp, mask = drawn_mask([left]), drawn_mask([left], soft=0.2)
    assert sharp is not None
    assert mask is not None
    assert set(sharp.rgb.ravel().tolist()) == {0.0, 1.0}
    row = mask.rgb[20, :, 0]
    assert abs(row[99] + row[100] - 1) < 0.02
    assert row[75] > 0.95
    assert row[125] < 0.05
    assert 0.6 < row[92] < 0.9


@pytest.mark.parametrize("soft", [-0.1, 1.1, float("nan"), "much", None])
def test_a_soft_edge_has_to_be_a_share(soft: Any) -> None:
    with pytest.raises(InputError, match="soft edge"):
        drawn_mask([strokes((0, 1))], soft=soft)


def test_a_map_is_as_light_as_it_says_outside_and_within() -> None:
    drawn = drawn_mask([strokes((0, 1))], (0.5, 0.25))
    assert drawn is not None
    assert drawn.rgb[0, 1].tolist() == [0.25] * 3
    assert drawn.rgb[1, 1].tolist() == [0.5] * 3


@pytest.mark.parametrize("level", [-0.1, 1.1, float("nan"), "much", None])
def test_a_level_has_to_be_a_share(level: Any) -> None:
    with pytest.raises(InputError, match="the style has to be a number"):
        drawn_mask([strokes((0, 1))], (level, 1))


@pytest.mark.parametrize("layers", [[], [strokes()]])
def test_nothing_drawn_is_no_mask(layers: list[Picture]) -> None:
    assert drawn_mask(layers) is None
    assert drawn_mask(layers, (1, 0)) is None


def test_several_artworks_are_a_body_of_work(tmp_path: Path) -> None:
    paths = [str(saved(tmp_path / f"{number}.png")) for number in range(3)]
    body = inbox(tmp_path).read_body(paths)
    assert body == Works("3 artworks", tuple(map(Path, paths)))
    assert inbox(tmp_path).read_body(paths[:1]).name == "0.png"


def test_a_style_pack_is_a_body_of_work(tmp_path: Path) -> None:
    (tmp_path / "works").mkdir()
    saved(tmp_path / "works" / "one.png", (64, 64))
    pack_style(tmp_path / "works", tmp_path / "monet.style", max_size=64, backbones=["lite"])
    body = inbox(tmp_path).read_body([str(tmp_path / "monet.style")])
    assert isinstance(body, StylePack)
    assert (body.name, body.sources) == ("monet.style", ("one.png",))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "from 1 to 24 files, not 0"),
        (["a.png"] * 25, "from 1 to 24 files, not 25"),
        (["a.png", "odd.style"], "by itself"),
        (["odd.style"], "^odd.style is no style pack"),
        (["letter.jpg"], "^cannot read letter.jpg"),
        (["gone.png"], "no longer here"),
        (["gone.style"], "no longer here"),
        (["link.style"], "no longer here"),
        (["../up.style"], "no longer here"),
        (["a.png", "large.png"], "^large.png has 2 MB, more than 1 MB"),
    ],
)
def test_bodies_that_cannot_be_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    saved(tmp_path / "a.png")
    saved(tmp_path / "large.png", (900, 700))
    (tmp_path / "letter.jpg").write_text("Dear Sir or Madam")
    (tmp_path / "odd.style").write_bytes(b"\2\0\0\0\0\0\0\0{}")
    (tmp_path / "link.style").symlink_to(tmp_path / "odd.style")
    with pytest.raises(InputError, match=message) as error:
        Inbox(tmp_path, Limits(max_megabytes=1)).read_body([f"{tmp_path}/{it}" for it in names])
    assert str(tmp_path) not in str(error.value)
