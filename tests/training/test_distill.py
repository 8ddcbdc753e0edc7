"""The distillation: its errors against NumPy, its progress, exact resumption, its command."""

from __future__ import annotations

import argparse
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from impasto.backbones.lite import Lite
from impasto.cli import train as command
from impasto.errors import InputError
from impasto.training import distill
from impasto.training.crops import Crops, add_noise
from impasto.training.data import PictureFolder
from impasto.training.distill import Distillation, Recipe, difference_error, errors
from impasto.training.painting import paint
from tests.training.teachers import small_teacher

RECIPE = Recipe(
    widths=(4,) * 11,
    steps=8,
    learning_rate=3e-3,
    cool_down=4,
    batch=3,
    size=32,
    fit_batches=3,
    on_policy_every=2,
    on_policy_steps=4,
    on_policy_pool=30,
)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    random = np.random.default_rng(0)
    for name in ("photos", "artworks"):
        (tmp_path / name).mkdir()
        for index in range(3):
            pixels = random.integers(0, 256, (5, 6, 3), dtype=np.uint8)
            picture = Image.fromarray(pixels).resize((60, 50), Image.Resampling.BICUBIC)
            picture.save(tmp_path / name / f"{index}.png")
    return tmp_path / "photos", tmp_path / "artworks"


@pytest.fixture
def start(folders: tuple[Path, Path]) -> Callable[[Recipe], Distillation]:
    def make(recipe: Recipe) -> Distillation:
        crops = Crops(PictureFolder(folders[0]), PictureFolder(folders[1]), recipe.size)
        return Distillation(recipe, small_teacher(), crops)

    return make


def test_errors_are_those_of_the_formulas() -> None:
    random = np.random.default_rng(0)
    maps, target = random.normal(size=(2, 3, 4, 5)), random.normal(size=(2, 3, 4, 5))
    of_map, of_gram, of_covariance = (0.0, 0.0, 0.0)
    for ours, theirs in zip(maps.reshape(2, 3, 20), target.reshape(2, 3, 20), strict=True):
        square, size = np.square(ours - theirs).sum() / 20, np.square(theirs).sum() / 20
        of_map += square / (size / 2 + 7 / 2) / 2
        gram, true_gram = ours @ ours.T / 20, theirs @ theirs.T / 20
        of_gram += float(np.linalg.norm(gram - true_gram) / np.linalg.norm(true_gram)) / 2
        cov, true_cov = np.cov(ours, bias=True), np.cov(theirs, bias=True)
        size = np.linalg.norm(true_cov) + 0.05 * np.linalg.norm(true_gram)
        of_covariance += float(np.linalg.norm(cov - true_cov) / size) / 2
    found = errors(torch.tensor(maps).float(), torch.tensor(target).float(), 7.0)
    assert [float(value) for value in found] == pytest.approx(
        [of_map, of_gram, of_covariance], rel=1e-4
    )


def test_errors_of_equal_maps_are_zero_with_a_finite_gradient() -> None:
    maps = torch.rand(1, 3, 4, 4, requires_grad=True)
    found = errors(maps, maps.detach(), 1.0)
    sum(found).backward()  # type: ignore[union-attr]
    assert [float(value.detach()) for value in found] == pytest.approx([0, 0, 0], abs=1e-3)
    assert maps.grad is not None
    assert maps.grad.isfinite().all()


def test_coordinates_keep_the_distances_of_the_teacher(
    start: Callable[[Recipe], Distillation],
) -> None:
    """With as many coordinates as channels, nothing is lost."""
    run = start(replace(RECIPE, widths=(6,) * 11))
    run.start()
    images = torch.rand(2, 3, 32, 32)
    ours, theirs = run.targets(images)["relu3_1"], run.teacher(images, ["relu3_1"])["relu3_1"]
    distance = float((theirs[0] - theirs[1]).norm())
    assert float((ours[0] - ours[1]).norm()) == pytest.approx(distance, rel=1e-4)


def error_of(run: Distillation) -> float:
    """The loss on fresh crops."""
    images = run.crops.batch(8, Random("fresh"))
    targets = run.targets(images)
    with torch.no_grad():
        maps = run.average(images, targets)
        return float(distill.total_error(maps, targets, run.targets.power))


