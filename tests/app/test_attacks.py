"""What the guide promises of safety, tried: no file but those uploaded, no host, no traceback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from impasto.stylizers.networks.gallery import gallery
from tests.app.server import Served, served
from tests.app.test_uploads import saved
from tests.app.visitor import Visitor, as_file

pytest.importorskip("gradio")

# In the name of every file and host that nobody may open.
CANARY = "canary"
SMALL = ("--network-size", "64", "--optimize-size", "64", "--max-steps", "20")


def assert_one_line(answer: dict[str, Any]) -> None:
    error = answer.get("error") or answer.get("detail") or ""
    assert isinstance(error, str)
    assert "\n" not in error
    assert len(error) < 400


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a picture and a model that no visitor may read."""
    folder = tmp_path_factory.mktemp(CANARY)
    saved(folder / "secret.png")
    (folder / "secret.safetensors").write_bytes(b"\2\0\0\0\0\0\0\0{}")
    (folder / "secret.style").write_bytes(b"\2\0\0\0\0\0\0\0{}")
    (folder / "link.png").symlink_to(folder / "secret.png")
    return folder


@pytest.fixture(scope="module")
def running() -> Iterator[Served]:
    with served(*SMALL, watched=CANARY) as app:
        yield app


@pytest.fixture
def visitor(running: Served) -> Iterator[Visitor]:
    """A visitor; afterwards nothing was opened, and the log has no traceback."""
    before = len(running.lines)
    with Visitor(running) as visitor:
        yield visitor
    new = running.lines[before:]
    assert not [line for line in new if line.startswith("opened:") or "Traceback" in line]


def hostile(folder: Path, visitor: Visitor) -> list[str]:
    """Paths, links and addresses that are not for visitors."""
    inbox = Path(visitor.upload(folder / "secret.png", "x.png")["path"]).parents[1]
    up = "/".join([".."] * len(inbox.parts))
    return [
        str(folder / "secret.png"),
        str(folder / "secret.safetensors"),
        str(folder / "secret.style"),
        str(folder / "link.png"),
        str(folder),
        f"{inbox}/{up}{folder}/secret.png",
        f"{up}{folder}/secret.png",
        f"file://{folder}/secret.png",
        f"http://{CANARY}.invalid/secret.png",
        f"https://{CANARY}.invalid/secret.png",
    ]


def shapes(path: str) -> list[Any]:
    """A path wherever a value may hold one."""
    file = as_file(path)
    return [
        path,
        [path],
        {"path": path},
        file,
        {**file, "url": path, "orig_name": path, "is_stream": True},
        [[file, "caption"]],
        {"background": file, "layers": [file], "composite": file},
        {"path": [path], "meta": None},
    ]


def nonsense() -> list[Any]:
    deep: Any = "x"
    for _ in range(200):
        deep = [{"x": deep}]
    numbers = [-1, 0.5, 1e308, 10**30]
    return [None, True, *numbers, "", "x" * 100_000, [], {}, [None], deep, [1] * 10_000]


def test_the_watch_sees_what_is_opened(running: Served, folder: Path) -> None:
    # Under such a name in the app's own folder: allowed, and a proof that the tests below can fail.
    with Visitor(running) as visitor:
        photo = visitor.upload(folder / "secret.png", f"{CANARY}.png")
        style = gallery().styles[0]
        assert visitor.stylize(photo, gallery_styles=[style])["data"][0][1]["styles"] == [style]
    assert any(line.startswith("opened:") for line in running.lines)


def test_every_event_refuses_what_is_not_for_it(visitor: Visitor, folder: Path) -> None:
    secret, *_, address = hostile(folder, visitor)
    paths = [*shapes(secret), as_file(address)]
    for event in visitor.events:
        for value in [*paths, *nonsense()]:
            pick = {"index": value, "value": value}
            assert_one_line(visitor.ask(event, [value] * len(event["inputs"]), pick))
        assert_one_line(visitor.ask(event, [], []))


def test_no_field_takes_a_path(visitor: Visitor, folder: Path) -> None:
    secret, *_, address = hostile(folder, visitor)
    for event in visitor.events:
        values = visitor.defaults(event)
        for place in range(len(values)):
            for bad in ([secret], as_file(address)):
                data = [*values[:place], bad, *values[place + 1 :]]
                assert_one_line(visitor.ask(event, data, {"index": 0, "value": None}))


@pytest.mark.parametrize("method", ["arbitrary", "optimize", "fast"])
def test_names_are_no_files(visitor: Visitor, folder: Path, method: str) -> None:
    photo = visitor.upload(folder / "secret.png", "me.png")
    for path in hostile(folder, visitor):
        for bad in (
            {"gallery_styles": [path]},
            {"styles": shapes(path)[2:5]},
            {"styles": [photo], "mask": {"path": path}},
            {"styles": [photo], "strength_map": {"path": path}},
            {"styles": [photo], "stroke_map": {"path": path}},
            {"styles": [photo], "stroke_direction": {"path": path}},
            {"styles": [photo], "options": {"strength_map": path}},
            {"styles": [photo], "options": {"stroke_direction": path}},
            {"styles": [photo], "options": {"stroke_map": path}},
            {"works": [{"path": path}]},
            {"works": [photo, {"path": path}]},
            {"styles": [photo], "options": {"palette": path}},
            {"styles": [photo], "print": path},
            {"styles": [photo], "options": {"init": path}},
            {"styles": [photo], "options": {"model": path}},
            {"styles": [photo], "options": {"weights": path}},
            {"styles": [photo], "method": "optimize", "preset": path},
            {"styles": [photo], "format": f"{path}.png"},
        ):
            answer = visitor.stylize(photo, **{"method": method, **bad})
            assert_one_line(answer)
            assert answer["error"]


