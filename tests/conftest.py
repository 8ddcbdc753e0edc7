"""Fixtures that all tests share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

# Each of the processes that share the tests gets its share of the cores, before torch looks.
if workers := os.environ.get("PYTEST_XDIST_WORKER_COUNT"):
    os.environ["OMP_NUM_THREADS"] = str(max(1, (os.cpu_count() or 1) // int(workers)))

from impasto.image import save_image
from impasto.pictures import load_artwork
from impasto.stylizers.networks import gallery
from tests.chromium import chromium
from tests.models import write_arbitrary, write_fast

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[1]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--seconds", type=float, default=20, help="how long tests/fuzz goes on")


@pytest.fixture(scope="session", autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Nothing that other code has found, and left in the user's cache, is what tests look at."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("IMPASTO_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of pictures and VGG-16 features that is not part of the repository."""
    folder = Path(os.environ.get("IMPASTO_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the shared data is not here (set IMPASTO_SHARED_DATA to its folder)")
    return folder


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, one for all tests: Playwright runs once in a process."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of shipped models, which is also the current folder, with a photo in it."""
    write_fast(tmp_path / "fast.safetensors")
    write_arbitrary(tmp_path / "arbitrary.safetensors")
    save_image(load_artwork("river-dots", 48), tmp_path / "photo.png")
    monkeypatch.setattr(gallery, "MODELS", tmp_path)
    monkeypatch.chdir(tmp_path)
    gallery.gallery.cache_clear()
    yield tmp_path
    gallery.gallery.cache_clear()
