from __future__ import annotations

import io
import os
import struct
import threading
import warnings
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps

from impasto.errors import InputError
from impasto.image import Picture, load_image
from tests.image import profiles

RNG = np.random.default_rng(0)
BYTES = RNG.integers(0, 256, (6, 9, 4), dtype=np.uint8)
RGB, ALPHA = BYTES[..., :3], BYTES[..., 3]
LOSSLESS = ["PNG", "TIFF", "WEBP", "BMP"]


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    if format == "WEBP":
        options |= {"lossless": True, "exact": True}
    image.save(stream, format, **options)
    return stream.getvalue()


def alpha_of(picture: Picture) -> NDArray[Any]:
    assert picture.alpha is not None
    return picture.alpha


def same(values: NDArray[Any], golden: NDArray[Any], steps: float = 0) -> bool:
    """Whether floats equal 8-bit values to within some steps."""
    exact = golden.astype(np.float64) / 255
    return values.shape == exact.shape and bool(np.abs(values - exact).max() <= steps / 255 + 1e-6)


# What a picture is read from


@pytest.mark.parametrize("format", LOSSLESS)
def test_lossless_files_are_exact(format: str) -> None:
    picture = load_image(encoded(Image.fromarray(RGB), format))
    assert same(picture.rgb, RGB)
    assert picture.rgb.dtype == np.float32
    assert (picture.alpha, picture.bits, picture.notices) == (None, 8, ())


def test_jpeg_is_close() -> None:
    smooth = np.indices((32, 32)).sum(axis=0)[..., None].repeat(3, axis=2).astype(np.uint8) * 4
    picture = load_image(encoded(Image.fromarray(smooth), "JPEG", quality=95))
    assert same(picture.rgb, smooth, steps=3)


def test_every_kind_of_file_source(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(RGB), "PNG")
    path = tmp_path / "häß lich.png"
    path.write_bytes(data)
    with path.open("rb") as stream:
        sources: list[Any] = [str(path), path, data, io.BytesIO(data), stream, Image.open(path)]
        pictures = [load_image(source) for source in sources]
        assert not stream.closed
    assert all(same(picture.rgb, RGB) for picture in pictures)
    assert pictures[0].name == pictures[4].name == str(path)
    assert load_image(pictures[0]) is pictures[0]


def test_a_stream_that_cannot_seek(tmp_path: Path) -> None:
    data = encoded(Image.fromarray(RGB), "TIFF")
    fifo = tmp_path / "pipe"
    os.mkfifo(fifo)
    writer = threading.Thread(target=fifo.write_bytes, args=(data,))
    writer.start()
    assert same(load_image(fifo).rgb, RGB)
    writer.join()


def test_arrays() -> None:
    deep = BYTES.astype(np.uint16) * 257
    floats = BYTES.astype(np.float64) / 255
    for array, bits in ((BYTES, 8), (deep, 16), (floats, 8), (floats.astype(np.float32), 8)):
        picture = load_image(np.ascontiguousarray(array))
        shown = ALPHA > 0
        assert same(picture.rgb[shown], RGB[shown]) and same(alpha_of(picture), ALPHA)
        assert picture.bits == bits
    for grey in (RGB[..., 0], RGB[..., :1]):
        assert same(load_image(grey).rgb, RGB[..., :1].repeat(3, axis=2))


def test_arrays_are_neither_changed_nor_shared() -> None:
    array = np.zeros((2, 2, 4), np.float32)
    array[0, 0] = 1
    before = array.copy()
    picture = load_image(array)
    assert np.array_equal(array, before)
    array[:] = 0
    assert picture.rgb[0, 0].tolist() == [1, 1, 1]


def test_tensors() -> None:
    tensor = torch.from_numpy(BYTES.copy()).permute(2, 0, 1)
    for source in (tensor[:3], tensor[None, :3], tensor[:3].double() / 255):
        assert same(load_image(source).rgb, RGB)
    assert same(alpha_of(load_image(tensor)), ALPHA)


