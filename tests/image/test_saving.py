from __future__ import annotations

import errno
import io
import json
import logging
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import png
import pytest
import tifffile
from PIL import ExifTags, Image, ImageCms

from impasto.errors import ImpastoError, InputError
from impasto.image import Picture, check_writable, load_image, read_settings, save_image
from impasto.image.masks import composite

RNG = np.random.default_rng(0)
VALUES = RNG.integers(1, 65536, (6, 9, 4), dtype=np.uint16)
DEEP = Picture((VALUES[..., :3] / 65535).astype(np.float32), bits=16)
DEEP_CLEAR = Picture(DEEP.rgb, (VALUES[..., 3] / 65535).astype(np.float32), bits=16)
BYTES = RNG.integers(1, 256, (6, 9, 4), dtype=np.uint8)
OPAQUE, CLEAR = load_image(BYTES[..., :3].copy()), load_image(BYTES)
SETTINGS = {"steps": 300, "style": ["étoile.jpg", "波"], "content_weight": 1.5, "init": None}
EVERYWHERE = [("jpg", 8), ("png", 8), ("png", 16), ("webp", 8), ("tif", 8), ("tiff", 16)]


@pytest.mark.parametrize("extension", ["png", "tif", "TIFF", "PNG"])
@pytest.mark.parametrize("picture", [OPAQUE, CLEAR])
def test_lossless_formats_are_exact(picture: Picture, extension: str, tmp_path: Path) -> None:
    path = tmp_path / f"out.{extension}"
    save_image(picture, path)
    read = np.asarray(Image.open(path))
    assert np.array_equal(read, BYTES[..., : read.shape[2]])
    assert read.shape[2] == (3 if picture.alpha is None else 4)
    assert np.array_equal(load_image(path).rgb, picture.rgb)


@pytest.mark.parametrize("channels", [3, 4])
def test_deep_png_is_exact(channels: int) -> None:
    picture = DEEP if channels == 3 else DEEP_CLEAR
    stream = io.BytesIO()
    save_image(picture, stream, format="png", bits=16)
    width, height, rows, info = png.Reader(bytes=stream.getvalue()).read()
    assert (width, height, info["bitdepth"], info["planes"]) == (9, 6, 16, channels)
    assert np.array_equal(np.array([*rows]).reshape(6, 9, channels), VALUES[..., :channels])


@pytest.mark.parametrize("channels", [3, 4])
def test_deep_tiff_is_exact(channels: int) -> None:
    stream = io.BytesIO()
    save_image(DEEP if channels == 3 else DEEP_CLEAR, stream, format="tiff", bits=16)
    page: Any = tifffile.TiffFile(io.BytesIO(stream.getvalue())).pages.first
    assert np.array_equal(page.asarray(), VALUES[..., :channels])
    assert list(page.extrasamples) == [2] * (channels - 3)  # not premultiplied


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (3, 3), (4, 4), (3, 9)])
@pytest.mark.parametrize(("extension", "bits"), EVERYWHERE)
def test_small_and_ambiguous_shapes(extension: str, bits: int, shape: tuple[int, int]) -> None:
    stream = io.BytesIO()
    save_image(Picture(np.ones((*shape, 3), np.float32)), stream, format=extension, bits=bits)
    again = load_image(stream.getvalue())
    assert (again.size, again.bits, again.rgb.min() > 0.99) == (shape, bits, True)


def test_jpeg_keeps_full_chroma_and_obeys_quality() -> None:
    streams = {quality: io.BytesIO() for quality in (1, 50, 95, 100)}
    for quality, stream in streams.items():
        save_image(OPAQUE, stream, quality=quality, format="jpeg")
        image: Any = Image.open(stream)
        assert [layer[1:3] for layer in image.layer] == [(1, 1)] * 3
    sizes = [len(stream.getvalue()) for stream in streams.values()]
    assert sizes == sorted(set(sizes))


def test_jpeg_lays_alpha_on_white(caplog: pytest.LogCaptureFixture) -> None:
    red = Picture(np.full((8, 8, 3), (1, 0, 0), np.float32), np.full((8, 8), 0.25, np.float32))
    stream = io.BytesIO()
    with caplog.at_level(logging.WARNING):
        save_image(red, stream, format="jpg")
    assert np.allclose(load_image(stream.getvalue()).rgb, (1, 0.75, 0.75), atol=2 / 255)
    assert "white" in caplog.text


def test_webp_keeps_alpha() -> None:
    stream = io.BytesIO()
    save_image(CLEAR, stream, format="webp")
    assert np.array_equal(np.asarray(Image.open(stream))[..., 3], BYTES[..., 3])


@pytest.mark.parametrize(("extension", "bits"), EVERYWHERE)
def test_settings_come_back(extension: str, bits: int, tmp_path: Path) -> None:
    path = tmp_path / f"out.{extension}"
    save_image(OPAQUE, path, settings=SETTINGS, bits=bits)
    assert read_settings(path) == SETTINGS
    assert read_settings(io.BytesIO(path.read_bytes())) == SETTINGS
    save_image(OPAQUE, path, settings={}, bits=bits)
    assert read_settings(path) == {}
    save_image(OPAQUE, path, bits=bits)
    assert read_settings(path) is None


