"""A running app and Chromium, shared by the browser tests; they skip where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.app.server import Served, served
from tests.chromium import PATIENCE

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, ViewportSize

DESKTOP: ViewportSize = {"width": 1280, "height": 900}


@pytest.fixture(scope="session")
def app() -> Iterator[Served]:
    """The app, small."""
    with served("--optimize-size", "256", "--network-size", "256") as running:
        yield running


@pytest.fixture
def page(browser: Browser, app: Served) -> Iterator[Page]:
    """The page, freshly opened; it may talk to the app alone."""
    with opened(browser, app) as page:
        yield page


@contextmanager
def opened(
    browser: Browser, app: Served, screen: ViewportSize = DESKTOP, **options: Any
) -> Iterator[Page]:
    """Open the page in a browser of its own, and see that it asks nobody but the app."""
    context = browser.new_context(accept_downloads=True, viewport=screen, **options)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    page.goto(app.url)
    page.wait_for_selector("#paint")
    yield page
    context.close()
    strangers = {url for url in asked if not url.startswith((app.url, "data:", "blob:"))}
    assert not strangers