@pytest.mark.parametrize(
    "source",
    [
        np.zeros((4, 4, 2)),
        np.zeros((0, 4, 3)),
        np.zeros(4),
        np.zeros((1, 3, 4, 4)),
        np.zeros((4, 4, 3), np.int64),
        np.zeros((4, 4, 3), bool),
        np.zeros((4, 4, 3), complex),
        np.full((4, 4, 3), np.nan),
        np.full((4, 4, 3), 1.01),
        np.full((4, 4, 3), -0.01),
        torch.zeros(2, 3, 4, 4),
        torch.zeros(4, 4),
        torch.full((3, 4, 4), 2.0),
        torch.zeros(3, 4, 4, dtype=torch.int64),
        None,
        7,
        io.StringIO("text"),
    ],
)
def test_other_sources_are_refused(source: Any) -> None:
    with pytest.raises(InputError):
        load_image(source)


# Modes


def converted(mode: str) -> Image.Image:
    return Image.fromarray(RGB).convert(mode)


def test_grey_modes() -> None:
    grey = np.asarray(converted("L"))
    for image in (converted("L"), Image.merge("LA", (converted("L"), Image.new("L", (9, 6), 255)))):
        picture = load_image(encoded(image, "PNG"))
        assert same(picture.rgb, grey[..., None].repeat(3, axis=2)) and picture.alpha is None
    bilevel = converted("1")
    picture = load_image(encoded(bilevel, "PNG"))
    assert same(picture.rgb[..., 1], np.asarray(bilevel) * 255)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize("format", ["PNG", "TIFF", None])
def test_alpha_is_kept(mode: str, format: str | None) -> None:
    alpha = np.maximum(ALPHA, 1)  # nothing hidden
    image = converted(mode[:-1])
    image.putalpha(Image.fromarray(alpha))
    picture = load_image(encoded(image, format) if format else image)
    assert same(picture.rgb, np.asarray(converted(mode[:-1]).convert("RGB")))
    assert same(alpha_of(picture), alpha)


def test_premultiplied_alpha() -> None:
    image = Image.new("RGBA", (1, 1), (200, 100, 50, 128))
    for mode in ("RGBa", "La"):
        source = image.convert("LA").convert("La") if mode == "La" else image.convert(mode)
        picture = load_image(source)
        assert same(alpha_of(picture), np.array([[128]]))
        golden = [200, 100, 50] if mode == "RGBa" else [124] * 3  # ITU-R 601 luma
        assert same(picture.rgb, np.array([[golden]]), steps=2)


def test_palettes() -> None:
    image = Image.new("P", (3, 1))
    image.putpalette([255, 0, 0, 0, 255, 0, 0, 0, 255])
    image.putdata([0, 1, 2])
    golden = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255]]])
    for format in ("PNG", "GIF", "TIFF", "BMP"):
        assert same(load_image(encoded(image, format)).rgb, golden)
    one_clear = load_image(encoded(image, "PNG", transparency=1))
    assert same(alpha_of(one_clear), np.array([[255, 0, 255]]))
    partly = load_image(encoded(image, "PNG", transparency=bytes([255, 51, 102])))
    assert same(alpha_of(partly), np.array([[255, 51, 102]])) and same(partly.rgb, golden)
    assert same(
        alpha_of(load_image(encoded(image, "GIF", transparency=2))), np.array([[255, 255, 0]])
    )


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_colour_that_stands_for_transparent(mode: str) -> None:
    image = Image.new(mode, (2, 1), "white")
    image.putpixel((0, 0), (0, 0, 0) if mode == "RGB" else 0)
    data = encoded(image, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0)
    assert same(alpha_of(load_image(data)), np.array([[0, 255]]))


def test_cmyk_without_a_profile() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    for format in ("TIFF", "JPEG"):
        assert same(
            load_image(encoded(image, format)).rgb, np.full((8, 8, 3), (255, 0, 0)), steps=2
        )


@pytest.mark.parametrize("mode", ["YCbCr", "HSV", "RGBX"])
def test_other_colour_modes_of_pillow(mode: str) -> None:
    assert same(load_image(converted(mode)).rgb, RGB, steps=6)


@pytest.mark.parametrize("lightness", [255, 128, 64])
def test_lab(lightness: int) -> None:
    image = Image.new("LAB", (2, 2), (lightness, 128, 128))
    golden = profiles.lightness_to_srgb(lightness / 2.55) * 255
    for source in (image, encoded(image, "TIFF")):
        assert same(load_image(source).rgb, np.full((2, 2, 3), golden), steps=1.5)


