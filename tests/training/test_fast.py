"""Training of the per-style network: losses, progress, resumption, checkpoints."""

from __future__ import annotations

import csv
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from impasto.backbones import load_backbone
from impasto.errors import ImpastoError, InputError
from impasto.events import Step
from impasto.image import Picture
from impasto.losses import gram_loss, moments, wasserstein_loss
from impasto.pictures import load_artwork
from impasto.stylizers.networks.model_files import load_model
from impasto.stylizers.networks.network import FastNetwork
from impasto.stylizers.networks.stylizer import Fast
from impasto.training import augment, checkpoint
from impasto.training.checkpoint import CheckpointFile, State
from impasto.training.fast import FastTask, NamedStyle
from impasto.training.painting import PaintingBatch
from impasto.training.perceptual import FrameMotion, PerceptualLoss, StyleTarget, steadiness
from impasto.training.trainer import Trainer
from tests.training.networks import fast_recipe, write_photos

TERMS = ("content", "style", "bands", "checkerboard")
Start = Callable[..., "Trainer[PaintingBatch[Tensor]]"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("data") / "photos")


@pytest.fixture(scope="module")
def styles() -> list[NamedStyle]:
    names = ("night-wind", "stained-glass")
    return [NamedStyle(name, load_artwork(name, 96), "drawn by code") for name in names]


@pytest.fixture
def start(photos: Path, styles: list[NamedStyle]) -> Start:
    def make(state: State | None = None, **changes: Any) -> Trainer[PaintingBatch[Tensor]]:
        task = FastTask(fast_recipe(**changes), photos, styles, load_backbone("lite"))
        return Trainer(task, "cpu", "float32", state=state)

    return make


@pytest.mark.parametrize("style_loss", ["gram", "w2", "gram+w2"])
def test_losses_of_a_batch_are_the_mean_of_those_of_its_pictures(style_loss: str) -> None:
    """Dark and bright ones together: no picture may outweigh the others."""
    recipe = fast_recipe(style_loss=style_loss, tv_weight=2.0)
    loss = PerceptualLoss(load_backbone("lite"), recipe)
    torch.manual_seed(0)
    bright = torch.tensor([1.0, 0.1, 0.5])[:, None, None, None]
    painted, contents, images = (bright * torch.rand(3, 3, 32, 32) for _ in range(3))
    target = loss.style(images)
    together = loss(painted, contents, target)
    singles = [
        loss(painted[i, None], contents[i, None], loss.style(images[i, None])) for i in range(3)
    ]
    assert set(together) == {*TERMS, "tv"}
    for name, value in together.items():
        mean = np.mean([float(single[name]) for single in singles])
        assert float(value) == pytest.approx(mean, rel=1e-3), name


@pytest.mark.parametrize(
    ("w2_channels", "by_w2"), [(0, set()), (16, {"relu1_1"}), (256, {"relu1_1", "relu2_1"})]
)
def test_w2_is_compared_in_layers_that_are_narrow_and_large_enough(
    w2_channels: int, by_w2: set[str]
) -> None:
    """Here relu3_1 has 96 channels and 64 positions."""
    recipe = fast_recipe(w2_channels=w2_channels)
    loss = PerceptualLoss(load_backbone("lite"), recipe)
    painted, contents, image = torch.rand(3, 1, 3, 32, 32).unbind()
    found = loss(painted, contents, loss.style(image))["style"]
    expected = 0.0
    for layer in recipe.style_layers:
        ours, theirs = (moments(loss.backbone(each, [layer])[layer]) for each in (painted, image))
        expected += float(gram_loss(ours, theirs))
        expected += float(wasserstein_loss(ours, theirs)) if layer in by_w2 else 0
    assert float(found) == pytest.approx(recipe.style_weight * expected / 3, rel=1e-3)


