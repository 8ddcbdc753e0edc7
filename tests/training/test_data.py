"""Folders of pictures: what is found, drawn, and skipped."""

from __future__ import annotations

from pathlib import Path
from random import Random

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from impasto.errors import InputError
from impasto.training.data import Pictures
from tests.image import pngs
from tests.training.networks import write_photos


def write(path: Path, colour: tuple[int, int, int], size: tuple[int, int] = (40, 30)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def test_pictures_are_found_below_and_other_files_are_not(tmp_path: Path) -> None:
    write(tmp_path / "b.PNG", (0, 0, 0))
    write(tmp_path / "deep" / "a.jpg", (0, 0, 0))
    (tmp_path / "notes.txt").write_text("no picture")
    assert [path.name for path in Pictures(tmp_path, 24).paths] == ["b.PNG", "a.jpg"]


@pytest.mark.parametrize("size", [(40, 30), (12, 300), (13, 13), (500, 400)])
def test_a_crop_has_the_colour_of_the_picture(tmp_path: Path, size: tuple[int, int]) -> None:
    write(tmp_path / "a.png", (255, 51, 0), size)
    crop = Pictures(tmp_path, 24).draw(Random(1))
    expected = torch.tensor([1.0, 0.2, 0.0])[:, None, None].expand(3, 24, 24)
    torch.testing.assert_close(crop, expected, atol=1e-6, rtol=0)


def test_a_picture_of_the_size_of_the_crop_comes_as_it_is_or_mirrored(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 16, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    folder = Pictures(tmp_path, 16)
    drawn = [(folder.draw(Random(seed)) * 255).round().numpy() for seed in range(8)]
    plain, mirrored = pixels.transpose(2, 0, 1), pixels[:, ::-1].transpose(2, 0, 1)
    seen = {(np.array_equal(crop, plain), np.array_equal(crop, mirrored)) for crop in drawn}
    assert seen == {(True, False), (False, True)}


def test_equal_seeds_draw_equal_crops(tmp_path: Path) -> None:
    for index in range(5):
        write(tmp_path / f"{index}.png", (index * 50, 0, 0))
    first, second = Pictures(tmp_path, 16, jitter=0.1), Pictures(tmp_path, 16, jitter=0.1)
    for seed in range(4):
        assert torch.equal(first.draw(Random(seed)), second.draw(Random(seed)))


def test_pictures_that_are_too_small_are_skipped(tmp_path: Path) -> None:
    Image.new("RGB", (7, 40), "red").save(tmp_path / "small.png")
    Image.new("RGB", (8, 40), "blue").save(tmp_path / "enough.png")
    folder = Pictures(tmp_path, 16)
    for seed in range(10):
        assert folder.draw(Random(seed))[0].max() == 0
    assert [path.name for path in folder.skipped] == ["small.png"]


def test_corrupt_pictures_are_skipped_and_counted(tmp_path: Path) -> None:
    write(tmp_path / "good.png", (255, 0, 0))
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "garbage.webp").write_bytes(b"RIFF garbage")
    whole = (tmp_path / "good.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    folder = Pictures(tmp_path, 16)
    rng = Random(0)
    for _ in range(20):
        assert folder.draw(rng)[0].min() == 1
    assert {path.name for path in folder.skipped} == {"empty.jpg", "garbage.webp", "cut.png"}


def test_skipping_does_not_change_what_is_drawn_later(tmp_path: Path) -> None:
    """A resumed run meets a corrupt file for the first time where the unbroken one knew it."""
    for index in range(4):
        write(tmp_path / f"{index}.png", (index * 60, 0, 0))
    (tmp_path / "bad.png").write_bytes(b"bad")
    knows, fresh = Pictures(tmp_path, 16), Pictures(tmp_path, 16)
    knows.skipped, fresh.skipped = {tmp_path / "bad.png"}, set()
    for seed in range(20):
        assert torch.equal(knows.draw(Random(seed)), fresh.draw(Random(seed)))
    assert fresh.skipped == knows.skipped


@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK", "P", "1", "I;16"])
def test_any_mode_becomes_rgb(tmp_path: Path, mode: str) -> None:
    suffix = "tif" if mode == "CMYK" else "png"
    Image.new(mode, (20, 20), 1).save(tmp_path / f"a.{suffix}")
    crop = Pictures(tmp_path, 16).draw(Random(0))
    assert crop.shape == (3, 16, 16)
    assert 0 <= crop.min() <= crop.max() <= 1


def test_pictures_are_read_as_everywhere(tmp_path: Path) -> None:
    deep = np.full((20, 20), 32768, np.uint16)
    hidden = np.zeros((20, 20, 4), np.uint8)
    hidden[:, :10], hidden[:, 10:] = (0, 255, 0, 0), (128, 128, 128, 255)
    linear = pngs.png(np.full((20, 20, 3), 55, np.uint8), pngs.gamma(1))
    files = {"deep.png": Image.fromarray(deep), "hidden.png": Image.fromarray(hidden)}
    for name, image in files.items():
        image.save(tmp_path / name)
    (tmp_path / "linear.png").write_bytes(linear)
    tifffile.imwrite(tmp_path / "float.tif", np.full((20, 20), 0.5, np.float32))
    folder = Pictures(tmp_path, 16)
    for seed in range(16):
        crop = folder.draw(Random(seed))
        torch.testing.assert_close(crop, torch.full_like(crop, 0.5), atol=0.01, rtol=0)
    assert len(folder.paths) == 4 and not folder.skipped


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no pictures"):
        Pictures(tmp_path, 16)
    with pytest.raises(InputError, match="no folder"):
        Pictures(tmp_path / "nowhere", 16)


def test_a_folder_of_corrupt_pictures_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"bad")
    with pytest.raises(InputError, match="none of the pictures"):
        Pictures(tmp_path, 16)


def test_a_picture_has_as_many_crops_as_variants(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "photos")
    few, endless = Pictures(folder, 32, jitter=0.2, variants=2), Pictures(folder, 32)
    drawn = {few.draw(Random(seed)).numpy().tobytes() for seed in range(60)}
    assert len(drawn) == 2 * len(few.paths)
    assert len({endless.draw(Random(seed)).numpy().tobytes() for seed in range(60)}) == 60


def test_crops_of_nearly_one_colour_are_drawn_again(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "photos")
    for index in range(6):
        write(folder / f"flat{index}.png", (200, 10 * index, 0), (90, 80))
    pictures = Pictures(folder, 32, jitter=0.4, deviation=0.06)
    crops = [*pictures.held_out, *pictures.batch([Random(seed) for seed in range(20)])]
    assert min(float(crop.flatten(1).std(dim=1).max()) for crop in crops) >= 0.06
    assert not pictures.skipped
    with pytest.raises(InputError, match="none of the pictures"):
        Pictures(folder, 32, deviation=0.9)


def test_held_out_pictures_are_not_learnt_on(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "photos")
    kept, again = Pictures(folder, 32), Pictures(folder, 32, jitter=0.4)
    assert kept.held_out.shape == (4, 3, 32, 32)
    assert len(kept.paths) == 5
    assert torch.equal(kept.held_out, again.held_out)
    for path in kept.paths:
        path.write_bytes(b"bad")
    # The crops that are held out show other pictures than those that are learnt on.
    with pytest.raises(InputError, match="none of the pictures"):
        kept.draw(Random(0))


def test_corrupt_pictures_are_neither_held_out_nor_fatal(tmp_path: Path) -> None:
    folder = write_photos(tmp_path / "photos", 3)
    for index in range(6):
        (folder / f"bad{index}.jpg").write_bytes(b"bad")
    assert len(Pictures(folder, 32).held_out) == 3
