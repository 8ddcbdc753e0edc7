"""The web app as people use it, in a real browser."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from PIL import Image

from impasto.image import Picture, load_image, read_settings, save_image
from tests.app.server import Served, served
from tests.app.test_uploads import huge_png, saved
from tests.browser.conftest import opened
from tests.chromium import PHONE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

pytestmark = pytest.mark.browser

LAPTOP: ViewportSize = {"width": 1366, "height": 768}
# Shows the words that are there before the first picture whole, but not the picture itself.
LARGE_PHONE: ViewportSize = {"width": 390, "height": 990}
CAT = 451  # how wide the first photo is, px
SETTLED = 20_000.0  # until a page has been laid out, or has scrolled, milliseconds


def upload(page: Page, field: str, path: Path) -> None:
    """Replace the picture of a field."""
    page.locator(f"#{field} input[type=file]").first.set_input_files(str(path))


def choose(page: Page, method: str) -> None:
    page.get_by_label(method).check()


def set_slider(page: Page, id: str, value: int) -> None:
    field = page.locator(f"#{id} input[type=number]")
    field.fill(str(value))
    field.press("Tab")


def wait_for_value(page: Page, field: str, value: str) -> None:
    """What is restored comes to one field after the other."""
    reached = "([field, value]) => document.querySelector(field)?.value === value"
    page.wait_for_function(reached, arg=[field, value])


def wait_until_checked(page: Page, label: str) -> None:
    page.get_by_label(label).and_(page.locator(":checked")).wait_for()


def paint(page: Page) -> str:
    """Paint, and return what the page says when it is done."""
    # The end may come so soon that nobody who looks now and then sees the button change; and on a
    # busy machine the page itself may show no more than what is said then.
    page.evaluate(
        """() => {
            window.said = () => document.querySelector("#status")?.innerText.trim();
            window.before = said();
            window.begun = false;
            new MutationObserver((_, observer) => {
                const button = document.querySelector("#cancel");
                if (!button || !button.checkVisibility()) return;
                window.begun = true;
                observer.disconnect();
            }).observe(document.body, {subtree: true, childList: true, attributes: true});
        }"""
    )
    page.click("#paint")
    page.wait_for_function("begun || (said() !== before && said()?.startsWith('Done'))")
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
    choose(page, "Instant, any artwork")
    set_slider(page, "size-arbitrary", 96)
    assert "Done" in paint(page)
    assert page.locator("#compare img").count() >= 2
    for id, kind in (("png", "PNG"), ("jpeg", "JPEG")):
        file = download(page, id, tmp_path)
        with Image.open(file) as image:
            assert (image.format, image.size) == (kind, (96, 72))
        settings = read_settings(file)
        assert settings is not None
        assert (settings["content"], settings["styles"]) == ("me.png", ["stained-glass.webp"])


def test_the_first_picture_takes_one_click(page: Page) -> None:
    """It is watched, and those who use the keyboard are where they were when it is there."""
    page.locator("#hint", has_text="About").wait_for()
    page.focus("#paint")
    page.keyboard.press("Enter")
    page.wait_for_selector("#live img")
    assert page.evaluate("document.activeElement.id") == "cancel"
    page.wait_for_selector("#compare img")
    page.wait_for_function("document.activeElement.id === 'paint'")
    assert re.search(r"Done in .*: 256 x 170 px", page.inner_text("#status"))
    handle = page.get_by_role("slider", name="How much of the photo")
    handle.press("ArrowRight")
    assert page.locator(".compare").get_attribute("style").endswith("51%;")  # type: ignore[union-attr]


def test_pictures_have_names_and_are_chosen_by_a_click(page: Page, tmp_path: Path) -> None:
    page.locator("#hint", has_text="256 x 170 px").wait_for()
    page.get_by_role("button", name="Coffee", exact=True).click()
    page.wait_for_selector("#content img[src*='coffee']")
    page.locator("#hint", has_text="256 x 171 px").wait_for()
    for part in (page.locator("#content img"), page.get_by_role("button", name="Choose a photo")):
        with page.expect_file_chooser():
            part.click()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose an artwork").click()
    chooser.value.set_files(saved(tmp_path / "mine.png"))
    page.wait_for_selector("#artwork-1 img[src*='mine']")
    page.locator(".option-style_weight").hover()
    assert page.locator(".option-style_weight").get_attribute("title") == "--style-weight"
    assert not page.locator("footer .settings").is_visible()


def test_settings_come_back_and_artworks_can_be_removed(page: Page) -> None:
    choose(page, "Instant, any artwork")
    set_slider(page, "size-arbitrary", 96)
    page.get_by_label("Keep the photo's colours").check()
    page.click("#add-artwork")
    page.get_by_role("button", name="Night wind").click()
    page.wait_for_selector("#artwork-2 img[src*='night-wind']")
    assert "Done" in paint(page)
    page.click("#remove-artwork")
    page.wait_for_selector("#artwork-2", state="detached")
    page.get_by_label("Keep the photo's colours").uncheck()
    choose(page, "Optimise")
    page.click("#restore")
    page.wait_for_selector("#artwork-2 img[src*='night-wind']")
    wait_until_checked(page, "Instant, any artwork")
    wait_until_checked(page, "Keep the photo's colours")
    wait_for_value(page, "#size-arbitrary input[type=number]", "96")


def part(page: Page, title: str) -> None:
    """Open one of the parts that are folded away."""
    page.locator("button.label-wrap", has_text=title).click()
    # For a moment its fields can be given their first values anew, whatever has been typed.
    page.wait_for_timeout(300)


def shown_settings(page: Page, folder: Path) -> dict[str, object]:
    settings = read_settings(download(page, "png", folder))
    assert settings is not None
    return settings


def test_a_print_in_a_palette_and_its_settings_again(page: Page, tmp_path: Path) -> None:
    choose(page, "Instant, any artwork")
    set_slider(page, "size-arbitrary", 96)
    part(page, "Colours")
    page.fill("#palette input", "1d3557, f1faee, e63946")
    page.wait_for_selector(".swatches i:nth-child(3)")
    part(page, "Print")
    paper = page.locator("#print input")
    paper.fill("60x40cm")
    paper.press("Enter")
    page.locator("#hint", has_text="This cannot be: this print is 7087 px long").wait_for()
    assert "5000 are the most here" in paint(page)
    page.locator("#dpi input").fill("8")
    page.keyboard.press("Tab")
    page.locator("#hint", has_text="a print of 189 x 126 px, 60.0 x 40.0 cm").wait_for()
    assert "Done" in paint(page)
    file = download(page, "png", tmp_path)
    with Image.open(file) as image:
        assert image.size == (189, 126)
        assert image.info["dpi"][0] == pytest.approx(8, abs=0.1)
    settings = shown_settings(page, tmp_path)
    assert settings["palette"] == "1d3557, f1faee, e63946"
    page.fill("#palette input", "")
    page.locator("#dpi input").fill("300")
    paper.fill("10x15cm")
    paper.press("Enter")
    page.click("#restore")
    for field, value in (("palette", "1d3557, f1faee, e63946"), ("print", "60x40cm"), ("dpi", "8")):
        wait_for_value(page, f"#{field} input", value)
    assert "Done" in paint(page)
    assert shown_settings(page, tmp_path)["print"] == "60x40cm"


def give(page: Page, file: Path) -> None:
    """Choose a picture for the palette."""
    with page.expect_file_chooser() as chooser:
        page.click("#palette-picture")
    chooser.value.set_files(file)


def test_a_palette_of_a_picture(page: Page, tmp_path: Path) -> None:
    part(page, "Colours")
    half = np.zeros((40, 40, 3), np.float32)
    half[:, 20:] = (1, 0, 0)
    save_image(Picture(half), tmp_path / "half.png")
    give(page, tmp_path / "half.png")
    wait_for_value(page, "#palette input", "000000, ff0000")
    page.wait_for_selector(".swatches i:nth-child(2)")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    give(page, tmp_path / "broken.png")
    page.locator(".toast-body", has_text="broken.png").wait_for()
    assert page.input_value("#palette input") == "000000, ff0000"


def test_seamless_and_matched(page: Page, tmp_path: Path) -> None:
    choose(page, "Instant, gallery")
    set_slider(page, "size-fast", 100)
    part(page, "More settings")
    page.locator("#wrap").get_by_label("Left to right").check()
    part(page, "Colours")
    assert not page.locator("#match-result").get_by_label("The artwork's").is_visible()
    page.locator("#match-result").get_by_label("The photo's").check()
    page.locator("#hint", has_text="96 x 67 px").wait_for()
    assert "96 x 67 px" in paint(page)
    settings = shown_settings(page, tmp_path)
    assert (settings["wrap"], settings["match_result"]) == ("x", "content")


def test_one_of_several_variations_is_painted(page: Page, tmp_path: Path) -> None:
    set_slider(page, "size-optimize", 64)
    part(page, "More settings")
    set_slider(page, "steps", 10)
    page.locator("#variations").get_by_label("4", exact=True).check()
    page.locator("#hint", has_text="4 pictures of 64 px").wait_for()
    assert "Done" in paint(page)
    assert not page.locator(".compare input").count()
    assert not page.is_visible("#again")
    sheet = shown_settings(page, tmp_path)
    varied = sheet["variations"]
    assert isinstance(varied, list)
    assert len(varied) == 4
    page.get_by_role("button", name="Style 1.7, forms 0.25").click()
    page.wait_for_selector(".compare input", state="attached")
    page.click("#restore")
    page.wait_for_selector("#variations label.selected >> text=None")
    wait_for_value(page, "#size-optimize input[type=number]", "64")
    assert "Done" in paint(page)
    settings = shown_settings(page, tmp_path)
    assert settings["forms"] == varied[1]["forms"] == 0.25
    assert settings["style_weight"] == pytest.approx(varied[1]["style_weight"], rel=0.03)


def test_several_artworks_count_as_one(page: Page, tmp_path: Path) -> None:
    choose(page, "Instant, any artwork")
    set_slider(page, "size-arbitrary", 64)
    part(page, "A body of work")
    field = page.locator("#works input[type=file]").first
    (tmp_path / "bad.style").write_text("no pack")
    field.set_input_files(tmp_path / "bad.style")
    page.get_by_text("bad.style is truncated or no style pack").first.wait_for()
    page.wait_for_selector("#works button.upload-container")
    works = [saved(tmp_path / f"work {n}.png", (64, 64 + 16 * n)) for n in range(2)]
    field.set_input_files(works)
    page.locator("#works", has_text="work 1").wait_for()
    assert "Done" in paint(page)
    assert shown_settings(page, tmp_path)["styles"] == ["2 artworks"]
    page.click("#works button[aria-label='Clear']")
    page.wait_for_selector("#works button.upload-container")
    page.click("#restore")
    page.locator("#works", has_text="work 1").wait_for()
    assert "Done" in paint(page)
    assert shown_settings(page, tmp_path)["styles"] == ["2 artworks"]


def test_settings_of_gradios_own_do_not_open(page: Page, app: Served) -> None:
    page.goto(f"{app.url}/?view=settings")
    page.wait_for_selector("#paint")
    assert "settings" not in page.url
    assert not page.get_by_text("Display Theme").count()


def test_a_style_of_the_gallery(page: Page) -> None:
    choose(page, "Instant, gallery")
    page.locator("#gallery button.thumbnail-item").nth(1).click()
    assert "Done" in paint(page)
    page.wait_for_selector("#history img")


def test_optimising_is_watched_and_cancelled(page: Page, tmp_path: Path) -> None:
    choose(page, "Optimise")
    set_slider(page, "size-optimize", 256)
    part(page, "More settings")
    set_slider(page, "steps", 1000)
    page.click("#paint")
    first = page.wait_for_selector("#live img")
    assert first is not None
    source = first.get_attribute("src")
    page.wait_for_function("old => document.querySelector('#live img').src !== old", arg=source)
    page.locator("#status", has_text="left").wait_for()
    page.click("#cancel")
    page.wait_for_selector("#compare img")
    assert "Cancelled" in page.inner_text("#status")
    settings = read_settings(download(page, "png", tmp_path))
    assert settings is not None
    assert 0 < int(str(settings["steps_done"])) < 1000
    part(page, "How it came to be")
    page.wait_for_selector("#losses img", state="visible")


@pytest.mark.parametrize("says", ["Paint where I draw", "Less style everywhere else"])
def test_what_is_drawn_says_where_to_paint(page: Page, tmp_path: Path, says: str) -> None:
    photo = saved(tmp_path / "me.png", (256, 256))
    upload(page, "content", photo)
    # The editor hands back what it shows as soon as the photo is in it.
    with page.expect_response(lambda response: response.url.endswith("/upload")):
        part(page, "Draw over the photo")
    page.get_by_label(says).check()
    if says.startswith("Less"):
        page.locator("#drawing-less input[type=number]").fill("0")
        page.keyboard.press("Tab")
    canvas = page.locator("#drawing canvas").last
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
    choose(page, "Optimise")
    part(page, "More settings")
    seed = page.get_by_label("Seed")
    seed.fill("")
    seed.press("Tab")
    assert "seed has to be a whole number" in paint(page)
    choose(page, "Instant, any artwork")
    assert "Done" in paint(page)


def test_the_second_page_goes_on_after_an_error(page: Page) -> None:
    page.get_by_role("tab", name="Understand").click()
    ticks = page.locator("#recover-layers input")
    ticks.first.wait_for()  # a page that is not laid out yet has none to count
    for number in range(ticks.count()):
        ticks.nth(number).uncheck()
    page.locator("#recover-layers input:checked").first.wait_for(state="detached")
    page.click("#recover")
    page.locator("#recover-status", has_text="tick at least one").wait_for()
    page.wait_for_selector("#recover", state="visible")
    ticks.first.check()
    set_slider(page, "recover-steps", 10)
    page.click("#recover")
    page.wait_for_selector("#recovered img")
    page.wait_for_selector("#recover", state="visible")


def begin_a_long_one(page: Page, size: int = 256) -> None:
    choose(page, "Optimise")
    set_slider(page, "size-optimize", size)
    hint = page.locator("#hint", has_text=f": {min(size, CAT)} x")
    before = hint.inner_text()
    part(page, "More settings")
    patience = time.monotonic() + 60
    while hint.inner_text() == before:  # the server does not know of the steps
        assert time.monotonic() < patience
        set_slider(page, "steps", 1000)
        page.wait_for_timeout(1000)
    page.click("#paint")
    page.wait_for_selector("#live img")


def test_paint_comes_back_after_a_full_queue(browser: Browser) -> None:
    with served("--max-waiting", "1", "--optimize-size", "512", "--network-size", "128") as app:
        with opened(browser, app) as first, opened(browser, app) as second:
            # Longer than it takes to open a third page beside other tests.
            begin_a_long_one(first, 512)
            second.click("#paint")
            second.get_by_text("queue").first.wait_for()
            with opened(browser, app) as third:
                assert "could not begin" in paint(third)
                third.get_by_text("currently busy").first.wait_for()
                first.click("#cancel")
                second.wait_for_selector("#compare img")
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
        second.wait_for_selector("#compare img")
        first.wait_for_selector("#compare img")
        assert "Done" in second.inner_text("#status")


def test_feature_maps_and_reconstructions(page: Page) -> None:
    page.get_by_role("tab", name="Understand").click()
    page.click("#show-maps")
    page.wait_for_selector("#maps img")
    set_slider(page, "recover-steps", 10)
    page.click("#recover")
    page.wait_for_selector("#recovered img")
    page.wait_for_selector("#recover", state="visible")


def wait_for_sight(page: Page, selector: str) -> None:
    """Wait until all of an element is in the window, with nothing above its middle."""
    page.wait_for_function(
        """selector => {
            const part = document.querySelector(selector);
            if (!part) return false;
            const box = part.getBoundingClientRect();
            const inside = box.top >= 0 && box.bottom <= innerHeight && box.right <= innerWidth;
            const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
            const top = document.elementFromPoint(x, y);
            return inside && (part.contains(top) || top.contains(part));
        }""",
        arg=selector,
        timeout=SETTLED,
    )


@pytest.mark.parametrize("screen", [PHONE, LAPTOP], ids=["phone", "laptop"])
def test_the_result_is_in_sight_with_its_download(
    browser: Browser, app: Served, screen: ViewportSize
) -> None:
    def width() -> int:
        return int(page.evaluate("document.querySelector('.gradio-container').scrollWidth"))

    with opened(browser, app, screen, color_scheme="dark") as page:
        for part in ("#paint", "#keep-colors", "#shelf .thumbnail-item"):
            wait_for_sight(page, part)
        assert width() <= screen["width"]
        choose(page, "Instant, any artwork")
        assert "Done" in paint(page)
        for part in ("#paint", ".compare", "#png"):
            wait_for_sight(page, part)
        assert width() <= screen["width"]
        page.get_by_role("tab", name="Understand").click()
        page.click("#show-maps")
        page.wait_for_selector("#grams img")
        assert width() <= screen["width"]


@pytest.mark.parametrize("screen", [PHONE, LARGE_PHONE, LAPTOP], ids=["phone", "large", "laptop"])
def test_the_picture_is_in_sight_while_it_comes_into_being(
    browser: Browser, app: Served, screen: ViewportSize
) -> None:
    with opened(browser, app, screen) as page:
        page.click("#paint")
        page.wait_for_selector("#live img")
        wait_for_sight(page, "#live")


@pytest.mark.parametrize("place", ["#title", "#live"])
def test_the_result_comes_into_sight_wherever_the_page_was_scrolled(
    browser: Browser, app: Served, place: str
) -> None:
    with opened(browser, app, PHONE) as page:
        page.click("#paint")
        page.wait_for_selector("#live img")
        page.wait_for_function("scrollY > 300")
        # The sketch is where the picture will be; the downloads come below the edge of the window.
        page.eval_on_selector(place, "it => it.scrollIntoView({block: 'end', behavior: 'instant'})")
        for part in (".compare", "#png"):
            wait_for_sight(page, part)


def test_the_log_has_a_line_for_each_job(page: Page, app: Served) -> None:
    before = len([line for line in app.lines if line.startswith("job ")])
    paint(page)
    lines = [line for line in app.lines if line.startswith("job ")]
    assert len(lines) == before + 1
    assert "optimize at 256 px in 1 style: done after" in lines[-1]