@pytest.mark.parametrize("bits", [8, 16])
def test_where_the_settings_lie(bits: int) -> None:
    """Other programs find them at the documented places."""
    data = {}
    for kind in ("png", "tiff") if bits == 16 else ("png", "tiff", "jpeg", "webp"):
        data[kind] = io.BytesIO()
        save_image(OPAQUE, data[kind], settings=SETTINGS, format=kind, bits=bits)
    golden = {"impasto": SETTINGS}
    texts: Any = Image.open(data["png"])
    assert json.loads(texts.text["impasto"]) == golden
    data["tiff"].seek(0)
    assert json.loads(tifffile.TiffFile(data["tiff"]).pages.first.description) == golden
    for kind in set(data) & {"jpeg", "webp"}:
        comment = Image.open(data[kind]).getexif().get_ifd(ExifTags.IFD.Exif)[0x9286]
        assert comment[:8] == b"ASCII\0\0\0" and json.loads(comment[8:]) == golden


def test_settings_that_json_lacks_become_strings() -> None:
    stream = io.BytesIO()
    save_image(OPAQUE, stream, settings={"out": Path("a/b")}, format="png")
    assert read_settings(stream.getvalue()) == {"out": str(Path("a/b"))}


@pytest.mark.parametrize(
    "comment", [b"", b"ASCII\0\0\0hello", b"\xff\xfe", b'{"impasto": 3}', b"[1]"]
)
def test_foreign_comments_are_no_settings(comment: bytes) -> None:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif)[0x9286] = comment
    stream = io.BytesIO()
    Image.new("RGB", (2, 2)).save(stream, "JPEG", exif=exif)
    assert read_settings(stream.getvalue()) is None


def test_settings_of_what_is_no_picture() -> None:
    with pytest.raises(InputError):
        read_settings(b"hello")


@pytest.mark.parametrize(("kind", "kept"), [("jpeg", False), ("png", True), ("tiff", True)])
def test_settings_too_long_for_exif_do_not_lose_the_picture(
    kind: str, kept: bool, caplog: pytest.LogCaptureFixture
) -> None:
    stream = io.BytesIO()
    save_image(OPAQUE, stream, settings={"x": "y" * 70_000}, format=kind)
    assert load_image(stream.getvalue()).size == (6, 9)
    assert (read_settings(stream.getvalue()) is not None) == kept == ("too long" not in caplog.text)


@pytest.mark.parametrize(("extension", "bits"), EVERYWHERE)
def test_files_carry_srgb_and_are_the_same_every_time(extension: str, bits: int) -> None:
    first, second = io.BytesIO(), io.BytesIO()
    for stream in (first, second):
        save_image(CLEAR, stream, format=extension, bits=bits, settings=SETTINGS)
    assert first.getvalue() == second.getvalue()
    profile = ImageCms.ImageCmsProfile(io.BytesIO(Image.open(first).info["icc_profile"]))
    assert "sRGB" in ImageCms.getProfileDescription(profile)
    assert load_image(first.getvalue()).notices == ()


# Targets


def test_a_new_file_has_the_mode_of_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        save_image(OPAQUE, tmp_path / "out.png")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out.png").stat().st_mode) == 0o640
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "out.png"
    link.symlink_to(tmp_path / "real" / "file.png")
    save_image(OPAQUE, link)
    assert link.is_symlink() and load_image(tmp_path / "real" / "file.png").size == (6, 9)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"old")

    def fill(self: Path, data: bytes) -> None:
        with self.open("wb") as stream:
            stream.write(data[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(ImpastoError, match="No space left") as caught:
        save_image(OPAQUE, path)
    assert caught.value.exit_code == 1
    assert path.read_bytes() == b"old" and len(list(tmp_path.iterdir())) == 1


def test_streams_stay_open_and_need_a_format() -> None:
    stream = io.BytesIO(b"")
    save_image(OPAQUE, stream, format=".PNG")
    assert not stream.closed
    with pytest.raises(InputError, match="needs a format"):
        save_image(OPAQUE, io.BytesIO())


def test_the_format_beats_the_extension(tmp_path: Path) -> None:
    save_image(OPAQUE, tmp_path / "out", format="webp")
    with Image.open(tmp_path / "out") as image:
        assert image.format == "WEBP"


@pytest.mark.parametrize(
    ("name", "bits", "problem"),
    [
        ("out", 8, r"extension.*\.png"),
        ("out.gif", 8, r"extension.*\.jpg.*\.webp"),
        ("missing/out.png", 8, "does not exist"),
        ("folder.png", 8, "is a folder"),
        ("pipe.png", 8, "regular file"),
        ("file/out.png", 8, "does not exist|Not a directory"),
        ("x" * 300 + ".png", 8, "too long"),
        ("a\0b.png", 8, "null"),
        ("out.jpg", 16, r"JPEG cannot hold 16 bits.*\.png"),
        ("out.webp", 16, "WebP cannot hold 16 bits"),
        ("out.png", 12, "8 or 16"),
    ],
)
def test_targets_that_cannot_work(name: str, bits: int, problem: str, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe.png")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=problem) as caught:
        check_writable(tmp_path / name, bits)
    assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match=problem):
        save_image(OPAQUE, str(tmp_path / name), bits=bits)
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_args: False)  # root may write anywhere
    with pytest.raises(InputError, match="no permission"):
        check_writable(tmp_path / "out.png")


def test_check_writable_writes_nothing(tmp_path: Path) -> None:
    check_writable(tmp_path / "out.png", bits=16, size=(100_000, 100_000))
    check_writable(tmp_path / "out", format="jpeg")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("kind", "longest"), [("jpeg", 65500), ("webp", 16383)])
