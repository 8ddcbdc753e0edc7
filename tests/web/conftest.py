"""The page without a server, built, and a browser; its tests skip where there is no npm."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from filelock import FileLock

from tests.chromium import PATIENCE
from tests.conftest import ROOT
from tests.web.served import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize

WEB = ROOT / "web"
DESKTOP: ViewportSize = {"width": 1366, "height": 768}
# Pages that show the first painting.
Opened = Callable[..., AbstractContextManager["Page"]]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the built page; the processes that share the tests build it once."""
    if shutil.which("node") is None:
        pytest.skip("there is no node here")
    if not (WEB / "node_modules").is_dir():
        pytest.skip("the page's packages are not here: npm ci --prefix web")
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder = shared / "web"
    with FileLock(shared / "web.lock"):
        if not (folder / "sw.js").is_file():
            command = ["node", str(WEB / "build.mjs"), str(folder)]
            built = subprocess.run(command, capture_output=True, text=True, check=False)
            assert built.returncode == 0, built.stderr
    return folder


@contextmanager
def context_of(browser: Browser, address: str, **options: Any) -> Iterator[BrowserContext]:
    """A profile of its own, which sees that the page asks nobody but its host."""
    context = browser.new_context(**{"viewport": DESKTOP, **options})
    context.set_default_timeout(PATIENCE)
    asked: set[str] = set()
    context.on("request", lambda request: asked.add(request.url))
    yield context
    context.close()
    assert not {url for url in asked if not url.startswith((address, "data:", "blob:"))}


@pytest.fixture(scope="session")
def opened(browser: Browser, site: Path) -> Opened:
    """Opens the page in a profile of its own, and waits for the first painting."""

    @contextmanager
    def opening(*, isolated: bool = False, **options: Any) -> Iterator[Page]:
        with (
            served(site, isolated=isolated) as address,
            context_of(browser, address, **options) as context,
        ):
            page = context.new_page()
            page.goto(address)
            wait_for_painting(page)
            yield page

    return opening


def wait_for_painting(page: Page, size: str = "") -> None:
    """Wait for a painting of a size, such as ``451 x 300``."""
    page.locator("#status", has_text=f"{size} px in ").wait_for()