def test_only_what_is_rougher_than_the_artwork_costs_something() -> None:
    painted, style = torch.rand(2, 1, 3, 32, 32)
    loss = PerceptualLoss(load_backbone("lite"), fast_recipe())
    smooth = torch.full_like(painted, 0.5)
    assert float(loss(smooth, smooth, loss.style(style))["bands"]) == 0
    assert float(loss(painted, painted, loss.style(smooth))["bands"]) > 1


def test_the_border_of_a_picture_is_no_edge_to_the_loss() -> None:
    """Beside zeros it is one, and networks paint a frame against it."""
    loss = PerceptualLoss(load_backbone("lite"), fast_recipe())
    flat = torch.tensor([0.9, 0.2, 0.1])[:, None, None].expand(1, 3, 64, 64)
    for maps in loss.backbone(flat, ["relu1_1", "relu3_1", "relu5_1"]).values():
        torch.testing.assert_close(maps, maps[..., :1, :1].expand_as(maps), rtol=1e-3, atol=1e-3)


def test_targets_are_chosen_by_number() -> None:
    loss = PerceptualLoss(load_backbone("lite"), fast_recipe())
    images = torch.rand(3, 3, 32, 32)
    joined = StyleTarget.cat(loss.style(image[None]) for image in images)
    chosen, direct = joined[torch.tensor([2, 0])], loss.style(images[[2, 0]])
    assert {"bands", "relu2_1 root", "relu3_1 second"} <= set(direct.tensors)
    for name, value in direct.tensors.items():
        torch.testing.assert_close(chosen.tensors[name], value, atol=1e-3, rtol=1e-2)


def test_painting_that_commutes_with_motion_is_steady() -> None:
    frames = torch.rand(2, 3, 40, 40)
    grids = torch.stack([augment.motion(40, Random(seed)) for seed in range(2)])
    move = FrameMotion(grids, torch.zeros(2, 3, 40, 40))
    inverted = steadiness(1 - frames, frames, lambda images: 1 - images, move)
    assert float(inverted) == pytest.approx(0, abs=1e-6)
    ramp = torch.linspace(0, 1, 40).expand_as(frames)
    fixed = steadiness((frames + ramp) / 2, frames, lambda images: (images + ramp) / 2, move)
    assert float(fixed) > 0.01


def test_motion_is_smooth_and_small() -> None:
    grid = torch.stack([augment.motion(64, Random(seed)) for seed in range(20)])
    still = torch.nn.functional.affine_grid(torch.eye(2, 3)[None], [1, 3, 64, 64], False)
    pixels = (grid - still) * 32
    assert 3 < pixels.std() < 20
    assert pixels.diff(dim=1).abs().max() < 4
    assert 0.3 < augment.inside(grid).mean() < 1


def test_jitter_keeps_the_range_and_zero_changes_nothing() -> None:
    image = torch.rand(3, 8, 8)
    torch.testing.assert_close(augment.jitter(image, Random(0), 0.0), image)
    for seed in range(10):
        changed = augment.jitter(image, Random(seed), 0.5)
        assert 0 <= changed.min() <= changed.max() <= 1
        assert not torch.allclose(changed, image)


@pytest.mark.slow
def test_training_lowers_the_held_out_loss(start: Start) -> None:
    trainer = start(steps=120, batch=4, width=8, learning_rate=1e-2, averaging=0.9)
    before = trainer.held_out()
    assert trainer.run() is None
    assert trainer.held_out() < 0.9 * before


def test_a_resumed_run_gives_the_weights_of_the_unbroken_one(start: Start, tmp_path: Path) -> None:
    unbroken = start(temporal_weight=1.0)
    assert unbroken.run() is None

    first, file = start(temporal_weight=1.0), CheckpointFile(tmp_path / "run.pt")
    assert first.run(checkpoint=file, callbacks=[_stop_after(4)]) == "stopped"
    second = start(temporal_weight=1.0, state=file.read(first.task.settings))
    assert second.step == 4
    assert second.run() is None
    for name, value in unbroken.network.state_dict().items():
        assert torch.equal(second.network.state_dict()[name], value), name
    for name, value in unbroken.average.state_dict().items():
        assert torch.equal(second.average.state_dict()[name], value), name
    assert [r.losses for r in second.history.records] == [
        r.losses for r in unbroken.history.records
    ]


