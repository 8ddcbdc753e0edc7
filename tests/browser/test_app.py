"""The web app as people use it, in a real browser."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from impasto.image import load_image, read_settings
from tests.app.server import Served, served
from tests.app.test_uploads import huge_png, saved
from tests.browser.conftest import opened
from tests.chromium import PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser


def upload(page: Page, field: str, path: Path) -> None:
    """Replace the picture of a field."""
    page.locator(f"#{field} input[type=file]").first.set_input_files(str(path))


def choose(page: Page, method: str) -> None:
    page.get_by_label(method).check()


def set_slider(page: Page, id: str, value: int) -> None:
    field = page.locator(f"#{id} input[type=number]")
    field.fill(str(value))
    field.press("Tab")


def paint(page: Page) -> str:
    """Paint, and return what the page says when it is done."""
    page.click("#paint")
    page.wait_for_selector("#cancel", state="visible")
    page.wait_for_selector("#paint", state="visible")
    return page.inner_text("#status")


def download(page: Page, id: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.click(f"#{id}")
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(str(target))
    return target


def test_upload_paint_compare_and_download(page: Page, tmp_path: Path) -> None:
    upload(page, "content", saved(tmp_path / "me.png", (120, 90)))
    page.locator("#shelf button.thumbnail-item").nth(2).click()
    page.wait_for_selector("#artwork-1 img[src*='stained-glass']")
    set_slider(page, "size-arbitrary", 96)
    assert "Done" in paint(page)
    assert page.locator("#slider img").count() >= 2
    for id, kind in (("png", "PNG"), ("jpeg", "JPEG")):
        file = download(page, id, tmp_path)
        with Image.open(file) as image:
            assert (image.format, image.size) == (kind, (96, 72))
        settings = read_settings(file)
        assert settings is not None
        assert (settings["content"], settings["styles"]) == ("me.png", ["stained-glass.webp"])


def test_a_style_of_the_gallery(page: Page) -> None:
    choose(page, "Instant, gallery style")
    page.locator("#gallery button.thumbnail-item").nth(1).click()
    assert "Done" in paint(page)
    page.wait_for_selector("#history img")


def test_optimising_is_watched_and_cancelled(page: Page, tmp_path: Path) -> None:
    choose(page, "Optimise, the best picture")
    set_slider(page, "size-optimize", 256)
    page.get_by_role("button", name="More settings").click()
    set_slider(page, "steps", 1000)
    page.click("#paint")
    first = page.wait_for_selector("#live img")
    assert first is not None
    source = first.get_attribute("src")
    page.wait_for_function("old => document.querySelector('#live img').src !== old", arg=source)
    page.locator("#status", has_text="left").wait_for()
    page.click("#cancel")
    page.wait_for_selector("#slider img")
    assert "Cancelled" in page.inner_text("#status")
    settings = read_settings(download(page, "png", tmp_path))
    assert settings is not None
    assert 0 < int(str(settings["steps_done"])) < 1000
    page.get_by_role("button", name="How it came to be").click()
    page.wait_for_selector("#losses img", state="visible")


def test_a_drawn_mask_keeps_the_rest_of_the_photo(page: Page, tmp_path: Path) -> None:
    photo = saved(tmp_path / "me.png", (256, 256))
    upload(page, "content", photo)
    # The editor hands back what it shows as soon as the photo is in it.
    with page.expect_response(lambda response: response.url.endswith("/upload")):
        page.get_by_role("button", name="Paint only a part").click()
    canvas = page.locator("#mask canvas").last
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x - 40, y)
    page.mouse.down()
    page.mouse.move(x + 40, y, steps=8)
    page.mouse.up()
    assert "Done" in paint(page)
    painted = load_image(download(page, "png", tmp_path)).rgb
    same = (painted == load_image(photo).rgb).all(axis=2)
    assert 0.3 < float(np.mean(same)) < 1
    assert not same[128, 128]
    assert same[2, 2]


def test_wrong_files_get_a_message(page: Page, tmp_path: Path) -> None:
    (tmp_path / "letter.jpg").write_text("Dear Sir or Madam")
    whole = saved(tmp_path / "whole.jpg", (300, 200)).read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    huge_png(tmp_path / "huge.png")
    for name in ("letter.jpg", "half.jpg", "huge.png"):
        upload(page, "content", tmp_path / name)
        page.get_by_text(f"cannot read {name}").first.wait_for(state="attached")
        page.wait_for_selector("#content input[type=file]", state="attached")
    assert "Traceback" not in page.inner_text("body")
    page.click("#paint")
    page.get_by_text("no photo yet").first.wait_for()


def clear(page: Page, field: str) -> None:
    page.click(f"#{field} button[aria-label='Remove Image']")
    page.wait_for_selector(f"#{field} img", state="detached")


def test_paint_comes_back_after_every_error(page: Page, tmp_path: Path) -> None:
    photo = saved(tmp_path / "me.png")
    clear(page, "content")
    assert "no photo yet" in paint(page)
    upload(page, "content", photo)
    page.wait_for_selector("#content img")
    clear(page, "artwork-1")
    assert "no artwork yet" in paint(page)
    page.locator("#shelf button.thumbnail-item").first.click()
    page.wait_for_selector("#artwork-1 img")
    choose(page, "Optimise, the best picture")
    page.get_by_role("button", name="More settings").click()
    seed = page.get_by_label("Seed")
    seed.fill("")
    seed.press("Tab")
    assert "seed has to be a whole number" in paint(page)
    choose(page, "Instant, any artwork")
    assert "Done" in paint(page)


def test_the_second_page_goes_on_after_an_error(page: Page) -> None:
    page.get_by_role("tab", name="Understand").click()
    ticks = page.locator("#recover-layers input")
    for number in range(ticks.count()):
        ticks.nth(number).uncheck()
    page.click("#recover")
    page.locator("#recover-status", has_text="tick at least one").wait_for()
    page.wait_for_selector("#recover", state="visible")
    ticks.first.check()
    set_slider(page, "recover-steps", 10)
    page.click("#recover")
    page.wait_for_selector("#recovered img")
    page.wait_for_selector("#recover", state="visible")


def begin_a_long_one(page: Page) -> None:
    choose(page, "Optimise, the best picture")
    set_slider(page, "size-optimize", 256)
    page.get_by_role("button", name="More settings").click()
    set_slider(page, "steps", 1000)
    page.click("#paint")
    page.wait_for_selector("#live img")


def test_paint_comes_back_after_a_full_queue(browser: Browser) -> None:
    with served("--max-waiting", "1", "--optimize-size", "256", "--network-size", "128") as app:
        with opened(browser, app) as first, opened(browser, app) as second:
            begin_a_long_one(first)
            second.click("#paint")
            second.get_by_text("queue").first.wait_for()
            with opened(browser, app) as third:
                assert "could not begin" in paint(third)
                third.get_by_text("currently busy").first.wait_for()
                first.click("#cancel")
                second.wait_for_selector("#slider img")
                assert "Done" in paint(third)
        assert not any("Traceback" in line for line in app.lines)


def test_the_picture_before_is_not_offered_while_painting(page: Page) -> None:
    assert "Done" in paint(page)
    page.wait_for_selector("#png", state="visible")
    begin_a_long_one(page)
    for id in ("png", "jpeg", "again"):
        assert not page.is_visible(f"#{id}")
    page.click("#cancel")
    page.wait_for_selector("#png", state="visible")


def test_a_result_is_the_next_photo(page: Page, tmp_path: Path) -> None:
    paint(page)
    page.click("#again")
    page.wait_for_selector("#content img[src*='_1.png']")
    paint(page)
    settings = read_settings(download(page, "png", tmp_path))
    assert settings is not None
    assert str(settings["content"]).endswith("_1.png")


def test_whoever_leaves_ends_what_they_began(browser: Browser, app: Served) -> None:
    before = len(app.lines)
    with opened(browser, app) as page:
        begin_a_long_one(page)
    patience = time.monotonic() + 60
    while not any(line.startswith("job ") for line in app.lines[before:]):
        assert time.monotonic() < patience
        time.sleep(0.1)
    assert any("abandoned" in line or "cancelled" in line for line in app.lines[before:])


def test_two_people_at_once(browser: Browser, app: Served) -> None:
    with opened(browser, app) as first, opened(browser, app) as second:
        begin_a_long_one(first)
        second.click("#paint")
        second.get_by_text("queue").first.wait_for()
        first.click("#cancel")
        second.wait_for_selector("#slider img")
        first.wait_for_selector("#slider img")
        assert "Done" in second.inner_text("#status")


def test_feature_maps_and_reconstructions(page: Page) -> None:
    page.get_by_role("tab", name="Understand").click()
    page.click("#show-maps")
    page.wait_for_selector("#maps img")
    set_slider(page, "recover-steps", 10)
    page.click("#recover")
    page.wait_for_selector("#recovered img")
    page.wait_for_selector("#recover", state="visible")


def test_a_phone_shows_everything_in_its_width(browser: Browser, app: Served) -> None:
    def width() -> int:
        return int(page.evaluate("document.querySelector('.gradio-container').scrollWidth"))

    with opened(browser, app, PHONE, color_scheme="dark") as page:
        assert width() <= PHONE["width"]
        paint(page)
        page.wait_for_selector("#history img")
        assert page.locator("#stage").bounding_box()["y"] < PHONE["height"]  # type: ignore[index]
        assert width() <= PHONE["width"]
        page.get_by_role("tab", name="Understand").click()
        page.click("#show-maps")
        page.wait_for_selector("#grams img")
        assert width() <= PHONE["width"]


def test_the_log_has_a_line_for_each_job(page: Page, app: Served) -> None:
    before = len([line for line in app.lines if line.startswith("job ")])
    paint(page)
    lines = [line for line in app.lines if line.startswith("job ")]
    assert len(lines) == before + 1
    assert "arbitrary at 256 px in 1 style: done after" in lines[-1]
