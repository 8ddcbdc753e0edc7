"""Reconstructions: what is compared, and that it is recovered."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from impasto.errors import InputError
from impasto.events import Step
from impasto.explain.options import ReconstructOptions
from impasto.explain.reconstruct import figure, reconstruct
from impasto.image import Picture
from impasto.losses import moments
from impasto.pictures import load_artwork
from tests.small import small_backbone

SMALL = ReconstructOptions(max_size=32, steps=60, precision="float32", device="cpu")


@pytest.fixture(scope="module")
def picture() -> Picture:
    return load_artwork("orphic-discs", 32)


def test_a_shallow_layer_gives_the_image_back(picture: Picture) -> None:
    (one,) = reconstruct("content", picture, ["relu1_1"], SMALL, backbone=small_backbone())
    error = np.abs(one.result.picture.rgb - picture.rgb).mean()
    noise = np.abs(np.random.default_rng(0).random(picture.rgb.shape) - picture.rgb).mean()
    assert one.label == "relu1_1"
    assert error < 0.2 * noise
    assert set(one.result.losses[-1].losses) == {"content", "total"}


def test_style_gives_statistics_back_but_not_places(picture: Picture) -> None:
    backbone = small_backbone()
    found = list(reconstruct("style", picture, ["relu1_1", "relu2_2"], SMALL, backbone=backbone))
    assert [one.label for one in found] == ["relu1_1", "relu1_1 to relu2_2"]
    assert found[1].result.settings["style_layers"] == {
        "relu1_1": 1.0,
        "relu2_1": 1.0,
        "relu2_2": 1.0,
    }
    made = found[0].result.picture
    # The rim of maps does not count: it sees what is beside the picture.
    ours, theirs = (
        moments(backbone(p.tensor(), ["relu1_1"])["relu1_1"][..., 1:-1, 1:-1]).second
        for p in (made, picture)
    )
    assert torch.linalg.norm(ours - theirs) < 0.05 * torch.linalg.norm(theirs)
    assert np.abs(made.rgb - picture.rgb).mean() > 0.1  # another arrangement


def test_the_seed_decides(picture: Picture) -> None:
    def made(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        options = ReconstructOptions(
            max_size=32, steps=3, seed=seed, precision="float32", device="cpu"
        )
        (one,) = reconstruct("style", picture, ["relu2_1"], options, backbone=small_backbone())
        return one.result.picture.rgb

    assert (made(1) == made(1)).all()
    assert (made(1) != made(2)).any()


def test_an_interrupted_run_is_the_last(picture: Picture) -> None:
    def interrupt(_: Step) -> None:
        raise KeyboardInterrupt

    found = list(
        reconstruct(
            "content",
            picture,
            ["relu1_1", "relu2_1"],
            SMALL,
            backbone=small_backbone(),
            watch=lambda _: [interrupt],
        )
    )
    assert [one.result.stopped for one in found] == ["interrupted"]


def test_an_unknown_layer_is_refused(picture: Picture) -> None:
    with pytest.raises(InputError, match="no layer 'relu9_9'"):
        list(reconstruct("content", picture, ["relu9_9"], SMALL, backbone=small_backbone()))


def test_the_figure_shows_the_original_first(picture: Picture) -> None:
    options = ReconstructOptions(max_size=32, steps=1, precision="float32", device="cpu")
    found = list(reconstruct("content", picture, ["relu1_1"], options, backbone=small_backbone()))
    made = figure(picture, found, height=32)
    assert np.allclose(made.rgb[2:34, 2:34], picture.rgb, atol=1 / 255)
