"""Nodes of the folder in a stand-in for ComfyUI, small files for them, and no network."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from impasto.image import load_image, save_image
from impasto.pictures import load_artwork, load_portrait
from tests.comfyui.standin import Comfy, Loaded, loaded
from tests.comfyui.workflows import FIRST, MASKS, PHOTO, SECOND, regions


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("a node wants to connect to somewhere")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.fixture
def comfy() -> Comfy:
    return Comfy(type("InterruptProcessingException", (Exception,), {}))


@pytest.fixture(params=["v1", "v3"])
def nodes(comfy: Comfy, request: pytest.FixtureRequest) -> Iterator[dict[str, Loaded]]:
    """The nodes by either contract."""
    with loaded(comfy, schema=request.param == "v3") as found:
        yield found


@pytest.fixture
def v3(comfy: Comfy) -> Iterator[dict[str, Loaded]]:
    """The nodes by the newer contract, where it makes no difference."""
    with loaded(comfy, schema=True) as found:
        yield found


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the workflows load, small."""
    folder = tmp_path_factory.mktemp("inputs")
    photo = load_image(load_portrait(), long_side=72)
    save_image(photo, folder / PHOTO)
    save_image(load_artwork("night-wind", 64), folder / FIRST)
    save_image(load_artwork("stained-glass", 48), folder / SECOND)
    regions(photo.size).save(folder / MASKS)
    return folder
