"""Training of the arbitrary style network: batches, progress, resumption, the model file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

from impasto.backbones import load_backbone
from impasto.networks import Arbitrary
from impasto.training.arbitrary import ArbitraryBatch, ArbitraryTask
from impasto.training.data import PictureFolder
from impasto.training.loop import Trainer
from tests.training.networks import arbitrary_recipe, write_artworks, write_photos

Start = Callable[..., "Trainer[ArbitraryBatch]"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    root = tmp_path_factory.mktemp("data")
    return write_photos(root / "photos"), write_artworks(root / "artworks")


@pytest.fixture
def start(folders: tuple[Path, Path]) -> Start:
    def make(**changes: Any) -> Trainer[ArbitraryBatch]:
        photos, artworks = map(PictureFolder, folders)
        recipe = arbitrary_recipe(**changes)
        task = ArbitraryTask(recipe, photos, artworks, load_backbone("lite"))
        return Trainer(task, "cpu", "float32")

    return make


def test_some_photos_are_their_own_style(start: Start) -> None:
    (all_own,) = start(identity=1.0).batch(0)
    assert torch.equal(all_own.contents, all_own.styles)
    (none_own,) = start(identity=0.0).batch(0)
    assert not torch.equal(none_own.contents[0], none_own.styles[0])


def test_equal_seeds_draw_equal_batches(start: Start) -> None:
    task = start(temporal_weight=1.0).task
    first, second, third = (task.batch([Random(seed)]) for seed in (1, 1, 2))
    assert torch.equal(first.contents, second.contents)
    assert torch.equal(first.styles, second.styles)
    assert first.motion is not None and second.motion is not None
    assert torch.equal(first.motion.grid, second.motion.grid)
    assert not torch.equal(first.contents, third.contents)


@pytest.mark.slow
def test_training_lowers_the_held_out_loss(start: Start) -> None:
    trainer = start(steps=60, batch=4, width=8, learning_rate=3e-3, averaging=0.9)
    before = trainer.held_out()
    assert trainer.run() is None
    assert trainer.held_out() < 0.8 * before


def test_a_resumed_run_gives_the_weights_of_the_unbroken_one(start: Start, tmp_path: Path) -> None:
    unbroken = start(temporal_weight=1.0)
    unbroken.run()
    first = start(temporal_weight=1.0)
    for _ in range(3):
        first.advance()
    first.save(tmp_path / "run.pt")
    second = start(temporal_weight=1.0)
    second.resume(tmp_path / "run.pt")
    second.run()
    for name, value in unbroken.average.state_dict().items():
        assert torch.equal(second.average.state_dict()[name], value), name


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
    assert 0.6 < sheet.size[0] / sheet.size[1] < 1.2
