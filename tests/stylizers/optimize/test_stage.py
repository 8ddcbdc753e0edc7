"""One scale of a run: where it starts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from impasto.color import colorfulness, mute, srgb_to_oklab
from impasto.image import Picture
from impasto.image.masks import weighted
from impasto.options import OptimizeOptions
from impasto.stylizers.optimize.objective import Guide
from impasto.stylizers.optimize.pyramid import Scale
from impasto.stylizers.optimize.stage import TRACE, Stage, tones_of
from impasto.stylizers.optimize.striking import Artwork
from impasto.stylizers.order import Order
from tests.small import small_backbone

PLANNER: Any = SimpleNamespace(layout=lambda *_: None)


def stages(rgb: NDArray[np.float32], guide: Guide | None = None, **options: Any) -> list[Stage]:
    """A coarse and a fine scale."""
    photo = Picture(rgb, name="photo")
    order = Order(photo, [photo], [1.0], before=guide)
    height, width = photo.size
    common = OptimizeOptions(**options), small_backbone(), torch.device("cpu")
    tones = tones_of(order, common[0], common[2])
    scales = Scale((height // 2, width // 2), 5), Scale((height, width), 5)
    return [Stage(order, *common, scale, PLANNER, tones) for scale in scales]


@pytest.mark.parametrize("detail", [0.0, 0.5, 1.0])
def test_a_new_scale_takes_the_contents_detail(detail: float) -> None:
    fine = np.full((32, 32, 3), 0.25, np.float32)
    fine[:, ::2] = 0.75
    coarse, following = stages(fine, detail=detail, style_weight=0.0)
    image = following.refine(torch.full((1, 3, 16, 16), 0.5), coarse)
    # Away from the border, where bicubic halving leaves nothing of the stripes.
    found, expected = image[0, 0, 8:-8, 8:-8], torch.from_numpy(fine)[8:-8, 8:-8, 0]
    torch.testing.assert_close(found, 0.5 + detail * (expected - 0.5), atol=0.02, rtol=0)


def test_only_a_start_from_the_content_takes_its_detail() -> None:
    fine = np.zeros((32, 32, 3), np.float32)
    fine[:, ::2] = 1
    coarse, following = stages(fine, init="gray", style_weight=0.0)
    image = following.refine(torch.full((1, 3, 16, 16), 0.5), coarse)
    torch.testing.assert_close(image, torch.full((1, 3, 32, 32), 0.5))


def test_blank_parts_alone_start_from_a_trace_of_noise() -> None:
    rgb = np.random.default_rng(0).random((64, 64, 3), np.float32)
    busy, _ = stages(rgb, style_weight=0.0)
    torch.testing.assert_close(busy.start(), busy.content, rtol=0, atol=0)
    rgb[:, :32] = 1
    half, _ = stages(rgb, style_weight=0.0)
    change = (half.start() - half.content).abs().amax(dim=1)[0]
    assert change[:, 18:].max() == 0
    assert 0 < change[:, :12].mean() < change.max() <= TRACE / 2


def test_a_picture_starts_in_the_artworks_colours_and_keeps_its_tones() -> None:
    """An artwork in blue and yellow: the dark half of the photo becomes blue, the other yellow."""
    grey = np.full((64, 64, 3), 0.3, np.float32)
    grey[:, 32:] = 0.6
    grey += np.random.default_rng(0).random((64, 64, 1), np.float32) / 10
    blue, yellow = (0.1, 0.1, 0.6), (0.9, 0.8, 0.2)
    artwork = np.where(np.arange(64)[:, None, None] < 32, blue, yellow)
    order = Order(
        Picture(grey, name="photo"),
        [Picture(np.broadcast_to(artwork, (64, 64, 3)).astype(np.float32))],
        [1.0],
    )
    common = OptimizeOptions(), small_backbone(), torch.device("cpu")
    tones = tones_of(order, common[0], common[2])
    assert tones
    start = Stage(order, *common, Scale((64, 64), 5), PLANNER, tones).start()
    dark, light = (half.mean(dim=(0, 2, 3)) for half in start.chunk(2, dim=3))
    assert dark[2] > dark[0] + 0.3
    assert light[0] > light[2] + 0.4
    assert float(tones(start)) == pytest.approx(0, abs=1e-6)
    assert float(tones(start.flip(3))) > 1


@pytest.mark.parametrize(
    "without",
    [
        {"tones_weight": 0.0},
        {"content_weight": 0.0},
        {"style_weight": 0.0},
        {"classic_losses": True},
    ],
)
def test_there_are_tones_only_of_what_has_weight(without: dict[str, Any]) -> None:
    rgb = np.random.default_rng(0).random((32, 32, 3), np.float32)
    assert [stage.tones is not None for stage in stages(rgb)] == [True, True]
    assert [stage.tones for stage in stages(rgb, **without)] == [None, None]


def test_a_frame_starts_from_the_one_before() -> None:
    before = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    guide = Guide(before, torch.ones(1, 1, 32, 32), 1.0)
    coarse, following = stages(np.zeros((32, 32, 3), np.float32), guide, init="gray")
    assert coarse.start().shape == (1, 3, 16, 16)
    torch.testing.assert_close(following.start(), before)


def test_a_mask_that_leaves_only_what_is_shown_takes_it_for_manner() -> None:
    rgb = np.random.default_rng(0).random((40, 50, 3), np.float32)
    manner = np.ones((40, 50), np.float32)
    manner[:, 25:] = 0
    left = (np.arange(50) < 25).astype(np.float32) * np.ones((40, 1), np.float32)
    artwork = Artwork(rgb, manner=manner)
    scale = stages(rgb)[1]
    kept = scale._source(artwork)
    assert kept.alpha is None and kept.deep is not None
    np.testing.assert_array_equal(kept.deep[0, 0], manner)
    assert scale._source(weighted(artwork, 1 - left)).deep is None
    half = scale._source(weighted(artwork, np.full_like(left, 0.5))).deep
    assert half is not None
    np.testing.assert_allclose(half[0, 0], 0.5 * manner)


def test_an_artwork_without_colour_mutes_the_photo() -> None:
    generator = np.random.default_rng(0)
    photo = Picture(generator.random((40, 50, 3), np.float32), name="photo")
    drawing = Picture(np.repeat(photo.rgb[..., :1], 3, axis=2), name="drawing")
    muted = mute(photo, colorfulness(drawing))
    assert np.ptp(muted.rgb, axis=2).max() < 0.01
    lightness, before = (srgb_to_oklab(each.rgb)[..., 0] for each in (muted, photo))
    np.testing.assert_allclose(lightness, before, atol=0.02)
    assert mute(photo, colorfulness(photo)) is photo