def _stop_after(count: int) -> Callable[[Step], None]:
    def stop(step: Step) -> None:
        if step.step == count:
            step.stop()

    return stop


def test_statistics_stay_exact_in_mixed_precision(
    start: Start, photos: Path, styles: list[NamedStyle]
) -> None:
    exact = start()
    task = FastTask(exact.recipe, photos, styles, load_backbone("lite"))  # type: ignore[arg-type]
    mixed = Trainer(task, "cpu", "bfloat16")
    for trainer in (exact, mixed):
        trainer.advance()
    assert mixed.losses() != exact.losses()
    assert mixed.losses() == pytest.approx(exact.losses(), rel=0.05, abs=1e-3)
    assert all(value.dtype == torch.float32 for value in mixed.network.parameters())


def test_batches_prepared_ahead_are_those_of_their_steps(start: Start) -> None:
    threaded, plain = start(), start()
    threaded.run()
    for _ in range(plain.recipe.steps):
        plain.advance()
    for name, value in plain.network.state_dict().items():
        assert torch.equal(threaded.network.state_dict()[name], value), name


@pytest.fixture
def default_interrupt() -> Iterator[None]:
    """Ctrl-C as Python handles it; a process of pytest-xdist may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("default_interrupt")
def test_time_and_ctrl_c_keep_a_checkpoint(start: Start, tmp_path: Path) -> None:
    def interrupt(step: Step) -> None:
        if step.step == 2:
            signal.raise_signal(signal.SIGINT)

    trainer, file = start(), CheckpointFile(tmp_path / "run.pt")
    assert trainer.run(checkpoint=file, seconds=0) == "time"
    assert trainer.run(checkpoint=file, callbacks=[interrupt]) == "interrupted"
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert start(state=file.read(trainer.task.settings)).step == 2


def test_a_full_disk_keeps_the_old_checkpoint(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, path = start(), tmp_path / "run.pt"
    file = CheckpointFile(path)
    file.write(trainer.state())
    before = path.read_bytes()

    def fill(_state: object, file: Path) -> None:
        file.write_bytes(b"half of it")
        raise RuntimeError("PytorchStreamWriter failed writing file data")

    monkeypatch.setattr(torch, "save", fill)
    monkeypatch.setattr(checkpoint, "SECONDS", 0.0)
    with pytest.raises(ImpastoError, match="cannot write the checkpoint"):
        trainer.run(checkpoint=file)
    assert trainer.step == trainer.recipe.steps
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


def test_a_loss_that_is_not_finite_stops_the_run_and_spares_the_checkpoint(
    start: Start, tmp_path: Path
) -> None:
    trainer, path = start(), tmp_path / "run.pt"
    file = CheckpointFile(path)
    file.write(trainer.state())
    before = path.read_bytes()
    trainer.network.painter.head.bias.data.fill_(torch.nan)  # type: ignore[union-attr, operator]
    with pytest.raises(ImpastoError, match="not finite at step"):
        trainer.run(checkpoint=file)
    assert path.read_bytes() == before


@pytest.mark.parametrize("content", [None, b"", b"no checkpoint"])
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "run.pt").write_bytes(content)
    with pytest.raises(InputError, match="cannot resume"):
        CheckpointFile(tmp_path / "run.pt").read({})


def test_a_checkpoint_of_another_recipe_is_refused(start: Start, tmp_path: Path) -> None:
    file = CheckpointFile(tmp_path / "run.pt")
    file.write(start().state())
    with pytest.raises(InputError, match="steps 6"):
        file.read(start(steps=7).task.settings)


def test_the_written_model_paints_as_the_averaged_network(start: Start, tmp_path: Path) -> None:
    trainer = start()
    trainer.run()
    trainer.write(tmp_path / "model.safetensors")
    fast = Fast(model=str(tmp_path / "model.safetensors"), device="cpu")
    assert fast.styles == ("night-wind", "stained-glass")
    image = torch.rand(1, 3, 24, 24)
    expected = trainer.average(image, torch.eye(2)[1:])
    fast.set_style("stained-glass")
    torch.testing.assert_close(fast.apply(image), expected, atol=5e-3, rtol=0)
    assert fast.description.recipe["steps_done"] == 6
    assert fast.description.attributions == ("drawn by code",) * 2


def test_styles_that_learn_alone_are_added_to_the_model_before(
    start: Start, photos: Path, styles: list[NamedStyle], tmp_path: Path
) -> None:
    """Its painter and its other styles stay as they are; one of the same name is replaced."""
    before = start()
    before.advance()
    before.write(tmp_path / "before.safetensors")
    model, known = load_model(tmp_path / "before.safetensors")
    again, new = styles[1], replace(styles[0], name="new", attribution="somebody")
    changes: dict[str, Any] = {"learn": "styles", "steps": 2, "learning_rate": 0.5}
    recipe = fast_recipe(start=str(tmp_path / "before.safetensors"), **changes)
    task = FastTask(recipe, photos, [again, new], load_backbone("lite"))
    trainer = Trainer(task, "cpu", "float32")
    trainer.run()
    trainer.write(tmp_path / "after.safetensors")
    whole, description = load_model(tmp_path / "after.safetensors")
    assert isinstance(model, FastNetwork) and isinstance(whole, FastNetwork)
    assert description.styles == (*known.styles, "new")
    assert description.attributions == ("drawn by code", "drawn by code", "somebody")
    assert torch.equal(whole.table[0], model.table[0])
    assert not torch.equal(whole.table[1], model.table[1])
    for name, value in model.painter.state_dict().items():
        assert torch.equal(whole.painter.state_dict()[name], value)
    with pytest.raises(InputError, match="start from a model"):
        FastTask(fast_recipe(learn="styles"), photos, styles, load_backbone("lite"))


def test_the_sheet_shows_photos_in_all_styles(start: Start) -> None:
    """Four photos and two styles, with the sources beside and above them."""
    sheet = start().sheet()
    assert 1.4 < sheet.size[0] / sheet.size[1] < 1.8
    assert sheet.rgb.std() > 0.05


def test_the_history_is_a_table_of_losses(start: Start, tmp_path: Path) -> None:
    trainer = start()
    trainer.run()
    trainer.history.write(tmp_path / "losses.csv")
    with (tmp_path / "losses.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == [1, 2, 3, 4, 5, 6]
    total = sum(float(rows[-1][term]) for term in TERMS)
    assert float(rows[-1]["total"]) == pytest.approx(total, rel=1e-5)
    assert float(rows[-1]["held-out"]) == pytest.approx(trainer.held_out(), rel=1e-4)


def test_styles_that_cannot_be_are_refused(photos: Path, styles: list[NamedStyle]) -> None:
    def task(*styles: NamedStyle) -> FastTask:
        return FastTask(fast_recipe(), photos, styles, load_backbone("lite"))

    with pytest.raises(InputError, match="no two the same"):
        task(styles[0], replace(styles[1], name=styles[0].name))
    with pytest.raises(InputError, match="no two the same"):
        task()
    dot = NamedStyle("dot", Picture(np.zeros((4, 30, 3), np.float32), name="dot.png"))
    with pytest.raises(InputError, match=r"dot.png is 30 x 4 px here, too small"):
        task(dot)


@pytest.mark.parametrize("changes", [{"size": 8}, {"steps": 0}, {"style_loss": "w3"}])
def test_recipes_that_cannot_be_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(InputError):
        fast_recipe(**changes)