def test_the_longest_side(kind: str, longest: int, tmp_path: Path) -> None:
    fine = Picture(np.zeros((1, longest, 3), np.float32))
    save_image(fine, io.BytesIO(), format=kind)
    for shape in ((1, longest + 1), (longest + 1, 1)):
        with pytest.raises(InputError, match=f"longest side is {longest}"):
            check_writable(tmp_path / "x", size=shape, format=kind)
        with pytest.raises(InputError, match=f"longest side is {longest}"):
            save_image(Picture(np.zeros((*shape, 3), np.float32)), io.BytesIO(), format=kind)


@pytest.mark.parametrize("quality", [0, 101, -1])
def test_quality_out_of_range(quality: int) -> None:
    with pytest.raises(InputError, match="quality"):
        save_image(OPAQUE, io.BytesIO(), format="jpeg", quality=quality)


# What the photo's file told


def photo_with_exif(kind: str) -> bytes:
    exif = Image.Exif()
    tags = ExifTags.Base
    exif[tags.Make], exif[tags.Model], exif[tags.DateTime] = "Maker", "Model", "2020:01:02 03:04:05"
    exif[tags.Orientation] = 6
    exif.get_ifd(ExifTags.IFD.Exif).update(
        {
            tags.DateTimeOriginal: "2019:01:02 03:04:05",
            tags.FNumber: 2.8,
            tags.BodySerialNumber: "7",
        }
    )
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    stream = io.BytesIO()
    Image.new("RGB", (8, 4), "red").save(stream, kind, exif=exif, dpi=(300, 150))
    return stream.getvalue()


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "tiff"])
def test_date_camera_and_resolution_are_kept(format: str, bits: int) -> None:
    if bits == 16 and format not in ("png", "tiff"):
        return
    picture, stream = load_image(photo_with_exif("JPEG")), io.BytesIO()
    settings = {"a": 1}
    save_image(picture.resized(4, 2), stream, format=format, bits=bits, settings=settings)
    with Image.open(stream) as image:
        exif = image.getexif()
        assert (exif[ExifTags.Base.Make], exif[ExifTags.Base.Model]) == ("Maker", "Model")
        assert exif[ExifTags.Base.DateTime] == "2020:01:02 03:04:05"
        assert exif.get(ExifTags.Base.Orientation, 1) == 1 and image.size == (2, 4)
        taken = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
        assert taken[ExifTags.Base.DateTimeOriginal] == "2019:01:02 03:04:05"
        if format != "webp":
            assert image.info["dpi"] == pytest.approx((300, 150), abs=0.02)
        assert not exif.get_ifd(ExifTags.IFD.GPSInfo)
        assert ExifTags.Base.BodySerialNumber not in taken
    again = load_image(stream.getvalue()).origin
    assert again is not None and picture.origin is not None
    assert again.base == picture.origin.base and again.dpi == pytest.approx(
        picture.origin.dpi, abs=0.02
    )
    assert read_settings(stream.getvalue()) == settings


@pytest.mark.parametrize("format", ["jpeg", "png", "webp", "tiff"])
def test_they_are_left_out_on_demand(format: str) -> None:
    stream = io.BytesIO()
    save_image(load_image(photo_with_exif("PNG")), stream, format=format, exif=False)
    assert load_image(stream.getvalue()).origin is None


def test_odd_metadata_is_left_out() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "x" * 60_000
    exif[ExifTags.Base.Model] = "häß\u7167"
    exif[ExifTags.Base.XResolution] = exif[ExifTags.Base.YResolution] = 0
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FNumber] = float("nan")
    source = io.BytesIO()
    Image.new("RGB", (8, 4)).save(source, "PNG", exif=exif)
    for format in ("jpeg", "png", "webp", "tiff"):
        stream = io.BytesIO()
        save_image(load_image(source.getvalue()), stream, format=format)
        assert load_image(stream.getvalue()).size == (4, 8)


def test_a_result_has_the_origin_of_its_photo() -> None:
    photo = load_image(photo_with_exif("JPEG"))
    painted = Picture(photo.rgb)
    for mask in (None, np.ones(photo.size, np.float32)):
        assert composite(painted, photo, mask).origin == photo.origin
