"""What the frame before says about the next one, for all three methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import impasto
from impasto.image import Picture
from impasto.metrics import mean_warping_error
from impasto.pictures import load_artwork
from impasto.result import Result
from impasto.stylizers.networks.stylizer import Arbitrary, Fast
from impasto.stylizers.optimize import Optimize
from impasto.stylizers.order import Order
from impasto.video.consistency import (
    Memory,
    OptimizingPainter,
    VideoPainter,
    as_picture,
    frame_painter,
)
from tests.models import STYLES, write_arbitrary, write_fast
from tests.small import OPTIONS, small_backbone
from tests.video.clips import Pixels, moving

SIZE = (72, 96)


def source() -> list[Pixels]:
    """A moving picture whose light flickers, which networks exaggerate."""
    frames = moving(5, SIZE)
    return [
        np.clip(f * (1 + 0.04 * (-1) ** i), 0, 255).astype(np.uint8) for i, f in enumerate(frames)
    ]


def paint(
    stylizer: Optimize | Fast | Arbitrary, consistency: float, frames: list[Pixels] | None = None
) -> list[Tensor]:
    painter = VideoPainter(frame_painter(stylizer, consistency), consistent=consistency > 0)
    return [painter(pixels) for pixels in frames or source()]


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fast | Arbitrary]:
    folder = tmp_path_factory.mktemp("models")
    write_fast(folder / "fast.safetensors")
    write_arbitrary(folder / "arbitrary.safetensors")
    # In one precision, so that processors with and without bfloat16 find the same.
    common: Any = {"device": "cpu", "precision": "float32"}
    stylizers: dict[str, Any] = {
        "fast": Fast(model=str(folder / "fast.safetensors"), **common),
        "arbitrary": Arbitrary(model=str(folder / "arbitrary.safetensors"), strength=0.8, **common),
    }
    stylizers["fast"].set_style(STYLES[0])
    stylizers["arbitrary"].set_style(load_artwork("river-dots", 64))
    return stylizers


@pytest.mark.parametrize("method", ["fast", "arbitrary"])
def test_networks_flicker_less(networks: dict[str, Fast | Arbitrary], method: str) -> None:
    """Where something bright comes and goes, all that a network paints would change with it."""
    frames = moving(5, SIZE)
    for frame in frames[1::2]:
        frame[:24, :24] = 255
    alone, together = (
        [each[..., 40:, 40:] for each in paint(networks[method], consistency, frames)]
        for consistency in (0, 0.7)
    )
    seen = [as_picture(frame[40:, 40:]).tensor() for frame in frames]
    assert 0 < mean_warping_error(together, seen) < 0.6 * mean_warping_error(alone, seen)


def test_without_consistency_each_frame_is_that_of_a_photo(
    networks: dict[str, Fast | Arbitrary],
) -> None:
    painted = paint(networks["fast"], 0)
    single = networks["fast"](as_picture(source()[3])).picture.tensor()
    torch.testing.assert_close(painted[3], single, atol=1e-5, rtol=0)


def test_optimised_frames_flicker_less() -> None:
    optimize = Optimize(backbone=small_backbone(), **{"steps": 24, "max_size": 96, **OPTIONS})
    optimize.set_style(load_artwork("river-dots", 96))
    frames = [as_picture(pixels).tensor() for pixels in source()]
    alone = mean_warping_error(paint(optimize, 0), frames)
    together = mean_warping_error(paint(optimize, 0.7), frames)
    assert 0 < together < 0.6 * alone


@pytest.mark.parametrize("method", ["optimize", "arbitrary"])
def test_regions_are_those_of_the_first_frame_of_a_scene(
    method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that an artwork's parts do not change from frame to frame."""
    options: dict[str, Any] = {"steps": 2} if method == "optimize" else {}
    stylizer = impasto.load(method, match="auto", device="cpu", max_size=96, **options)
    stylizer.set_style(load_artwork("river-dots", 96))
    orders: list[Order] = []
    paint_order = stylizer.paint

    def watched(order: Order, *rest: Any) -> Result:
        orders.append(order)
        return paint_order(order, *rest)

    monkeypatch.setattr(stylizer, "paint", watched)
    painter = frame_painter(stylizer, 0.7)
    frame = as_picture(source()[0])
    seen = torch.ones(1, 1, *SIZE)
    memory = Memory(frame.tensor(), seen, seen, torch.zeros(1, 3))
    for before in (None, memory, None):
        painter(frame, before, None)
    first, second, cut = (order.pairing for order in orders)
    assert first is second
    assert cut is not first


def plain(*color: int) -> Pixels:
    return np.full((*SIZE, 3), color, np.uint8)