def test_training_brings_the_student_nearer_and_goes_on_from_there(
    start: Callable[[Recipe], Distillation],
) -> None:
    run = start(replace(RECIPE, steps=40, on_policy_every=100))
    run.start()
    before = error_of(run)
    for _ in range(40):
        run.advance()
    after = error_of(run)
    assert after < 0.9 * before
    another = start(replace(RECIPE, start="trained", seed=1, batch=4))
    another.start(run.average)
    # Other crops to fit on, so other axes and heads, but the same trunk.
    assert error_of(another) < (before + after) / 2
    assert another.step == 0


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_resumed_run_gives_the_weights_of_the_unbroken_one(
    start: Callable[[Recipe], Distillation], tmp_path: Path, dtype: torch.dtype
) -> None:
    unbroken = start(RECIPE)
    unbroken.teacher.to(dtype)
    unbroken.start()
    for _ in range(RECIPE.steps):
        unbroken.advance()

    first = start(RECIPE)
    first.teacher.to(dtype)
    first.start()
    for _ in range(5):  # two rounds of painting are behind it, one is to come
        first.advance()
    first.save(tmp_path / "run.pt")
    second = start(RECIPE)  # on a machine of another precision: that of the checkpoint counts
    second.resume(tmp_path / "run.pt")
    assert second.step == 5
    while second.step < RECIPE.steps:
        second.advance()

    assert second.loss == unbroken.loss
    for name, value in unbroken.average.state_dict().items():
        assert torch.equal(second.average.state_dict()[name], value), name


def test_a_checkpoint_of_another_recipe_is_refused(
    start: Callable[[Recipe], Distillation], tmp_path: Path
) -> None:
    run = start(RECIPE)
    run.start()
    run.save(tmp_path / "run.pt")
    with pytest.raises(InputError, match="steps 8"):
        start(replace(RECIPE, steps=9)).resume(tmp_path / "run.pt")


@pytest.mark.parametrize("content", [None, b"", b"no checkpoint"])
def test_what_is_no_checkpoint_is_refused(
    start: Callable[[Recipe], Distillation], tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "run.pt").write_bytes(content)
    with pytest.raises(InputError, match="cannot resume"):
        start(RECIPE).resume(tmp_path / "run.pt")


def test_the_written_weights_make_a_backbone(
    start: Callable[[Recipe], Distillation], tmp_path: Path
) -> None:
    run = start(RECIPE)
    run.start()
    run.advance()
    run.write(tmp_path / "lite.safetensors")
    state = load_file(tmp_path / "lite.safetensors")
    assert {value.dtype for value in state.values()} == {torch.float16}
    image = torch.rand(1, 3, 32, 32)
    ours = Lite(state).freeze()(image, ["relu5_1"])["relu5_1"]
    theirs = run.average(image, ["relu5_1"])["relu5_1"]
    torch.testing.assert_close(ours, theirs, atol=0.01 * float(theirs.abs().max()), rtol=0)