def test_lab_colours_survive() -> None:
    muted = Image.fromarray(RGB // 2 + 64)
    lab = ImageCms.profileToProfile(
        muted, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert lab is not None
    assert same(load_image(encoded(lab, "TIFF")).rgb, np.asarray(muted), steps=5)


def test_wide_pillow_modes() -> None:
    values = np.array([[0, 1000, 65535]])
    for mode in ("I;16", "I;16B", "I"):
        image = Image.new(mode, (3, 1))
        for x in range(3):
            image.putpixel((x, 0), int(values[0, x]))
        picture = load_image(image)
        assert np.allclose(picture.rgb[..., 2], values / 65535, atol=1e-7)
        assert picture.bits == 16
    floats = Image.fromarray(np.array([[0, 0.25, 1]], np.float32))
    assert load_image(floats).rgb[0, 1].tolist() == [0.25] * 3


@pytest.mark.parametrize("value", [-1, 65536])
def test_integers_out_of_range_are_refused(value: int) -> None:
    with pytest.raises(InputError, match="convert it"):
        load_image(Image.new("I", (1, 1), value))


@pytest.mark.parametrize("value", [-0.1, 255.0, np.nan])
def test_floats_out_of_range_are_refused(value: float) -> None:
    with pytest.raises(InputError, match="convert it"):
        load_image(Image.new("F", (1, 1), value))


def test_one_pixel() -> None:
    for format in (*LOSSLESS, "GIF", "JPEG"):
        picture = load_image(encoded(Image.new("RGB", (1, 1), "white"), format))
        assert same(picture.rgb, np.full((1, 1, 3), 255))


# Hidden colours


def test_hidden_colours_do_not_matter() -> None:
    first, second = BYTES.copy(), BYTES.copy()
    first[:, 4:, 3] = second[:, 4:, 3] = 0
    first[:, :4, 3] = second[:, :4, 3] = 255
    second[:, 4:, :3] = 255 - second[:, 4:, :3]
    a, b = (load_image(encoded(Image.fromarray(x, "RGBA"), "PNG")) for x in (first, second))
    assert np.array_equal(a.rgb, b.rgb)
    assert same(a.rgb[:, :4], RGB[:, :4])


def test_hidden_colours_continue_the_visible_ones() -> None:
    array = np.zeros((32, 32, 4), np.uint8)
    array[..., 1] = 255  # a garish green that nobody sees
    array[8:24, 8:16] = (200, 0, 0, 255)
    array[8:24, 16:24] = (0, 0, 200, 255)
    picture = load_image(array)
    assert picture.rgb[..., 1].max() == 0
    assert picture.rgb[16, 0, 0] > picture.rgb[16, 0, 2]  # nearer to red
    assert picture.rgb[16, 31, 2] > picture.rgb[16, 31, 0]  # nearer to blue


def test_wholly_transparent_pictures_are_grey() -> None:
    array = BYTES.copy()
    array[..., 3] = 0
    assert (load_image(array).rgb == 0.5).all()


# Orientation


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation(format: str, orientation: int) -> None:
    image = Image.fromarray(BYTES, "RGBA")
    image.putalpha(Image.fromarray(np.maximum(ALPHA, 1)))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    data = encoded(image, format, exif=exif)
    image.getexif()[ExifTags.Base.Orientation] = orientation
    golden = np.asarray(ImageOps.exif_transpose(image))
    for source in (data, Image.open(io.BytesIO(data))):
        picture = load_image(source)
        assert same(picture.rgb, golden[..., :3]) and same(alpha_of(picture), golden[..., 3])


def test_a_jpeg_on_its_side_and_shrunk() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    wide = np.zeros((400, 601, 3), np.uint8)
    wide[:, :300] = 255  # left as stored is the top once turned clockwise
    data = encoded(Image.fromarray(wide), "JPEG", exif=exif)
    assert load_image(data).size == (601, 400)
    small = load_image(data, long_side=60)
    assert small.size == (60, 40)
    assert small.rgb[:25].min() > 0.9 and small.rgb[35:].max() < 0.1


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0garbage", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0"]
)
def test_broken_exif_is_no_reason_to_refuse(exif: bytes) -> None:
    assert same(
        load_image(encoded(Image.new("RGB", (8, 8)), "JPEG", exif=exif)).rgb, np.zeros((8, 8, 3))
    )


