"""What stands beside the pixels must not cost the picture; the picture that is meant is read."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from typing import Any

import numpy as np
import pillow_heif
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import InputError
from impasto.image import Picture, load_image, read_settings, save_image
from tests.image.pngs import chunk, png, profile

Y, X = np.mgrid[:48, :64]
PHOTO = np.stack([X * 4, Y * 5, (X + Y) * 2], axis=2).astype(np.uint8)


def encoded(image: Image.Image | NDArray[Any], kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image = image if isinstance(image, Image.Image) else Image.fromarray(image)
    image.save(stream, kind, **options)
    return stream.getvalue()


def tiff(*pages: tuple[NDArray[Any], dict[str, Any]]) -> bytes:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream) as file:
        for array, options in pages:
            file.write(array, photometric="rgb", **options)
    return stream.getvalue()


def same(picture: Picture, golden: NDArray[Any] = PHOTO, steps: float = 0.01) -> bool:
    return bool(np.abs(picture.rgb * 255 - golden).max() < steps)


# Beside the pixels


TEXT = zlib.compress(b"a" * 2_000_000)


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"zTXt", b"workflow\0\0" + TEXT),
        chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + TEXT),
        chunk(b"tEXt", b"workflow\0" + b"a" * 2_000_000),
        chunk(b"zTXt", b"no end"),
        chunk(b"iTXt", b""),
        b"".join(chunk(b"zTXt", b"a\0\0" + zlib.compress(b"a" * 999_999)) for _ in range(70)),
        chunk(b"acTL", bytes(8)) + chunk(b"fcTL", b"short"),
    ],
)
def test_texts_and_animations_in_a_png(extra: bytes) -> None:
    for data in (png(PHOTO, extra), png(PHOTO, after=extra)):
        picture = load_image(data)
        assert same(picture) and picture.notices == ()


@pytest.mark.parametrize("name", ["pHYs", "gAMA", "tIME", "zTXt", "iCCP", "eXIf", "tRNS", "cICP"])
def test_a_wrong_checksum_beside_the_pixels(name: str) -> None:
    picture = load_image(png(PHOTO, chunk(name.encode(), b"123456789", checksum=1)))
    assert same(picture) and name in picture.notices[0]


@pytest.mark.parametrize("name", ["pHYs", "gAMA", "cHRM", "sRGB", "cICP", "tRNS", "acTL", "iCCP"])
def test_chunks_that_are_too_short(name: str) -> None:
    assert same(load_image(png(PHOTO, chunk(name.encode(), b""))))


def test_a_wrong_checksum_of_the_header_is_refused() -> None:
    data = bytearray(png(PHOTO))
    data[29] ^= 1
    with pytest.raises(InputError):
        load_image(bytes(data))


def test_a_long_profile_is_used() -> None:
    from tests.image import profiles

    data = profiles.rgb_profile(1.0)
    data = struct.pack(">I", len(data) + 2_000_000) + data[4:] + bytes(2_000_000)
    picture = load_image(png(PHOTO, profile(data)))
    golden = np.vectorize(profiles.encode)(PHOTO / 255) * 255
    assert same(picture, golden, 1.5) and picture.notices == ()


def test_settings_are_found_beside_what_is_broken() -> None:
    stream = io.BytesIO()
    save_image(load_image(PHOTO), stream, format="png", settings={"a": 1})
    data = stream.getvalue()
    at = data.index(b"IDAT") - 4
    broken = data[:at] + chunk(b"tIME", b"x", checksum=0) + data[at:]
    assert read_settings(broken) == {"a": 1}


@pytest.mark.parametrize("quality", [40, 75, 95, 100])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("lost", [1, 2])
def test_a_jpeg_without_its_end(quality: int, progressive: bool, lost: int) -> None:
    whole = encoded(PHOTO, "JPEG", quality=quality, progressive=progressive)
    golden = load_image(whole)
    for data, notices in ((whole[:-lost], {0, 1}), (whole[:-2] + b"\xff" * 9, {0, 1})):
        picture = load_image(data)
        assert np.array_equal(picture.rgb, golden.rgb) and len(picture.notices) in notices


def test_a_jpeg_without_its_last_pixels_is_refused() -> None:
    data = encoded(PHOTO, "JPEG", quality=95)
    with pytest.raises(InputError, match="truncated"):
        load_image(data[: len(data) * 3 // 4])


def test_formats_whose_decoders_take_no_arguments() -> None:
    assert same(load_image(encoded(PHOTO, "QOI")))
    assert load_image(encoded(Image.fromarray(PHOTO).convert("1"), "XBM")).size == (48, 64)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TGA", "DDS", "GIF", "ICNS", "ICO", "PCX", "PPM"])
def test_what_pillow_writes_is_read(kind: str) -> None:
    options: dict[str, Any] = {"sizes": [(64, 48)]} if kind == "ICO" else {}
    assert load_image(encoded(Image.fromarray(PHOTO), kind, **options)).rgb.std() > 0.1


def test_a_broken_page_behind_the_first() -> None:
    data = bytearray(tiff((PHOTO, {}), (PHOTO[::-1].copy(), {})))
    with tifffile.TiffFile(io.BytesIO(bytes(data))) as file:
        second = file.pages[1].offset
    data[second + 2 : second + 40] = b"\xff" * 38
    assert same(load_image(bytes(data)))


# Alpha that is none


@pytest.mark.parametrize("kind", ["TGA", "DDS"])
def test_padding_is_no_transparency(kind: str) -> None:
    padded = np.dstack([PHOTO, np.zeros((48, 64), np.uint8)])
    picture = load_image(encoded(padded, kind))
    assert picture.alpha is None and same(picture) and "transparent" in picture.notices[0]


# The picture that is meant


THUMBNAIL = PHOTO[::4, ::4].copy()


@pytest.mark.parametrize("bigtiff", [False, True])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_the_photo_in_a_sub_ifd(bigtiff: bool, byteorder: Any) -> None:
    stream = io.BytesIO()
    with tifffile.TiffWriter(stream, bigtiff=bigtiff, byteorder=byteorder) as file:
        tag = (274, 3, 1, 6, True)  # orientation, which stands here for both
        options: dict[str, Any] = {"photometric": "rgb"}
        file.write(THUMBNAIL, subifds=1, subfiletype=1, extratags=[tag], **options)
        file.write(PHOTO.astype(np.uint16) * 257, subfiletype=0, **options)
    picture = load_image(stream.getvalue())
    assert same(picture, np.rot90(PHOTO, -1)) and picture.bits == 16


def test_pages_that_are_marked_as_reduced() -> None:
    small: Any = (THUMBNAIL, {"subfiletype": 1})
    other: Any = (PHOTO[::-1].copy(), {})
    assert load_image(tiff((PHOTO, {}), small, small)).notices == ()
    assert same(load_image(tiff(small, (PHOTO, {}))))
    picture = load_image(tiff(small, (PHOTO, {}), other, small))
    assert same(picture) and picture.notices == ("took the first of 2 pages",)


def test_a_thumbnail_that_is_not_marked() -> None:
    picture = load_image(tiff((THUMBNAIL, {}), (PHOTO, {})))
    assert same(picture) and "64 x 48" in picture.notices[0]
    assert load_image(tiff((THUMBNAIL, {}), (PHOTO[:30], {}))).size == (12, 16)


def raw() -> bytes:
    """A DNG of a grey wall with a brighter right half, as a sensor with a Bayer filter sees it."""
    light = np.where(np.arange(64) < 32, 8000, 40000).astype(np.uint16)
    bayer = np.broadcast_to(light, (48, 64)).copy()
    unit = [1, 0, 0, 0, 1, 0, 0, 0, 1]
    rational = [number for value in unit for number in (value, 1)]
    tags = [
        (33421, 3, 2, (2, 2), True),  # size of the pattern of the filter
        (33422, 1, 4, bytes([0, 1, 1, 2]), True),
        (50706, 1, 4, bytes([1, 4, 0, 0]), True),  # DNG version
        (50721, 10, 9, rational, True),  # colour matrix
        (50728, 5, 3, [1, 1, 1, 1, 1, 1], True),  # white balance
        (50717, 4, 1, 65535, True),  # white level
        (271, 2, 0, "Maker", True),
        (272, 2, 0, "Model", True),
        (50708, 2, 0, "Maker Model", True),
    ]
    stream = io.BytesIO()
    tifffile.imwrite(stream, bayer, photometric=32803, extratags=tags, metadata=None)
    return stream.getvalue()


def test_raw_photos() -> None:
    picture = load_image(raw())
    assert picture.size == (48, 64) and picture.bits == 16
    assert picture.rgb[:, 40:].mean() > picture.rgb[:, :24].mean() + 0.2


def test_heic() -> None:
    stream = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(PHOTO)).save(stream, quality=-1, chroma=444)
    assert same(load_image(stream.getvalue()), steps=6)
    others = [Image.new("RGB", (64, 48), "red")] * 2
    sequence = encoded(PHOTO, "HEIF", save_all=True, append_images=others, quality=95)
    assert load_image(sequence).notices == ("took the first of 3 pictures",)


def test_avif_sequences() -> None:
    others = [Image.new("RGB", (64, 48), "red")] * 2
    picture = load_image(encoded(PHOTO, "AVIF", save_all=True, append_images=others, quality=95))
    assert same(picture, steps=30)
    assert picture.notices == ("animated: took the first of 3 frames",)


@pytest.mark.parametrize(("package", "extra"), [("pillow_heif", "heif"), ("rawpy", "raw")])
def test_extras_that_are_missing(package: str, extra: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    data = raw() if package == "rawpy" else b"\0\0\0\x18ftypheic" + bytes(200)
    with pytest.raises(InputError, match=rf"impasto\[{extra}\].* or "):
        load_image(data)


def cmyk(dtype: Any = np.uint8) -> bytes:
    ink = np.zeros((8, 8, 5), dtype)
    stream = io.BytesIO()
    tifffile.imwrite(stream, ink, photometric="separated", extrasamples=["unassalpha"])
    return stream.getvalue()


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(200), "HEIC"),
        (b"\0\0\0\x18ftypcrx " + bytes(200), "damaged"),
        (b"FUJIFILMCCD-RAW" + bytes(200), "damaged"),
        (b"\0\0\0\x20ftypavif" + bytes(200), "AVIF"),
        (b"\0\0\0\x20ftypisom" + bytes(200), "impasto video"),
        (b"\x1a\x45\xdf\xa3" + bytes(200), "impasto video"),
        (b"\xff\x0a" + bytes(200), "JPEG XL: convert"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(200), "JPEG XL: convert"),
        (b"<?xml version='1.0'?>\n<svg xmlns='x'/>", "SVG.*export"),
        (b"\n<svg/>", "SVG.*export"),
        (b"\xef\xbb\xbf<!DOCTYPE html><title>404</title>", "web page"),
        (b"%PDF-1.7\n", "PDF.*export"),
        (b"8BPS\0\2" + bytes(200), "PSB.*export"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"\x76\x2f\x31\x01" + bytes(200), "OpenEXR.*export"),
        (cmyk(), "CMYK.*export it as RGB"),
        (cmyk(np.uint16), "CMYK.*export it as RGB"),
    ],
)
def test_what_cannot_be_read_is_named_with_the_way_out(data: bytes, kind: str) -> None:
    with pytest.raises(InputError, match=kind) as caught:
        load_image(data)
    assert "\n" not in str(caught.value)