def test_the_error_of_differences_is_that_of_the_formula() -> None:
    random = np.random.default_rng(0)
    maps, target = random.normal(size=(2, 5, 3, 4, 5))

    def gram(image: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = image.reshape(3, 20)
        return np.asarray(rows @ rows.T / 20)

    expected = 0.0
    for picture, style in ((1, 3), (2, 4)):
        ours = gram(maps[picture]) - gram(maps[style])
        theirs = gram(target[picture]) - gram(target[style])
        size = np.linalg.norm(gram(target[style]))
        expected += float(np.linalg.norm(ours - theirs) / size) / 2
    found = difference_error(torch.tensor(maps).float(), torch.tensor(target).float(), 2)
    assert float(found) == pytest.approx(expected, rel=1e-4)


def test_what_is_painted_comes_with_its_style(start: Callable[[Recipe], Distillation]) -> None:
    run = start(RECIPE)
    run.start()
    before = {name: value.clone() for name, value in run.average.state_dict().items()}
    pair = paint(run.average, run.crops, Random(0), 4, torch.float32)
    rng = Random(0)
    [rng.randint(3, 4), rng.uniform(0, 1), rng.randrange(2**31)]
    content, style = run.crops.photo(rng), run.crops.artwork(rng)
    assert pair.shape == (2, 3, 32, 32)
    assert pair.dtype == torch.uint8
    torch.testing.assert_close(pair[1] / 255, style, atol=0.003, rtol=0)
    assert float((pair[0] / 255 - content).abs().mean()) > 0.005
    for name, value in run.average.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_noise_stays_within_the_range_and_follows_the_seed() -> None:
    crop = torch.rand(3, 30, 30)
    for seed in range(12):
        noisy = add_noise(crop, Random(seed))
        assert noisy.shape == crop.shape
        assert 0 <= noisy.min() <= noisy.max() <= 1
        assert not torch.equal(noisy, crop)
        assert torch.equal(noisy, add_noise(crop, Random(seed)))


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser()
    command.add_parser(parser.add_subparsers())
    return parser


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A weights file for the command, of a teacher and a recipe that take no time."""
    weights = tmp_path / "teacher.safetensors"
    save_file(small_teacher().state_dict(), weights)
    monkeypatch.setattr(
        "impasto.backbones.load_backbone", lambda name, weights=None: small_teacher()
    )
    monkeypatch.setattr(distill, "Recipe", lambda **settings: replace(RECIPE, **settings))
    return weights


def test_the_command_trains_skips_and_resumes(
    parser: argparse.ArgumentParser,
    small: Path,
    folders: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (folders[0] / "bad.png").write_bytes(b"bad")
    output = tmp_path / "out" / "lite.safetensors"
    output.parent.mkdir()
    line = ["train", "backbone", "--photos", str(folders[0]), "--artworks", str(folders[1])]
    line += ["--weights", str(small), "-o", str(output), "--steps", "9"]
    arguments = parser.parse_args([*line, "--minutes", "0"])
    assert arguments.run(arguments) == 0
    assert "0 of 9 steps" in capsys.readouterr().out

    arguments = parser.parse_args(line)
    with pytest.raises(InputError, match="--resume"):
        arguments.run(arguments)

    arguments = parser.parse_args([*line, "--resume"])
    assert arguments.run(arguments) == 0
    captured = capsys.readouterr()
    assert "9 of 9 steps" in captured.out
    assert "1 pictures" in captured.err or "1 picture " in captured.err
    assert Lite(load_file(output)).layers[-1] == "relu5_1"
    assert sorted(path.name for path in output.parent.iterdir()) == [
        "lite.checkpoint.pt",
        "lite.safetensors",
    ]


def test_ctrl_c_keeps_what_is_learnt(
    parser: argparse.ArgumentParser,
    small: Path,
    folders: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        output = tmp_path / "lite.safetensors"
        line = ["train", "backbone", "--photos", str(folders[0]), "--artworks", str(folders[1])]
        line += ["--weights", str(small), "--steps", "5", "-o", str(output)]
        advance = Distillation.advance

        def interrupted(run: Distillation) -> None:
            signal.raise_signal(signal.SIGINT)
            advance(run)

        monkeypatch.setattr(Distillation, "advance", interrupted)
        arguments = parser.parse_args(line)
        assert arguments.run(arguments) == 130
        with safe_open(output, "pt") as file:
            assert file.metadata()["steps"] == "1"
        monkeypatch.setattr(Distillation, "advance", advance)
        arguments = parser.parse_args([*line, "--resume"])
        assert arguments.run(arguments) == 0
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)


def test_the_command_goes_on_from_what_it_wrote(
    parser: argparse.ArgumentParser,
    small: Path,
    folders: tuple[Path, Path],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    first, second = tmp_path / "first.safetensors", tmp_path / "second.safetensors"
    line = ["train", "backbone", "--photos", str(folders[0]), "--artworks", str(folders[1])]
    line += ["--weights", str(small), "--steps", "1", "-o"]
    arguments = parser.parse_args([*line, str(first)])
    assert arguments.run(arguments) == 0
    again = [*line, str(second), "--start", str(first), "--batch", "4", "--size", "40"]
    arguments = parser.parse_args(again)
    assert arguments.run(arguments) == 0
    assert "heads" in capsys.readouterr().err
    ours, theirs = load_file(second), load_file(first)
    name = "features.0.weight"
    torch.testing.assert_close(ours[name], theirs[name], atol=0.02, rtol=0)

    first.write_bytes(b"no weights")
    arguments = parser.parse_args([*line, str(tmp_path / "third.safetensors"), *again[-6:-4]])
    with pytest.raises(InputError, match="first"):
        arguments.run(arguments)


@pytest.mark.parametrize(
    ("name", "value"),
    [("batch", 2), ("size", 31), ("learning_rate", 0.0), ("learning_rate", float("nan"))],
)
def test_a_recipe_that_cannot_be_is_refused(name: str, value: Any) -> None:
    with pytest.raises(InputError, match=name.replace("_", " ")):
        replace(RECIPE, **{name: value})


@pytest.mark.parametrize("output", ["lite.pth", "nowhere/lite.safetensors"])
def test_an_output_that_cannot_be_is_refused_at_once(
    parser: argparse.ArgumentParser, tmp_path: Path, output: str
) -> None:
    arguments = parser.parse_args(
        ["train", "backbone", "--photos", ".", "--artworks", ".", "-o", str(tmp_path / output)]
    )
    with pytest.raises(InputError, match="output"):
        arguments.run(arguments)
