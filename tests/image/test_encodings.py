"""What numbers mean: gamma, chromaticities, cICP, EXIF; and which of them counts."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pillow_heif
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms

from impasto.image import Picture, load_image
from tests.image import profiles
from tests.image.pngs import SRGB, chromaticities, cicp, gamma, png, profile

RAMP = np.arange(256, dtype=np.uint8).reshape(16, 16)
COLOURS = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8)
P3 = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
SRGB_POINTS = (0.3127, 0.329, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
# The primaries of sRGB in Display P3 and in Adobe RGB, as colour tables have them.
IN_P3 = [(0.91749, 0.20029, 0.13856), (0.45840, 0.98530, 0.29834), (0, 0, 0.95959)]
IN_ADOBE = [(219, 0, 0), (144, 255, 60), (0, 0, 250)]


def off(picture: Picture, golden: Any) -> float:
    """The greatest difference in steps of 8 bits."""
    return float(np.abs(picture.rgb * 255 - np.asarray(golden)).max())


def encoded(light: NDArray[Any]) -> NDArray[Any]:
    steps: NDArray[Any] = np.vectorize(profiles.encode)(light) * 255
    return steps


def row(*colours: Any, top: int = 255) -> NDArray[Any]:
    kind = np.uint8 if top == 255 else np.uint16
    return np.array([colours]).round().astype(kind)


def with_exif(image: Image.Image, kind: str, exif: Image.Exif, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, exif=exif, **options)
    return stream.getvalue()


@pytest.mark.parametrize("value", [1.0, 0.55556])
def test_gamma(value: float) -> None:
    golden = encoded((RAMP / 255) ** (1 / value))[..., None]
    colour = RAMP[..., None].repeat(3, axis=2)
    for array in (RAMP, colour, colour.astype(np.uint16) * 257):
        picture = load_image(png(array, gamma(value)))
        assert off(picture, golden) < 0.1 and picture.notices == ()
        assert picture.bits == array.dtype.itemsize * 8


@pytest.mark.parametrize("points", [(), SRGB_POINTS])
def test_what_means_srgb_leaves_pixels_exact(points: tuple[float, ...]) -> None:
    extra = [chromaticities(*points)] if points else []
    for chunks in ([gamma(0.45455)], [SRGB, gamma(1)], [cicp(1, 13)], [cicp(2, 2)]):
        assert off(load_image(png(COLOURS, *chunks, *extra)), COLOURS) < 1e-4


def test_display_p3() -> None:
    deep = row(*(np.array(IN_P3) * 65535), top=65535)
    for chunks in ([cicp(12, 13)], [chromaticities(*P3)], [chromaticities(*P3), gamma(0.45455)]):
        assert off(load_image(png(deep, *chunks)), np.eye(3) * 255) < 2
        grey = load_image(png(RAMP, *chunks))
        assert off(grey, RAMP[..., None]) < 1e-3


def test_pq_and_hlg() -> None:
    # ITU-R BT.2408: white, 203 cd/m2, is at 58 % of PQ and at 75 % of HLG.
    for transfer, white in ((16, 0.580689), (18, 0.75)):
        picture = load_image(png(row(white * 65535, 0, top=65535), cicp(9, transfer)))
        assert off(picture, [[[255] * 3, [0] * 3]]) < 0.2 and picture.notices == ()
    # ITU-R BT.2100: 100 cd/m2 is at 50.8 % of PQ.
    picture = load_image(png(row(0.508078 * 65535, top=65535), cicp(9, 16)))
    assert off(picture, encoded(np.array(100 / 203))) < 0.1


def test_highlights_come_down_in_order() -> None:
    picture = load_image(png(row(*np.linspace(0, 255, 200)), cicp(9, 16)))
    steps = np.diff(picture.rgb[0, :, 0])
    assert (steps > 0).all() and picture.rgb.max() > 0.9999
    assert "high dynamic range" in picture.notices[0]


def test_narrow_range() -> None:
    picture = load_image(png(row(16, 235), cicp(1, 13, full=0)))
    assert off(picture, [[[0] * 3, [255] * 3]]) < 1e-4


LINEAR = profile(profiles.rgb_profile(1.0))


@pytest.mark.parametrize(
    ("chunks", "exponent", "notices"),
    [
        ([cicp(1, 13), LINEAR, SRGB, gamma(0.5)], 0, 0),
        ([LINEAR, SRGB, gamma(0.5)], 1, 0),
        ([SRGB, gamma(1)], 0, 0),
        ([cicp(1, 99), LINEAR], 1, 1),
        ([cicp(77, 13), profile(b"broken"), gamma(1)], 1, 2),
        ([profile(b"broken"), SRGB, gamma(1)], 0, 1),
    ],
)
def test_what_is_said_first_counts(chunks: list[bytes], exponent: int, notices: int) -> None:
    colour = RAMP[..., None].repeat(3, axis=2)
    picture = load_image(png(colour, *chunks))
    assert off(picture, encoded(colour / 255) if exponent else colour) < 1.5
    assert len(picture.notices) == notices


@pytest.mark.parametrize("bad", [gamma(0), gamma(40), chromaticities(*[0.3] * 8)])
def test_impossible_statements_are_noticed(bad: bytes) -> None:
    picture = load_image(png(COLOURS, bad))
    assert off(picture, COLOURS) < 1e-4 and len(picture.notices) == 1


def adobe(space: int = 65535) -> Image.Exif:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = space
    if space == 65535:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {1: "R03"}
    return exif


@pytest.mark.parametrize("space", [2, 65535])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_adobe_rgb_by_exif(kind: str, space: int) -> None:
    options: Any = {"JPEG": {"quality": 100}, "WEBP": {"lossless": True}}.get(kind, {})
    for colour, golden in zip(IN_ADOBE, np.eye(3) * 255, strict=True):
        data = with_exif(Image.new("RGB", (8, 8), colour), kind, adobe(space), **options)
        # Rounding to 8 bits is seen most in the darkest channel; as sRGB it were off by 144.
        assert off(load_image(data), golden) < 15


def test_a_profile_counts_more_than_exif() -> None:
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    data = with_exif(Image.new("RGB", (8, 8), (144, 255, 60)), "PNG", adobe(), icc_profile=srgb)
    assert off(load_image(data), (144, 255, 60)) < 1e-4


def test_an_uncalibrated_picture_is_noticed() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Make] = "Camera"
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = 65535
    picture = load_image(with_exif(Image.fromarray(COLOURS), "PNG", exif))
    assert off(picture, COLOURS) < 1e-4 and "colour space" in picture.notices[0]


def test_chromaticities_of_a_tiff() -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.WhitePoint] = P3[:2]
    exif[ExifTags.Base.PrimaryChromaticities] = P3[2:]
    image = Image.fromarray(row(*(np.array(IN_P3) * 255)))
    assert off(load_image(with_exif(image, "TIFF", exif)), np.eye(3) * 255) < 3


def test_heif_and_avif_in_high_dynamic_range() -> None:
    white = Image.new("RGB", (64, 64), (148, 148, 148))  # 58 % of PQ
    heif, avif = io.BytesIO(), io.BytesIO()
    pillow_heif.from_pillow(white).save(
        heif, quality=-1, color_primaries=9, transfer_characteristics=16, matrix_coefficients=0
    )
    white.save(avif, "AVIF", quality=100)
    data = avif.getvalue().replace(b"nclx\0\1\0\x0d", b"nclx\0\x09\0\x10")
    for source in (heif.getvalue(), data):
        assert off(load_image(source), 255) < 3


def test_cmyk_and_lab_are_left_to_profiles() -> None:
    image = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert off(load_image(with_exif(image, "TIFF", adobe())), (255, 0, 0)) < 2
