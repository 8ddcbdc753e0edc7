"""Make the picture of the web app that the README and the guide show, into docs/images.

    pip install "impasto[dev]" && apt-get install chromium
    python examples/app_pictures.py

Photo: the cat Chelsea (Stéfan van der Walt, CC0). Artworks: drawn by examples/artworks.
"""

from __future__ import annotations

import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from impasto.app.server import running

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
VIEW = {"width": 1320, "height": 820}
PATIENCE = 400_000  # milliseconds
PORT = 7979


def main() -> None:
    """Paint in the app, and keep what it looks like then."""
    chromium = shutil.which("chromium")
    with running(port=PORT) as app, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=VIEW)
        page.set_default_timeout(PATIENCE)
        page.goto(str(app.local_url))
        page.click("#paint")
        page.wait_for_selector("#compare img")
        page.evaluate("window.scrollTo(0, 0)")  # a click has scrolled to its button
        page.wait_for_timeout(2000)
        shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
        shot.save(IMAGES / "app.jpg", quality=85, optimize=True)
        browser.close()


if __name__ == "__main__":
    main()
