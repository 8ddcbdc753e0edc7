"""Whatever the bytes: a picture, or an InputError of one line, and never anything else."""

from __future__ import annotations

import io
import logging
from typing import Any

import numpy as np
import pytest
import tifffile
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from impasto.errors import InputError
from impasto.image import Picture, load_image, read_settings, save_image
from tests.image import profiles

VALUES = np.random.default_rng(0).integers(0, 65536, (12, 17, 4), dtype=np.uint16)


def seeds() -> list[bytes]:
    """Small whole files of every kind that the decoders know."""
    image = Image.fromarray((VALUES >> 8).astype(np.uint8), "RGBA")
    exif = Image.Exif()
    exif[0x0112] = 6
    icc = profiles.rgb_profile(1.8)
    found = []
    for kind in ("PNG", "TIFF", "WEBP", "GIF", "BMP", "JPEG", "JPEG2000", "ICO", "TGA", "PCX"):
        source = image.convert("RGB") if kind in ("JPEG", "PCX") else image
        options: dict[str, Any] = {"exif": exif, "icc_profile": icc}
        stream = io.BytesIO()
        if kind == "ICO":
            options = {"sizes": [source.size]}
        elif kind not in ("PNG", "TIFF", "WEBP", "JPEG"):
            options = {}
        source.save(stream, kind, **options)
        found.append(stream.getvalue())
    for mode, kind in (("P", "PNG"), ("1", "TIFF"), ("CMYK", "JPEG"), ("L", "PPM")):
        stream = io.BytesIO()
        image.convert("RGB").convert(mode).save(stream, kind)
        found.append(stream.getvalue())
    for kind in ("png", "tiff"):
        stream = io.BytesIO()
        save_image(load_image(VALUES), stream, format=kind, bits=16, settings={"a": 1})
        found.append(stream.getvalue())
    for values in (VALUES[..., :2], VALUES[..., :3].astype(np.float32) / 65535):
        stream = io.BytesIO()
        photometric = "rgb" if values.shape[2] == 3 else "minisblack"
        tifffile.imwrite(stream, values, photometric=photometric, planarconfig="contig")
        found.append(stream.getvalue())
    return found


SEEDS = seeds()


def survives(data: bytes) -> None:
    logging.getLogger("tifffile").setLevel(logging.CRITICAL)
    try:
        picture = load_image(data, max_pixels=1_000_000, long_side=8)
    except InputError as error:
        assert "\n" not in str(error)
    else:
        assert isinstance(picture, Picture)
        assert picture.rgb.min() >= 0 and picture.rgb.max() <= 1
        assert max(picture.size) <= 8
    try:
        read_settings(data)
    except InputError as error:
        assert "\n" not in str(error)


@pytest.mark.parametrize("data", SEEDS)
def test_the_seeds_are_whole(data: bytes) -> None:
    assert load_image(data).size in ((12, 17), (17, 12))


@pytest.mark.parametrize("data", SEEDS)
def test_truncated_files(data: bytes) -> None:
    for length in np.linspace(0, len(data) - 1, 40).astype(int):
        survives(data[:length])


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200))
@example(b"\x89PNG\r\n\x1a\n")
@example(b"II*\0\x08\0\0\0\xff\xff")
@example(b"MM\0+\0\x08\0\0")
def test_random_bytes(data: bytes) -> None:
    survives(data)


@settings(deadline=None, max_examples=200)
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 2**16), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_flipped_bytes(data: bytes, flips: list[tuple[int, int]]) -> None:
    broken = bytearray(data)
    for place, value in flips:
        # Most of what a decoder trusts stands in the first bytes.
        broken[place % min(len(data), 400)] = value
    survives(bytes(broken))