# Profiles


def through(profile: bytes, image: Image.Image, format: str = "TIFF") -> Picture:
    return load_image(encoded(image, format, icc_profile=profile))


@pytest.mark.parametrize("format", ["PNG", "TIFF", "WEBP"])
def test_rgb_profile(format: str) -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    picture = through(profiles.rgb_profile(1.0), Image.fromarray(values), format)
    golden = np.vectorize(profiles.encode)(values / 255) * 255
    assert same(picture.rgb, golden, steps=1.5)
    assert picture.notices == ()


def test_grey_profile() -> None:
    values = np.arange(256, dtype=np.uint8).reshape(16, 16)
    golden = np.vectorize(profiles.encode)((values / 255) ** 1.8)[..., None].repeat(3, 2) * 255
    assert same(through(profiles.grey_profile(1.8), Image.fromarray(values)).rgb, golden, steps=1.5)
    with_alpha = Image.merge("LA", (Image.fromarray(values), Image.new("L", (16, 16), 51)))
    picture = through(profiles.grey_profile(1.8), with_alpha, "PNG")
    assert same(picture.rgb, golden, steps=1.5) and same(alpha_of(picture), np.full((16, 16), 51))


def test_a_grey_picture_with_an_rgb_profile() -> None:
    picture = through(profiles.rgb_profile(1.0), Image.new("L", (2, 2), 55))
    assert same(picture.rgb, np.full((2, 2, 3), profiles.encode(55 / 255) * 255), steps=1.5)


def test_a_palette_with_a_profile() -> None:
    image = Image.new("P", (2, 2))
    image.putpalette([55, 55, 55])
    picture = through(profiles.rgb_profile(1.0), image, "PNG")
    assert same(picture.rgb, np.full((2, 2, 3), profiles.encode(55 / 255) * 255), steps=1.5)


@pytest.mark.parametrize(("black", "cyan"), [(0, 0), (0, 255), (128, 0), (255, 90)])
@pytest.mark.parametrize("format", ["TIFF", "JPEG"])
def test_cmyk_profile(black: int, cyan: int, format: str) -> None:
    picture = through(
        profiles.cmyk_profile(), Image.new("CMYK", (8, 8), (cyan, 0, 0, black)), format
    )
    lightness = 100 * (1 - black / 255)
    golden = profiles.lightness_to_srgb(lightness) * 255 if lightness > 8 else 0
    assert same(picture.rgb, np.full((8, 8, 3), golden), steps=3)


def test_srgb_profiles_leave_pixels_exact() -> None:
    own = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert same(through(own, Image.fromarray(RGB)).rgb, RGB)


@pytest.mark.parametrize(
    "profile", [b"garbage", profiles.rgb_profile(1.0)[:200], profiles.cmyk_profile()]
)
@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_broken_and_foreign_profiles_are_noticed(profile: bytes, mode: str) -> None:
    image = converted(mode)
    picture = through(profile, image)
    assert same(picture.rgb, np.asarray(image.convert("RGB")))
    assert "colour profile" in picture.notices[0]


def test_a_lab_picture_with_a_broken_profile() -> None:
    picture = through(b"garbage", Image.new("LAB", (2, 2), (255, 128, 128)))
    assert same(picture.rgb, np.full((2, 2, 3), 255), steps=1.5) and len(picture.notices) == 1


# Animations and pages


@pytest.mark.parametrize("format", ["GIF", "PNG", "WEBP"])
def test_animations_give_their_first_frame(format: str) -> None:
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime", "blue")]
    picture = load_image(encoded(frames[0], format, save_all=True, append_images=frames[1:]))
    assert same(picture.rgb, np.full((4, 4, 3), (255, 0, 0)))
    assert picture.notices == ("animated: took the first of 3 frames",)


def test_pages_give_the_first() -> None:
    pages = [Image.new("RGB", (4, 4), colour) for colour in ("red", "lime")]
    picture = load_image(encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:]))
    assert same(picture.rgb, np.full((4, 4, 3), (255, 0, 0)))
    assert picture.notices == ("took the first of 2 pages",)


def test_the_second_picture_of_a_phone_is_no_animation() -> None:
    photos = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black")]
    assert (
        load_image(encoded(photos[0], "MPO", save_all=True, append_images=photos[1:])).notices == ()
    )


