"""The networks that come with the package."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import impasto
from impasto.backbones import load_backbone
from impasto.image import Picture
from impasto.metrics import Judge
from impasto.pictures import load_artwork
from impasto.stylizers.networks.description import Kind
from impasto.stylizers.networks.gallery import MODELS, gallery, shipped
from impasto.stylizers.networks.onnx_engine import OnnxEngine

GALLERY = {
    "starry-night",
    "great-wave",
    "composition-vii",
    "the-scream",
    "udnie",
    "shipwreck",
    "water-lilies",
    "roman-mosaic",
    "night-wind",
    "stained-glass",
    "wave-print",
    "poppy-watercolor",
}


def test_the_gallery_names_twelve_works_and_their_makers() -> None:
    assert set(gallery().styles) == GALLERY
    assert all(gallery().attributions)


@pytest.mark.parametrize("kind", ["fast", "arbitrary"])
def test_the_onnx_files_are_of_the_same_weights(kind: Kind) -> None:
    pytest.importorskip("onnxruntime")
    OnnxEngine(shipped(kind))  # refuses files of another state


def test_all_shipped_weights_are_small() -> None:
    assert sum(path.stat().st_size for path in MODELS.iterdir()) < 40e6


@pytest.mark.parametrize("engine", ["torch", "onnx"])
def test_styles_of_the_gallery_have_the_colours_of_their_works(engine: Any) -> None:
    if engine == "onnx":
        pytest.importorskip("onnxruntime")
    photo = load_artwork("river-dots", 96)
    night, scream = (
        impasto.stylize(photo, style, engine=engine, device="cpu").picture.rgb.mean(axis=(0, 1))
        for style in ("starry-night", "the-scream")
    )
    assert night[2] > night[0] + 0.05  # blue
    assert scream[0] > scream[2] + 0.1  # orange


@pytest.mark.parametrize("engine", ["torch", "onnx"])
@pytest.mark.parametrize("kind", ["fast", "arbitrary"])
def test_photos_of_one_colour_are_painted(kind: Kind, engine: Any) -> None:
    """A blank page, a film that fades to black: maps without variance, but for rounding."""
    if engine == "onnx":
        pytest.importorskip("onnxruntime")
    painter = impasto.load(kind, engine=engine, device="cpu")
    painter.set_style("the-scream" if kind == "fast" else load_artwork("night-wind", 96))
    for color in [(0, 0, 0), (0, 0, 0.2), (0, 0.5, 1), (0.784, 0.784, 0.784), (1, 1, 1)]:
        flat = Picture(np.full((48, 64, 3), color, np.float32))
        painted = painter(flat).picture.rgb
        assert np.isfinite(painted).all(), color
        assert np.ptp(painted[16:32, 16:48], axis=(0, 1)).max() < 0.05, color


def test_the_any_style_network_brings_a_picture_nearer_to_an_unseen_style() -> None:
    photo, style = load_artwork("river-dots", 128), load_artwork("night-wind", 128)
    judge = Judge(load_backbone("lite"))

    def distances(picture: Picture) -> tuple[float, float]:
        found = judge(picture.tensor(), photo.tensor(), style.tensor())
        return found.gram, found.rgb

    painted = impasto.stylize(photo, style, method="arbitrary", device="cpu").picture
    before, after = distances(photo), distances(painted)
    assert after[0] < 0.7 * before[0]
    assert after[1] < 0.5 * before[1]