def test_no_answer_tells_what_there_is(visitor: Visitor, folder: Path) -> None:
    there, missing = str(folder / "secret.png"), str(folder / "nothing.png")
    for place in ("content", "styles", "works", "mask", "gallery_styles"):

        def told(path: str, place: str = place) -> str:
            given = {"content": {"path": path}, "mask": {"path": path}}
            value = given.get(place, [path if place == "gallery_styles" else {"path": path}])
            fields = {"content": visitor.upload(folder / "secret.png", "me.png"), place: value}
            return str(visitor.stylize(**fields)["error"]).replace(path, "")

        assert told(there) == told(missing)


@pytest.mark.parametrize(
    "wrong",
    [
        {"options": None},
        {"options": {"max_size": None}},
        {"options": {"max_size": 10**30}},
        {"options": {"seed": None}, "method": "optimize"},
        {"styles": ["x"]},
        {"styles": None},
        {"style_weights": ["x"]},
        {"gallery_styles": "x"},
        {"gallery_styles": [1]},
        {"method": None},
        {"preset": 1},
        {"format": "exe"},
        {"mask": "x"},
        {"works": "x"},
        {"works": ["x"]},
        {"works": None},
        {"print": ["30x40cm"]},
        {"print": "30x40cm", "dpi": "many"},
        {"print": "30x40cm", "dpi": 10**30},
        {"variations": "x"},
        {"variations": 10**30, "method": "optimize"},
        {"options": {"palette": ["1d3557", "e63946"]}},
        {"options": {"wrap": None}},
        {"options": {"match_result": {}}},
    ],
)
def test_a_wrong_type_is_told_in_a_line(
    visitor: Visitor, folder: Path, wrong: dict[str, Any]
) -> None:
    photo = visitor.upload(folder / "secret.png", "me.png")
    answer = visitor.stylize(photo, **wrong)
    assert_one_line(answer)
    assert answer["error"]


@pytest.mark.parametrize(
    "path",
    [
        "file={secret}",
        "file=http://canary.invalid/x.png",
        "file=HTTPS:/canary.invalid/x.png",
        "proxy=https://canary.invalid/x.png",
        "file/{secret}",
    ],
)
def test_nothing_else_is_served(visitor: Visitor, folder: Path, path: str) -> None:
    secret = folder / "secret.png"
    answer = visitor.http.get(f"/gradio_api/{path.format(secret=secret)}")
    assert answer.status_code >= 400
    assert secret.read_bytes() not in answer.content


def test_what_calls_itself_a_style_pack_is_told_in_a_line(visitor: Visitor, folder: Path) -> None:
    photo = visitor.upload(folder / "secret.png", "me.png")
    header = b'{"__metadata__": {"impasto_style": "' + b"[" * 5000 + b'"}}'
    long = len(header).to_bytes(8, "little") + header
    for contents in (b"", b"\x80\x04.", (1 << 62).to_bytes(8, "little"), long):
        (folder / "bad.style").write_bytes(contents)
        bad = visitor.upload(folder / "bad.style", "bad.style")
        answer = visitor.stylize(photo, method="arbitrary", works=[bad])
        assert_one_line(answer)
        assert "bad.style" in answer["error"]
        assert str(Path(bad["path"]).parent) not in answer["error"]


def test_settings_of_gradios_own_are_closed(visitor: Visitor) -> None:
    answer = visitor.http.get("/?view=settings&__theme=dark&view=%73ettings")
    assert (answer.status_code, answer.headers["location"]) == (307, "./?__theme=dark")
    assert visitor.http.get("/?view=settings").headers["location"] == "./"
    assert visitor.http.get("/?view=api").status_code == 200


def test_an_upload_stays_in_the_inbox(visitor: Visitor, folder: Path) -> None:
    inbox = Path(visitor.upload(folder / "secret.png", "x.png")["path"]).parents[1]
    for name in ("../../../up.png", "/tmp/absolute.png", "a\\..\\b.png", "n\0.png"):
        place = Path(visitor.upload(folder / "secret.png", name)["path"])
        assert inbox in place.parents
        assert ".." not in place.parts


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("queue/join", b'{"data": [' + b"1," * 600_000 + b"1]}", 413),
        ("queue/join", b"[" * 100_000, 400),
        ("queue/join", b'{"data": ' + b"[" * 300 + b"]" * 300 + b', "fn_index": 0}', 400),
        ("queue/join", b'{"data": [], "fn_index": 9999, "session_hash": "x"}', 400),
        ("run/predict", b'{"data": [], "fn_index": -1, "session_hash": "x"}', 400),
        ("call/nothing", b'{"data": []}', 400),
        ("component_server", b"{}", 404),
        ("process_recording", b"", 404),
    ],
)
def test_a_request_that_cannot_be_used_is_refused(
    visitor: Visitor, path: str, body: bytes, status: int
) -> None:
    json_type = {"Content-Type": "application/json"}
    answer = visitor.http.post(f"/gradio_api/{path}", content=body, headers=json_type)
    assert answer.status_code == status
    assert "\n" not in answer.text
