"""Hosts of all kinds, none at all, and Photopea."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.chromium import PATIENCE
from tests.web.conftest import Opened, context_of, wait_for_painting
from tests.web.served import served

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser

# The editor's side of photopea.com/api/live: a script is run, its answers come, then "done".
EDITOR = """
<iframe src="%s"></iframe>
<script>
const scripts = [];
addEventListener("message", async ({ data, source, origin }) => {
  scripts.push(data);
  if (data.includes("saveToOE")) {
    const canvas = Object.assign(document.createElement("canvas"), { width: 120, height: 80 });
    canvas.getContext("2d").fillRect(0, 0, 60, 80);
    const file = await new Promise((resolve) => canvas.toBlob(resolve));
    source.postMessage(await file.arrayBuffer(), origin);
  }
  source.postMessage("done", origin);
});
</script>
"""


def test_a_host_that_isolates_the_page(opened: Opened) -> None:
    with opened(isolated=True, service_workers="block") as page:
        assert page.evaluate("crossOriginIsolated")


def test_without_isolation_there_is_one_thread(opened: Opened) -> None:
    with opened(service_workers="block") as page:
        assert not page.evaluate("crossOriginIsolated")
        page.locator("#runtime", has_text="1 thread.").wait_for()


def test_without_a_network_all_of_it_works(browser: Browser, site: Path) -> None:
    with served(site) as address, context_of(browser, address) as context:
        page = context.new_page()
        page.goto(address)
        page.locator("html[data-offline=ready]").wait_for()
        page.close()
        context.set_offline(True)
        page = context.new_page()
        page.goto(address)
        wait_for_painting(page)
        page.locator("#gallery input").first.check(force=True)
        page.get_by_role("button", name="Coffee").click()
        wait_for_painting(page, "512 x 341")


def test_as_a_plugin_of_photopea(browser: Browser, site: Path) -> None:
    with served(site) as address:
        context = browser.new_context(permissions=["local-network-access"])
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        manifest = json.loads((site / "photopea.json").read_text())
        (plugin,) = manifest["environment"]["plugins"]
        html = EDITOR % (address + plugin["url"])
        page.route(
            "https://www.photopea.com/**",
            lambda route: route.fulfill(body=html, content_type="text/html"),
        )
        page.goto("https://www.photopea.com/")
        panel = page.frame_locator("iframe")
        panel.get_by_role("button", name="Take from Photopea").click()
        panel.locator("#status", has_text="120 x 80 px in ").wait_for()
        panel.get_by_role("button", name="Put into Photopea").click()
        page.wait_for_function("scripts.length == 2")
        assert page.evaluate("scripts[1]").startswith('app.open("data:image/png;base64,iVBOR')
        context.close()