# Sizes


def png_header(width: int, height: int) -> bytes:
    body = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", body), (b"IDAT", zlib.compress(b"")), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


@pytest.mark.parametrize(("width", "height"), [(10_001, 10_000), (60_000, 60_000), (2**31 - 1, 1)])
def test_huge_pictures_are_refused_by_their_header(width: int, height: int) -> None:
    limit = Image.MAX_IMAGE_PIXELS
    with pytest.raises(InputError, match=rf"{width} x {height} pixels .* 100,000,000"):
        load_image(png_header(width, height))
    assert limit == Image.MAX_IMAGE_PIXELS


def test_the_limit_is_adjustable_and_counts_for_every_source() -> None:
    data = encoded(Image.fromarray(RGB), "PNG")
    assert load_image(data, max_pixels=54).size == (6, 9)
    sources: list[Any] = [data, Image.fromarray(RGB), RGB, torch.zeros(3, 6, 9)]
    for source in sources:
        with pytest.raises(InputError, match="max_pixels"):
            load_image(source, max_pixels=53)


def test_pillows_own_limit_never_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)  # 54 pixels would be an error
    for format in ("PNG", "TIFF", "GIF", "BMP"):
        assert load_image(encoded(Image.fromarray(RGB), format)).size == (6, 9)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "TIFF"])
@pytest.mark.parametrize("long_side", [1, 7, 33, 100, 399])
def test_long_side_is_exact(format: str, long_side: int) -> None:
    data = encoded(Image.new("RGB", (399, 201), "white"), format)
    height = max(1, round(201 * long_side / 399)) if long_side < 399 else 201
    picture = load_image(data, long_side=long_side)
    assert picture.size == (height, long_side)
    assert picture.rgb.min() > 0.99
    assert load_image(data, long_side=1000).size == (201, 399)


def test_long_side_of_arrays_and_pictures() -> None:
    assert load_image(RGB, long_side=3).size == (2, 3)
    assert load_image(load_image(RGB), long_side=3).size == (2, 3)


def test_a_jpeg_decoded_small_looks_like_one_decoded_whole() -> None:
    y, x = np.mgrid[:600, :800]
    waves = 128 + 100 * np.sin(x / 40)[..., None] * np.cos(y / 30)[..., None] * np.ones(3)
    data = encoded(Image.fromarray(waves.astype(np.uint8)), "JPEG", quality=95)
    early, late = load_image(data, long_side=90), load_image(data).resized(68, 90)
    assert early.size == late.size
    assert np.abs(early.rgb - late.rgb).max() < 0.02


# Failures


def write(data: bytes) -> Callable[[Path], Any]:
    def make(folder: Path) -> Path:
        (folder / "bad.png").write_bytes(data)
        return folder / "bad.png"

    return make


WHOLE = encoded(Image.fromarray(RNG.integers(0, 256, (64, 64, 3), dtype=np.uint8)), "PNG")


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda folder: folder / "none.png", "no such file"),
        (lambda folder: folder, "folder"),
        (lambda folder: str(folder / "a\0b.png"), "null"),
        (lambda folder: folder / ("x" * 300), "too long"),
        (write(b""), "empty"),
        (write(b"hello"), "not a picture"),
        (write(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\n"), "PostScript"),
        (write(WHOLE[:5000]), "damaged"),
        (write(WHOLE[:30]), "not a picture"),
        (write(png_header(0, 5)), "cannot read"),
        (write(b"II*\0\x08\0\0\0"), "damaged"),
    ],
)
def test_unreadable_files_are_named_in_one_line(
    make: Callable[[Path], Any], problem: str, tmp_path: Path
) -> None:
    source = make(tmp_path)
    with pytest.raises(InputError, match=problem) as caught:
        load_image(source)
    assert repr(str(source))[1:-1] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")  # root would be let in

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(InputError, match="permission"):
        load_image(tmp_path / "secret.png")


def test_a_closed_stream() -> None:
    stream = io.BytesIO(WHOLE)
    stream.close()
    with pytest.raises(InputError, match="closed"):
        load_image(stream)


def test_warning_filters_are_left_alone() -> None:
    before = list(warnings.filters)
    load_image(WHOLE)
    with pytest.raises(InputError):
        load_image(b"junk")
    assert warnings.filters == before
