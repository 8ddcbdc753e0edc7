"""What the frame before says about the next one, for all three methods."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from impasto.image import Picture
from impasto.metrics import mean_warping_error
from impasto.networks import Arbitrary, Fast
from impasto.networks.description import Architecture, Description
from impasto.networks.files import build, save_model
from impasto.networks.runtime import Smoothed
from impasto.networks.transformer import instance_norm
from impasto.optimize import Guide, Optimize
from impasto.pictures import load_artwork
from impasto.result import Result
from impasto.video.consistency import (
    Memory,
    OptimizingPainter,
    VideoPainter,
    as_picture,
    frame_painter,
)
from tests.small import OPTIONS, small_backbone
from tests.video.clips import Pixels, moving

SIZE = (72, 96)


def source() -> list[Pixels]:
    """A moving picture whose light flickers, which networks exaggerate."""
    frames = moving(5, SIZE)
    return [
        np.clip(f * (1 + 0.04 * (-1) ** i), 0, 255).astype(np.uint8) for i, f in enumerate(frames)
    ]


def paint(stylizer: Optimize | Fast | Arbitrary, consistency: float) -> list[Tensor]:
    painter = VideoPainter(frame_painter(stylizer, consistency), consistent=consistency > 0)
    return [painter(pixels) for pixels in source()]


@pytest.fixture(scope="module")
def networks(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Fast | Arbitrary]:
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("models")
    fast = Description("fast", Architecture(4, 1), ("wild",))
    network: Any = build(fast)
    network.table.data.add_(torch.randn_like(network.table))
    save_model(network, fast, folder / "fast.safetensors")
    arbitrary = Description("arbitrary", Architecture(4, 1))
    save_model(build(arbitrary), arbitrary, folder / "arbitrary.safetensors")
    # In one precision, so that processors with and without bfloat16 find the same.
    common: Any = {"device": "cpu", "precision": "float32"}
    stylizers: dict[str, Any] = {
        "fast": Fast(model=str(folder / "fast.safetensors"), **common),
        "arbitrary": Arbitrary(model=str(folder / "arbitrary.safetensors"), strength=0.8, **common),
    }
    stylizers["fast"].set_style(None)
    stylizers["arbitrary"].set_style(load_artwork("river-dots", 64))
    return stylizers


@pytest.mark.parametrize("method", ["fast", "arbitrary"])
def test_networks_flicker_less(networks: dict[str, Fast | Arbitrary], method: str) -> None:
    frames = [as_picture(pixels).tensor() for pixels in source()]
    alone = mean_warping_error(paint(networks[method], 0), frames)
    together = mean_warping_error(paint(networks[method], 0.7), frames)
    assert 0 < together < 0.6 * alone


def test_without_consistency_each_frame_is_that_of_a_photo(
    networks: dict[str, Fast | Arbitrary],
) -> None:
    painted = paint(networks["fast"], 0)
    single = networks["fast"].stylize(as_picture(source()[3])).picture.tensor()
    torch.testing.assert_close(painted[3], single, atol=1e-5, rtol=0)


def test_optimised_frames_flicker_less() -> None:
    optimize = Optimize(backbone=small_backbone(), **{"steps": 24, "max_size": 96, **OPTIONS})
    optimize.set_style(load_artwork("river-dots", 96))
    frames = [as_picture(pixels).tensor() for pixels in source()]
    alone = mean_warping_error(paint(optimize, 0), frames)
    together = mean_warping_error(paint(optimize, 0.7), frames)
    assert 0 < together < 0.6 * alone


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

        def stylize(self, frame: Picture, mask: object, guide: Guide | None) -> Result:
            return Result(Picture.from_tensor(guide.image) if guide else frame, {})

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

        def stylize(self, frame: Picture, mask: object, guide: Guide) -> Result:
            guides.append(guide)
            return Result(frame, {})

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


def test_smoothed_statistics_are_running_means() -> None:
    random = torch.Generator().manual_seed(0)
    maps = [torch.rand(1, 3, 6, 5, generator=random) * (i + 1) for i in range(3)]
    scale, shift = torch.rand(2, 1, 3, generator=random).unbind()
    norm = Smoothed(0.25)
    pixels = np.empty((3, 0))
    shares = np.empty(0)
    for i, each in enumerate(maps):
        found = norm(each, scale, shift)
        norm.next_frame()
        # All pixels so far, those of each frame by its weight in a running mean.
        x = each[0].double().numpy()
        pixels = np.concatenate([pixels, x.reshape(3, -1)], axis=1)
        newest = 0.25 if i else 1.0
        shares = np.concatenate([shares * (1 - newest), np.full(30, newest / 30)])
        means = (pixels * shares).sum(1)
        deviations = np.sqrt(((pixels - means[:, None]) ** 2 * shares).sum(1) + 1e-5)
        normed = (x - means[:, None, None]) / deviations[:, None, None]
        expected = normed * scale[0, :, None, None].numpy() + shift[0, :, None, None].numpy()
        np.testing.assert_allclose(found[0], expected, atol=1e-4)
    forgetful = Smoothed(1.0)
    for each in maps:
        torch.testing.assert_close(forgetful(each, scale, shift), instance_norm(each, scale, shift))
        forgetful.next_frame()
