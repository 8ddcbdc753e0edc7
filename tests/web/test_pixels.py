"""The page paints what `impasto stylize` paints."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from impasto.cli import main
from impasto.pictures import PORTRAIT, artwork_path
from tests.web.conftest import Opened, wait_for_painting

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.browser

LARGEST = 3  # difference, of 255
ARBITRARY = ("--method", "arbitrary")


@dataclass(frozen=True)
class Case:
    """A photo of a size of its own, how it is painted, and options of the command line."""

    size: tuple[int, int]
    options: tuple[str, ...] = ARBITRARY
    strength: int = 100
    brush: int = 512
    keep: bool = False
    gallery: str = ""
    alpha: bool = False
    painted: str = ""


CASES = {
    "plain": Case((160, 121)),
    "weaker": Case((161, 122), (*ARBITRARY, "--strength", "0.6"), strength=60),
    "finer": Case((162, 123), (*ARBITRARY, "--style-size", "256"), brush=256),
    "colours kept": Case((163, 124), (*ARBITRARY, "--preserve-color", "luminance"), keep=True),
    "transparent": Case((164, 125), alpha=True),
    "transparent, weaker, colours kept": Case(
        (165, 126),
        (*ARBITRARY, "--strength", "0.5", "--preserve-color", "luminance"),
        strength=50,
        keep=True,
        alpha=True,
    ),
    "resized": Case((647, 310), (*ARBITRARY, "--max-size", "512"), painted="512 x 245"),
    "gallery": Case((166, 127), (), gallery="great-wave"),
    "gallery, colours kept": Case(
        (167, 128), ("--preserve-color", "luminance"), gallery="udnie", keep=True
    ),
}


@pytest.fixture(scope="module")
def page(opened: Opened) -> Iterator[Page]:
    with opened(isolated=True, accept_downloads=True) as page:
        yield page


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_same_pixels_as_the_command_line(page: Page, case: Case, tmp_path: Path) -> None:
    photo, artwork = tmp_path / "photo.png", tmp_path / "artwork.png"
    write_photo(photo, case)
    # Its colours are no artwork's, so that nothing of the page's own is taken for it.
    Image.open(artwork_path("wave-print")).rotate(90).resize((300, 280)).save(artwork)
    ours = painted_by_page(page, case, photo, artwork)
    style = case.gallery or str(artwork)
    result = tmp_path / "result.png"
    assert main(["stylize", str(photo), style, "-o", str(result), *case.options]) == 0
    theirs = np.asarray(Image.open(result).convert("RGBA"), np.float32)
    assert ours.shape == theirs.shape
    assert ours[..., 3] == pytest.approx(theirs[..., 3], abs=1)
    # What nobody sees may be anything.
    seen = theirs[..., 3:] / 255
    difference = float(np.abs((ours - theirs)[..., :3] * seen).max())
    assert difference <= LARGEST


def write_photo(path: Path, case: Case) -> None:
    """A part of the portrait, with a hole that fades at its edge if it has alpha."""
    picture = Image.open(PORTRAIT).convert("RGB").resize(case.size)
    if case.alpha:
        x, y = np.meshgrid(*(np.linspace(-1, 1, side) for side in case.size))
        cover = np.clip(4 * np.hypot(x, y) - 1.5, 0, 1)
        picture.putalpha(Image.fromarray((255 * cover).astype(np.uint8)))
    picture.save(path)


def painted_by_page(page: Page, case: Case, photo: Path, artwork: Path) -> np.ndarray:
    set_slider(page, "strength", case.strength)
    set_slider(page, "brush", case.brush)
    page.get_by_label("Keep the photo's colours").set_checked(case.keep)
    page.set_input_files("#photo-file", photo)
    if case.gallery:
        page.locator(f"#gallery input[value={case.gallery}]").check(force=True)
    else:
        page.set_input_files("#artwork-file", artwork)
    width, height = case.size
    wait_for_painting(page, case.painted or f"{width} x {height}")
    page.locator("#stage:not([aria-busy=true])").wait_for()
    with page.expect_download() as waiting:
        page.click("#png")
    return np.asarray(Image.open(waiting.value.path()).convert("RGBA"), np.float32)


def set_slider(page: Page, id: str, value: int) -> None:
    page.locator(f"#{id}").evaluate(
        "(slider, value) => { slider.value = value; slider.dispatchEvent(new Event('change')) }",
        value,
    )
