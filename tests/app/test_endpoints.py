"""The app from programs: what comes back, and jobs that end with whoever wanted them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from impasto.image import read_settings
from impasto.stylizers.networks.gallery import gallery
from tests.app.server import Served, served
from tests.app.test_uploads import saved
from tests.app.visitor import Visitor

if TYPE_CHECKING:
    from gradio_client import Client

PATIENCE = 120.0
LONG = {"method": "optimize", "options": {"max_size": 256, "steps": 100_000}}


@pytest.fixture(scope="module")
def app() -> Iterator[Served]:
    pytest.importorskip("gradio")
    with served("--optimize-size", "256", "--network-size", "64", "--max-steps", "100000") as app:
        yield app


@pytest.fixture
def client(app: Served, tmp_path: Path) -> Iterator[Client]:
    from gradio_client import Client

    client = Client(app.url, verbose=False, download_files=tmp_path)
    yield client
    client.close()


def arguments(folder: Path, **more: Any) -> dict[str, Any]:
    from gradio_client import handle_file

    photo = handle_file(str(saved(folder / "me.png", (320, 240))))
    return {"content": photo, "styles": [photo], "api_name": "/stylize", **more}


def wait_for(app: Served, text: str) -> None:
    """Wait until the latest line of the log says so."""
    until = time.monotonic() + PATIENCE
    while text not in app.lines[-1]:
        assert time.monotonic() < until, app.lines
        time.sleep(0.05)


def test_a_picture_comes_back_with_its_settings(client: Client, tmp_path: Path) -> None:
    path, settings = client.predict(**arguments(tmp_path, format="png"))
    with Image.open(path) as image:
        assert (image.format, image.size) == ("PNG", (64, 48))
    assert read_settings(path) == settings


def test_names_of_the_gallery_are_styles(client: Client, tmp_path: Path) -> None:
    names = client.predict(api_name="/styles")["gallery_styles"]
    assert names == list(gallery().styles)
    given = {"method": "fast", "styles": [], "gallery_styles": names[:2]}
    _, settings = client.predict(**arguments(tmp_path, **given))
    assert settings["styles"] == names[:2]


def test_a_print_and_variations_come_back(client: Client, tmp_path: Path) -> None:
    given = arguments(tmp_path, print="4x3cm", dpi=64, options={"max_size": 64})
    path, settings = client.predict(**given)
    with Image.open(path) as image:
        assert image.size == (101, 76)
        assert image.info["dpi"][0] == pytest.approx(64, abs=0.1)
    assert (settings["print"], settings["dpi"]) == ("4x3cm", 64)
    several = {"method": "optimize", "options": {"max_size": 32, "steps": 2}, "variations": 2}
    path, settings = client.predict(**arguments(tmp_path, **several))
    assert [each["forms"] for each in settings["variations"]] == [0.5, 0.5]
    with Image.open(path) as image:
        assert image.width > 2 * 256


def test_several_artworks_are_one_style(client: Client, tmp_path: Path) -> None:
    given = arguments(tmp_path)
    works = given.pop("styles") * 2
    _, settings = client.predict(**given, works=works)
    assert settings["styles"] == ["2 artworks"]


def test_a_mistake_is_told_in_a_line(client: Client, tmp_path: Path) -> None:
    from gradio_client.exceptions import AppError

    with pytest.raises(AppError, match=r"^max_size may be at most 64 here, not 65$"):
        client.predict(**arguments(tmp_path, options={"max_size": 65}))
    with pytest.raises(AppError, match=r"px long, and 5000 are the most here: take \d+ dpi"):
        client.predict(**arguments(tmp_path, print="60x80cm"))


def test_a_cancelled_job_stops(client: Client, app: Served, tmp_path: Path) -> None:
    job = client.submit(**arguments(tmp_path, **LONG))
    wait_for(app, "in one piece")
    job.cancel()
    wait_for(app, "cancelled after")
    client.predict(**arguments(tmp_path))


@pytest.mark.parametrize("way", ["queue", "call"])
def test_a_job_whose_client_is_gone_stops(app: Served, tmp_path: Path, way: str) -> None:
    with Visitor(app) as visitor:
        photo = visitor.upload(saved(tmp_path / "me.png", (320, 240)), "me.png")
        number = next(event["id"] for event in visitor.events if event["api_name"] == "stylize")
        data: list[Any] = [photo, [photo], LONG["method"], [], [], "default", LONG["options"]]
        data += [None, "png", None, None, [], None, None, 0, None]
        api = "/gradio_api"
        if way == "queue":
            body = {"data": data, "fn_index": number, "session_hash": visitor.session}
            visitor.http.post(f"{api}/queue/join", json=body)
            url = f"{api}/queue/data?session_hash={visitor.session}"
        else:
            joined = visitor.http.post(f"{api}/call/stylize", json={"data": data})
            url = f"{api}/call/stylize/{joined.json()['event_id']}"
        with visitor.http.stream("GET", url):
            wait_for(app, "in one piece")
    wait_for(app, "cancelled after")