@pytest.mark.parametrize("method", ["fast", "arbitrary"])
def test_plain_frames_stain_no_others(networks: dict[str, Fast | Arbitrary], method: str) -> None:
    scene = moving(2, SIZE)
    titles = (
        [plain(0, 0, 0)] * 2,
        [plain(200, 200, 200)],
        [plain(255, 0, 0)],
        [plain(255, 255, 255)],
    )
    painter = VideoPainter(frame_painter(networks[method], 0.7))
    alone = VideoPainter(frame_painter(networks[method], 0.7))
    expected = [alone(frame) for frame in scene]
    for title in titles:
        for frame in title:
            assert painter(frame).isfinite().all()
        for frame, clean in zip(scene, expected, strict=True):
            torch.testing.assert_close(painter(frame), clean)


def test_a_network_keeps_to_numbers_where_one_plain_frame_follows_another(
    networks: dict[str, Fast | Arbitrary],
) -> None:
    painter = frame_painter(networks["fast"], 0.7)
    nothing = torch.zeros(1, 1, *SIZE)
    painted = painter(as_picture(plain(0, 0, 0)), None, None)
    memory = Memory(painted, nothing, nothing, torch.zeros(1, 3))
    for level in (200, 0, 90):
        assert painter(as_picture(plain(level, level, level)), memory, None).isfinite().all()


@pytest.mark.parametrize("method", ["fast", "arbitrary"])
def test_nothing_is_carried_from_where_a_mask_was_black(
    networks: dict[str, Fast | Arbitrary], method: str
) -> None:
    frames = moving(2, SIZE)
    left, right = np.zeros(SIZE, np.float32), np.zeros(SIZE, np.float32)
    left[:, :48], right[:, 48:] = 1, 1
    painter = VideoPainter(frame_painter(networks[method], 1.0))
    painter(frames[0], shown={"mask": left})
    found = painter(frames[1], shown={"mask": right})[0].permute(1, 2, 0).numpy()
    photo = frames[1] / np.float32(255)
    np.testing.assert_allclose(found[:, :48], photo[:, :48], atol=1e-6)
    # Where it is painted for the first time it is as if there were no photo in the frame before.
    whole = VideoPainter(frame_painter(networks[method], 1.0))
    whole(frames[0], shown={"mask": right})
    expected = whole(frames[1], shown={"mask": right})[0].permute(1, 2, 0).numpy()
    painted = np.abs(expected[:, 56:] - photo[:, 56:]).mean()
    assert np.abs(found[:, 56:] - photo[:, 56:]).mean() > 0.8 * painted


def test_a_flash_is_a_scene_of_its_own() -> None:
    class Recording:
        def __init__(self) -> None:
            self.begun: list[bool] = []

        def __call__(self, frame: Picture, memory: Memory | None, mask: object) -> Tensor:
            self.begun.append(memory is None)
            return frame.tensor()

    frames = moving(5, SIZE)
    frames[2] = 255 - (255 - frames[2]) // 16
    recording = Recording()
    painter = VideoPainter(recording)
    for frame in frames:
        painter(frame)
    assert recording.begun == [True, False, True, True, False]


def test_a_film_that_fades_in_does_not_stay_black() -> None:
    class Faithful:
        device = torch.device("cpu")

        def order(self, frame: Picture, mask: object, pairing: object) -> Order:
            return Order(frame, [frame], [1.0])

        def paint(self, order: Order, _callbacks: object) -> Result:
            before = order.before
            return Result(Picture.from_tensor(before.image) if before else order.photo, {})

    stylizer: Any = Faithful()
    painter = VideoPainter(OptimizingPainter(stylizer, 1.0))
    frames = [(f * (i / 20)).astype(np.uint8) for i, f in enumerate(moving(21, SIZE))]
    means = [float(painter(frame).mean()) for frame in frames]
    for frame, mean in zip(frames, means, strict=True):
        assert abs(mean - frame.mean() / 255) < 0.1
    assert means[3] == pytest.approx(means[2], abs=0.005)  # held while the light is nearly the same


def test_what_was_hidden_starts_in_the_colours_of_the_rest() -> None:
    guides = []

    class Remembering:
        device = torch.device("cpu")

        def order(self, frame: Picture, mask: object, pairing: object) -> Order:
            return Order(frame, [frame], [1.0])

        def paint(self, order: Order, _callbacks: object) -> Result:
            guides.append(order.before)
            return Result(order.photo, {})

    random = torch.Generator().manual_seed(0)
    painted = (
        torch.rand(1, 3, *SIZE, generator=random) * torch.tensor([0.2, 0.5, 0.9])[:, None, None]
    )
    visible = torch.ones(1, 1, *SIZE)
    visible[..., :30] = 0
    stylizer: Any = Remembering()
    memory = Memory(painted, visible, visible, torch.zeros(1, 3))
    OptimizingPainter(stylizer, 0.5)(as_picture(source()[0]), memory, None)
    hidden, shown = guides[0].image[..., :30], guides[0].image[..., 30:]
    torch.testing.assert_close(shown, painted[..., 30:], atol=1e-6, rtol=0)
    colors = hidden.mean((2, 3)), shown.mean((2, 3))
    torch.testing.assert_close(*colors, atol=0.1, rtol=0)
    assert hidden.std() > 0.1  # of which the content can be made out
    assert not torch.allclose(hidden, painted[..., :30], atol=0.1)
