"""Training of the arbitrary style network: batches, progress, resumption, the model file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from impasto.backbones import load_backbone
from impasto.stylizers.networks.stylizer import Arbitrary
from impasto.training.arbitrary import ArbitraryTask, StyleCrop
from impasto.training.cache import StyleCache
from impasto.training.checkpoint import CheckpointFile, State
from impasto.training.painting import PaintingBatch
from impasto.training.perceptual import StyleTarget
from impasto.training.trainer import Trainer
from tests.training.networks import arbitrary_recipe, write_artworks, write_photos

Batch = PaintingBatch[Sequence[StyleCrop]]
Start = Callable[..., "Trainer[Batch]"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("data")
    return write_photos(root / "photos"), write_artworks(root / "artworks")


@pytest.fixture
def start(folders: tuple[Path, Path]) -> Start:
    def make(state: State | None = None, **changes: Any) -> Trainer[Batch]:
        task = ArbitraryTask(arbitrary_recipe(**changes), *folders, load_backbone("lite"))
        return Trainer(task, "cpu", "float32", state=state)

    return make


def test_some_photos_are_their_own_style(start: Start) -> None:
    (all_own,) = start(identity=1.0).batch(0)
    for content, style in zip(all_own.contents, all_own.styles, strict=True):
        assert style.image is not None and torch.equal(content, style.image)
    (none_own,) = start(identity=0.0).batch(0)
    assert not torch.equal(none_own.contents[0], image_of(none_own, 0))


def image_of(batch: Batch, number: int) -> torch.Tensor:
    image = batch.styles[number].image
    assert image is not None
    return image


def test_equal_seeds_draw_equal_batches(start: Start) -> None:
    task = start(temporal_weight=1.0).task
    first, second, third = (task.batch([Random(seed)]) for seed in (1, 1, 2))
    assert torch.equal(first.contents, second.contents)
    assert torch.equal(image_of(first, 0), image_of(second, 0))
    assert first.motion is not None and second.motion is not None
    assert torch.equal(first.motion.grid, second.motion.grid)
    assert not torch.equal(first.contents, third.contents)


@pytest.mark.slow
def test_training_lowers_the_held_out_loss(start: Start) -> None:
    trainer = start(steps=60, batch=4, width=8, learning_rate=1e-2, averaging=0.9)
    before = trainer.held_out()
    assert trainer.run() is None
    # The network begins as a recolouring that is hard to beat in so few steps.
    assert trainer.held_out() < 0.995 * before


@pytest.mark.parametrize("crops", [0, 1])
def test_a_resumed_run_gives_the_weights_of_the_unbroken_one(
    start: Start, tmp_path: Path, crops: int
) -> None:
    """Also where it begins without the statistics that the unbroken one has kept."""
    changes = {"temporal_weight": 1.0, "crops": crops}
    unbroken = start(**changes)
    unbroken.run()
    first = start(**changes)
    for _ in range(3):
        first.advance()
    checkpoint = CheckpointFile(tmp_path / "run.pt")
    checkpoint.write(first.state())
    second = start(state=checkpoint.read(first.task.settings), **changes)
    second.run()
    for name, value in unbroken.average.state_dict().items():
        assert torch.equal(second.average.state_dict()[name], value), name


def test_a_crop_that_comes_again_is_not_read_again(start: Start) -> None:
    trainer = start(crops=1, identity=0.0, steps=40)
    seen = set()
    for step in range(40):
        (batch,) = trainer.batch(step)
        for style in batch.styles:
            assert (style.image is None) == (style.key in seen)
        trainer.advance([batch])
        seen |= {style.key for style in batch.styles}
    assert 2 < len(seen) <= 8  # pictures that are not held out
    assert start(crops=0).batch(0)[0].styles[0].image is not None


def test_what_is_kept_is_what_is_measured_up_to_rounding() -> None:
    large, small = 1e6 * torch.rand(1, 70, 70), torch.rand(1, 70)
    target = StyleTarget({"second": large, "mean": small})
    keeping, full = StyleCache(10**6), StyleCache(9999)
    for cache in (keeping, full):
        first = cache("a", lambda: target)
        torch.testing.assert_close(first.tensors["second"], large, rtol=1e-3, atol=1e3)
        torch.testing.assert_close(first.tensors["mean"], small, rtol=0, atol=0)
    assert "a" in keeping and "a" not in full
    again = keeping("a", lambda: pytest.fail("it was kept"))
    assert torch.equal(again.tensors["second"], first.tensors["second"])


def test_the_written_model_paints_as_the_averaged_network(start: Start, tmp_path: Path) -> None:
    trainer = start()
    trainer.run()
    trainer.write(tmp_path / "model.safetensors")
    painter = Arbitrary(model=str(tmp_path / "model.safetensors"), device="cpu")
    content, style = torch.rand(1, 3, 24, 24), torch.rand(1, 3, 40, 30)
    painter.set_style(style)
    expected = trainer.average(content, trainer.average.encode(style))  # type: ignore[operator]
    torch.testing.assert_close(painter.apply(content), expected, atol=5e-3, rtol=0)


def test_the_sheet_shows_photos_below_styles(start: Start) -> None:
    sheet = start().sheet()
    assert sheet.rgb.std() > 0.05
    assert 0.8 < sheet.size[0] / sheet.size[1] < 1.2
