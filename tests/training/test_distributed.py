"""Training by several processes: the same samples, the same weights, one writer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from impasto.backbones import load_backbone
from impasto.errors import InputError
from impasto.pictures import load_artwork
from impasto.training.distributed import World
from impasto.training.fast import FastTask, NamedStyle
from impasto.training.painting import PaintingBatch
from impasto.training.trainer import Trainer
from tests.training.networks import fast_recipe, write_photos

ROOT = Path(__file__).resolve().parents[2]
STEPS = 6
# In these steps weights move by up to 2e-4, the table by eight times that. Sums of floats in
# another order differ by 1e-7 of the gradient, which Muon, in bfloat16, turns into 1 % of a step.
TOLERANCE = 2e-5
# The shifts of the block's last normalisation: the next one takes them away again, so their
# gradients are rounding errors, which Adam brings to full size.
IDLE = slice(40, 56)

Start = Callable[..., "Trainer[PaintingBatch[Tensor]]"]


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("data") / "photos")


@pytest.fixture
def start(photos: Path) -> Start:
    styles = [NamedStyle(name, load_artwork(name, 64)) for name in ("night-wind", "stained-glass")]

    def make(
        world: World | None = None, accumulate: int = 1, **changes: Any
    ) -> Trainer[PaintingBatch[Tensor]]:
        recipe = fast_recipe(batch=4, steps=STEPS, temporal_weight=1.0, **changes)
        task = FastTask(recipe, photos, styles, load_backbone("lite"))
        return Trainer(task, "cpu", "float32", world=world, accumulate=accumulate)

    return make


def pictures(parts: list[PaintingBatch[Tensor]]) -> list[Tensor]:
    """Everything drawn, picture by picture."""
    found = []
    for part in parts:
        assert part.motion is not None
        flat = (part.contents, part.styles, part.motion.grid, part.motion.noise)
        found += [torch.cat([each[i].flatten() for each in flat]) for i in range(len(flat[0]))]
    return found


@pytest.mark.parametrize(("size", "parts"), [(1, 4), (2, 1), (2, 2), (4, 1)])
def test_a_batch_has_the_same_pictures_however_it_is_divided(
    start: Start, size: int, parts: int
) -> None:
    whole = pictures(start().batch(3))
    divided = [
        picture
        for rank in range(size)
        for picture in pictures(start(World(rank, size), parts).batch(3))
    ]
    assert len(divided) == len(whole) == 4
    for one, other in zip(divided, whole, strict=True):
        assert torch.equal(one, other)


def test_accumulated_gradients_give_the_same_weights(start: Start) -> None:
    whole, parts = start(), start(accumulate=2)
    whole.run()
    parts.run()
    assert_alike(parts.network.state_dict(), whole.network.state_dict())
    assert parts.losses() == pytest.approx(whole.losses(), rel=1e-4, abs=1e-8)


@pytest.mark.parametrize(("size", "parts"), [(3, 1), (2, 4), (1, 0)])
def test_what_cannot_be_divided_is_refused(size: int, parts: int) -> None:
    with pytest.raises(InputError, match="a batch of 4 cannot be divided among"):
        World(0, size).shares(4, parts)


def assert_alike(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    for name, value in expected.items():
        difference = (found[name] - value).abs()
        if name == "table":
            difference[:, 1, IDLE] = 0
        assert difference.max() < TOLERANCE, name


def torchrun(photos: Path, output: Path, *options: str, processes: int = 2) -> str:
    style = output.parent / "style.png"
    load_artwork("night-wind", 64).pil().save(style)
    line = ["fast", "--photos", str(photos), "--styles", str(style), "-o", str(output)]
    line += ["--width", "4", "--blocks", "1", "--batch", "4", "--size", "32", "--start", "scratch"]
    line += ["--steps", str(STEPS), "--style-layers", "relu1_1,relu2_1,relu3_1"]
    line += ["--content-layers", "relu3_1", "--device", "cpu", "--precision", "float32", *options]
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    # Without --, torchrun takes --start for one of its own options.
    launch += [f"--nproc-per-node={processes}", "-m", "--", "tests.training.leaving", "train"]
    launch += line
    done = subprocess.run(
        launch,
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def state(output: Path) -> dict[str, Any]:
    checkpoint = output.with_suffix(".checkpoint.pt")
    return dict(torch.load(checkpoint, weights_only=True))


@pytest.mark.slow
@pytest.mark.skipif(not torch.distributed.is_available(), reason="torch without distributed")
def test_two_processes_learn_what_one_learns_also_when_resumed(
    photos: Path, tmp_path: Path
) -> None:
    outputs = {name: tmp_path / f"{name}.safetensors" for name in ("one", "two", "broken")}
    torchrun(photos, outputs["one"], processes=1)
    told = torchrun(photos, outputs["two"], "--history", str(tmp_path / "losses.json"))
    assert told.count("6 of 6 steps") == 1  # one process reports
    torchrun(photos, outputs["broken"], "--minutes", "0", "--accumulate", "2")
    torchrun(photos, outputs["broken"], "--resume", "--accumulate", "2")
    one, two, broken = (state(output) for output in outputs.values())
    for kind in ("network", "average"):
        assert_alike(two[kind], one[kind])
        assert_alike(broken[kind], one[kind])
    # Losses are those of the whole batch, not of one process's share of it.
    losses = json.loads((tmp_path / "losses.json").read_text())
    assert len(losses) == STEPS
    for (_, _, expected), (_, _, found) in zip(one["history"], two["history"], strict=True):
        assert found == pytest.approx(expected, rel=1e-3)
    names = {path.suffix for path in tmp_path.iterdir()}
    assert names == {".png", ".pt", ".safetensors", ".json"}
