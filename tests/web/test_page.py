"""The page as people use it, in a real browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote
from urllib.request import urlopen

import pytest
from PIL import Image

from impasto.image import save_image
from impasto.pictures import load_artwork
from tests.chromium import PHONE
from tests.web.conftest import DESKTOP, WEB, Opened, context_of, wait_for_painting
from tests.web.served import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Route, ViewportSize

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(opened: Opened) -> Iterator[Page]:
    with opened(accept_downloads=True) as page:
        yield page


def test_a_host_without_headers_gets_threads_all_the_same(page: Page) -> None:
    assert page.evaluate("crossOriginIsolated")
    assert "WebAssembly" in page.inner_text("#runtime")


def test_photo_and_artwork_of_ones_own(page: Page, tmp_path: Path) -> None:
    for name, (width, height) in (("me", (150, 100)), ("mine", (90, 120))):
        save_image(load_artwork("river-dots").resized(height, width), tmp_path / f"{name}.png")
    page.set_input_files("#photo-file", tmp_path / "me.png")
    page.set_input_files("#artwork-file", tmp_path / "mine.png")
    wait_for_painting(page, "150 x 100")
    page.locator("#stage:not([aria-busy=true])").wait_for()
    assert page.get_by_label("mine").is_checked()
    for id, kind, name in (("png", "PNG", "me-mine.png"), ("jpeg", "JPEG", "me-mine.jpg")):
        with page.expect_download() as waiting:
            page.click(f"#{id}")
        assert waiting.value.suggested_filename == name
        with Image.open(waiting.value.path()) as image:
            assert (image.format, image.size) == (kind, (150, 100))


def test_what_is_no_picture_gets_a_line_and_nothing_is_lost(page: Page, tmp_path: Path) -> None:
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear Sir or Madam")
    page.set_input_files("#photo-file", letter)
    page.get_by_role("alert").filter(has_text="Cannot read letter.jpg: it is not a pict").wait_for()
    page.get_by_role("button", name="Cat").click()
    wait_for_painting(page, "451 x 300")
    assert not page.is_visible("#error")


def test_the_newest_choice_of_a_photo_counts(browser: Browser, site: Path) -> None:
    with served(site) as address, context_of(browser, address, service_workers="block") as context:
        page = context.new_page()
        held: list[Route] = []
        page.route("**/cat.*.webp", lambda route: held.append(route))
        page.goto(address)
        page.get_by_role("button", name="Coffee").click()
        wait_for_painting(page, "512 x 341")
        (cat,) = held
        with page.expect_response(cat.request.url):
            cat.continue_()
        page.evaluate("new Promise((resolve) => setTimeout(resolve, 500))")
        assert "512 x 341 px in" in page.inner_text("#status")


def test_by_keyboard(page: Page) -> None:
    handle = page.get_by_label("How much of the photo is shown beside the painting")
    handle.focus()
    page.keyboard.press("ArrowRight")
    assert handle.get_attribute("aria-valuetext") == "51 percent photo"
    page.get_by_role("button", name="Coffee").click()
    page.get_by_label("Night wind").first.focus()
    page.keyboard.press("ArrowRight")
    assert page.get_by_label("Wave print").first.is_checked()
    wait_for_painting(page, "512 x 341")


def test_the_camera_is_painted_live(page: Page) -> None:
    page.click("#camera")
    page.locator("#status", has_text="Live").wait_for()
    page.get_by_role("button", name="Take the picture").click()
    wait_for_painting(page, "512 x 288")
    assert not page.is_visible("#shutter")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_everything_fits_and_can_be_reached(page: Page, screen: ViewportSize, scheme: str) -> None:
    page.set_viewport_size(screen)
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    assert page.evaluate("document.documentElement.scrollWidth") <= screen["width"]
    page.get_by_text("About this page").evaluate("summary => summary.parentElement.open = true")
    page.evaluate((WEB / "node_modules/axe-core/axe.min.js").read_text())
    violations = page.evaluate("axe.run().then(result => result.violations)")
    assert not [(each["id"], [node["html"] for node in each["nodes"]]) for each in violations]


def test_the_link_to_photopea_brings_the_plugin(page: Page) -> None:
    link = page.locator("#photopea").get_attribute("href")
    assert link is not None
    editor, _, configuration = link.partition("#")
    assert editor == "https://www.photopea.com/"
    (plugin,) = json.loads(unquote(configuration))["environment"]["plugins"]
    assert plugin["url"] == f"{page.url}?photopea"
    for url in (plugin["url"], plugin["icon"]):
        with urlopen(url) as answer:
            assert answer.status == 200
