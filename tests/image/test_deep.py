from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import png
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import ExifTags, ImageCms

from impasto.errors import InputError
from impasto.image import Picture, load_image
from tests.image import profiles

# Nothing is wholly transparent, so that colours stay as they are.
DEEP = np.random.default_rng(0).integers(1, 65536, (7, 10, 4), dtype=np.uint16)
CHANNELS = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4}


def png_file(values: NDArray[Any], mode: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    height, width = values.shape[:2]
    writer = png.Writer(
        width, height, bitdepth=16, greyscale="L" in mode, alpha="A" in mode, **options
    )
    writer.write(stream, values.reshape(height, -1).tolist())
    return stream.getvalue()


def tiff_file(values: NDArray[Any], **options: Any) -> bytes:
    stream = io.BytesIO()
    options.setdefault("photometric", "rgb" if values.ndim > 2 else "minisblack")
    tifffile.imwrite(stream, values, metadata=None, **options)
    return stream.getvalue()


def check(picture: Picture, values: NDArray[Any], top: float = 65535) -> None:
    """Compare with ``(H, W, 1 to 4)`` values, exactly."""
    exact = values.astype(np.float64) / top
    colours = exact.shape[2] - 1 + exact.shape[2] % 2
    assert picture.rgb.shape == (*exact.shape[:2], 3)
    assert np.abs(picture.rgb - exact[..., :colours]).max() < 1e-7
    if colours == exact.shape[2]:
        assert picture.alpha is None
    else:
        assert picture.alpha is not None
        assert np.abs(picture.alpha - exact[..., -1]).max() < 1e-7
    assert picture.bits == 16


@pytest.mark.parametrize("interlace", [False, True])
@pytest.mark.parametrize("mode", CHANNELS)
def test_png(mode: str, interlace: bool) -> None:
    values = DEEP[..., : CHANNELS[mode]]
    check(load_image(png_file(values, mode, interlace=interlace)), values)


def test_png_with_every_filter() -> None:
    """Rows filtered by the formulas of the PNG specification, one type after the other."""
    rows = DEEP[..., :3].astype(">u2").view(np.uint8).reshape(7, 60).astype(int)
    raw = b""
    for y, row in enumerate(rows):
        kind = y % 5
        left = np.concatenate([np.zeros(6, int), row[:-6]])
        up = rows[y - 1] if y else np.zeros(60, int)
        corner = np.concatenate([np.zeros(6, int), up[:-6]])
        guess = left + up - corner
        far = np.abs([guess - left, guess - up, guess - corner])
        paeth = np.choose(far.argmin(axis=0), [left, up, corner])
        predicted = [0 * row, left, up, (left + up) // 2, paeth][kind]
        raw += bytes([kind]) + ((row - predicted) % 256).astype(np.uint8).tobytes()
    chunks = [
        (b"IHDR", struct.pack(">2I5B", 10, 7, 16, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(raw)),
        (b"IEND", b""),
    ]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    check(load_image(data), DEEP[..., :3])


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_png_with_a_colour_that_stands_for_transparent(mode: str) -> None:
    values = DEEP[..., : CHANNELS[mode]].copy()
    clear = values[3, 4].tolist()
    values[3, 5] = values[3, 4]
    values[3, 5, -1] ^= 1  # nearly that colour, in the low byte only
    picture = load_image(png_file(values, mode, transparent=clear[0] if mode == "L" else clear))
    golden = (values != values[3, 4]).any(axis=2)
    assert picture.alpha is not None and np.array_equal(picture.alpha, golden)
    assert np.abs(picture.rgb - values / 65535)[golden].max() < 1e-7


@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("planarconfig", ["contig", "separate"])
@pytest.mark.parametrize("mode", CHANNELS)
def test_tiff(mode: str, planarconfig: str, byteorder: str, compression: str | None) -> None:
    values = DEEP[..., : CHANNELS[mode]]
    stored = np.moveaxis(values, -1, 0) if planarconfig == "separate" else values
    options: dict[str, Any] = {"planarconfig": planarconfig} if mode != "L" else {}
    data = (
        tiff_file(
            np.ascontiguousarray(stored),
            photometric="minisblack" if "L" in mode else "rgb",
            extrasamples=["unassalpha"] if "A" in mode else None,
            byteorder=byteorder,
            compression=compression,
            **options,
        )
        if mode != "L"
        else tiff_file(values[..., 0], photometric="minisblack", byteorder=byteorder)
    )
    check(load_image(data), values)


def test_tiles_and_predictor() -> None:
    values = np.tile(DEEP[..., :3], (6, 5, 1))
    data = tiff_file(values, tile=(16, 32), compression="zlib", predictor=True)
    check(load_image(data), values)


def test_a_compression_that_only_libtiff_knows() -> None:
    """The LZW code stream of the TIFF 6.0 specification, never beyond nine bits a code."""
    values = DEEP[:3, :5, :3].astype("<u2")
    codes = [256, *values.tobytes(), 257]
    bits = "".join(f"{code:09b}" for code in codes)
    bits += "0" * (-len(bits) % 8)
    packed = int(bits, 2).to_bytes(len(bits) // 8, "big")
    data = bytearray(tiff_file(values))
    page = tifffile.TiffFile(io.BytesIO(data)).pages.first
    for code, value in ((259, 5), (273, len(data)), (279, len(packed))):
        tag = page.tags[code]
        data[tag.valueoffset : tag.valueoffset + 2] = struct.pack("<H", value)
    check(load_image(bytes(data) + packed), values)


def test_associated_alpha() -> None:
    values = np.array([[[100, 200, 300, 400], [0, 0, 0, 0]]], np.uint16) * 100
    picture = load_image(tiff_file(values, extrasamples=["assocalpha"]))
    assert np.allclose(picture.rgb[0, 0], (0.25, 0.5, 0.75))
    assert picture.alpha is not None and np.allclose(picture.alpha, [[40000 / 65535, 0]])


def test_an_unspecified_fourth_channel_is_no_alpha() -> None:
    check(load_image(tiff_file(DEEP, extrasamples=["unspecified"])), DEEP[..., :3])


@pytest.mark.parametrize("dtype", [np.uint16, np.uint32, np.float32])
def test_white_at_zero(dtype: type[Any]) -> None:
    top = 1 if dtype is np.float32 else int(np.iinfo(dtype).max)
    values: NDArray[Any] = np.array([[0, top // 3, top]], dtype)
    picture = load_image(tiff_file(values, photometric="miniswhite"))
    assert np.allclose(picture.rgb[..., 0], 1 - values.astype(float) / top)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize("mode", CHANNELS)
def test_floating_point_tiff(mode: str, dtype: type[Any]) -> None:
    values: NDArray[Any] = (DEEP[..., : CHANNELS[mode]] / 65535).astype(dtype)
    extra = ["unassalpha"] if "A" in mode else None
    stored = values[..., 0] if mode == "L" else values
    options: dict[str, Any] = {} if mode == "L" else {"planarconfig": "contig"}
    if mode == "LA":
        options["photometric"] = "minisblack"
    picture = load_image(tiff_file(stored, extrasamples=extra, **options))
    check(picture, values, top=1)
    assert "floating-point" in picture.notices[0]


@pytest.mark.parametrize("channels", [1, 3])
def test_integers_of_32_bits(channels: int) -> None:
    values = DEEP[..., :channels].astype(np.uint32) * 65537
    stored = values[..., 0] if channels == 1 else values
    check(load_image(tiff_file(stored)), values, top=2**32 - 1)


def test_twelve_bits() -> None:
    packed = bytes([0x00, 0x0F, 0xFF, 0x80, 0x00, 0x00])  # 0x000, 0xFFF, 0x800, padding
    data = bytearray(tiff_file(np.zeros((1, 3), np.uint16)))
    page = tifffile.TiffFile(io.BytesIO(data)).pages.first
    for code, value in ((258, 12), (279, 5)):
        tag = page.tags[code]
        data[tag.valueoffset : tag.valueoffset + 2] = struct.pack("<H", value)
    start = page.dataoffsets[0]
    data[start : start + 5] = packed[:5]
    assert np.allclose(load_image(bytes(data)).rgb[0, :, 0], [0, 1, 2048 / 4095])


@pytest.mark.parametrize(
    "values",
    [
        np.full((2, 2, 3), 1.5, np.float32),
        np.full((2, 2), -1, np.float32),
        np.full((2, 2, 3), np.nan, np.float32),
        np.full((2, 2), 5, np.int16),
        np.full((2, 2, 3), 5, np.int32),
        np.zeros((2, 2), np.complex64),
    ],
)
def test_values_without_a_scale_are_refused(values: NDArray[Any]) -> None:
    with pytest.raises(InputError, match="16 bits"):
        load_image(tiff_file(values))


def test_sixteen_bit_cmyk_is_read_at_8_bits_with_a_notice() -> None:
    values = np.full((4, 4, 4), (0, 65535, 65535, 0), np.uint16)
    picture = load_image(tiff_file(values, photometric="separated"))
    assert np.allclose(picture.rgb, (1, 0, 0)) and picture.bits == 8
    assert "8 bits" in picture.notices[0]


def test_the_pixel_limit_counts_for_tifffile_too() -> None:
    with pytest.raises(InputError, match="max_pixels"):
        load_image(tiff_file(np.zeros((20, 20, 3), np.float32)), max_pixels=399)


@pytest.mark.parametrize("photometric", ["rgb", "minisblack"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiff_orientation(orientation: int, photometric: str) -> None:
    """RGB goes through Pillow, grey with alpha through tifffile."""
    values = DEEP[..., : 3 if photometric == "rgb" else 2]
    extra = None if photometric == "rgb" else ["unassalpha"]
    tags = [(int(ExifTags.Base.Orientation), "H", 1, orientation, True)]
    data = tiff_file(
        values, photometric=photometric, extrasamples=extra, planarconfig="contig", extratags=tags
    )
    turned = {
        1: values,
        2: values[:, ::-1],
        3: np.rot90(values, 2),
        4: values[::-1],
        5: values.swapaxes(0, 1),
        6: np.rot90(values, -1),
        7: np.rot90(values, 2).swapaxes(0, 1),
        8: np.rot90(values),
    }
    check(load_image(data), turned[orientation])


@pytest.mark.parametrize("broken", [False, True])
def test_pixels_in_srgb_stay_exact(broken: bool) -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    values = DEEP[..., :3]
    picture = load_image(tiff_file(values, iccprofile=b"garbage!" if broken else srgb))
    check(picture, values)
    assert len(picture.notices) == broken


@pytest.mark.parametrize("mode", CHANNELS)
def test_other_profiles_are_applied_at_8_bits(mode: str) -> None:
    profile = profiles.grey_profile(1.8) if "L" in mode else profiles.rgb_profile(1.8)
    grey = np.full((2, 2, CHANNELS[mode]), 120 * 257, np.uint16)
    options: dict[str, Any] = {} if mode == "L" else {"planarconfig": "contig"}
    picture = load_image(
        tiff_file(
            grey.squeeze() if mode == "L" else grey,
            photometric="minisblack" if "L" in mode else "rgb",
            extrasamples=["unassalpha"] if "A" in mode else None,
            iccprofile=profile,
            **options,
        )
    )
    assert np.abs(picture.rgb - profiles.encode((120 / 255) ** 1.8)).max() < 1.5 / 255
    assert (picture.alpha is not None) == ("A" in mode)
    assert picture.bits == 8 and "8 bits" in picture.notices[0]


def test_long_side_shrinks_in_16_bits() -> None:
    values = np.full((40, 60, 3), 12345, np.uint16)
    picture = load_image(png_file(values, "RGB"), long_side=30)
    assert picture.size == (20, 30)
    assert np.abs(picture.rgb - 12345 / 65535).max() < 1e-6


def test_a_truncated_deep_file_is_refused() -> None:
    for data in (
        png_file(DEEP, "RGBA"),
        tiff_file(DEEP),
        tiff_file(DEEP.astype(np.float32) / 65535),
    ):
        with pytest.raises(InputError):
            load_image(data[: len(data) // 2])
