"""README and documentation say what is true: commands, links, names."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path
from typing import Any

import pytest

from impasto.cli import build_parser

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
FENCE = re.compile(r"^ *```sh\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
# At the beginning of a line, after another command, or as what a container or tool runs.
COMMAND = re.compile(r"(?:^|[\s/])impasto(?::light)? ([a-z][^|&>]*)")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
# On the site, but written when it is built.
GENERATED = ("notebooks/", "commands.md", "try/")


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def commands(page: Path) -> list[list[str]]:
    """The arguments of each `impasto` in the shell blocks of a page."""
    lines = "".join(FENCE.findall(page.read_text())).replace("\\\n", " ").splitlines()
    plain = (re.sub(r"(^|\s)#.*", "", line) for line in lines)
    return [shlex.split(found) for line in plain for found in COMMAND.findall(line)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_can_be_typed(page: Path) -> None:
    parser = build_parser()
    for arguments in commands(page):
        if "..." in arguments:
            continue
        try:
            parser.parse_args(arguments)
        except SystemExit:
            pytest.fail(f"`impasto {shlex.join(arguments)}` is refused")


def test_commands_are_found() -> None:
    found = commands(ROOT / "README.md")
    assert ["demo"] in found
    assert any("--preserve-color" in each for each in found)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if "://" in target or any(part in target for part in GENERATED):
            continue
        assert (page.parent / target).exists(), target


def test_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 120


def test_names_of_the_app_are_those_that_it_shows() -> None:
    pages = ROOT / "src" / "impasto" / "app" / "pages"
    shown = "".join(path.read_text() for path in pages.glob("*.py"))
    rows = re.findall(r"^\| ([^|`]+) \| `", (DOCS / "names.md").read_text(), re.MULTILINE)
    labels = [row for row in rows if row != "in the app"]
    assert len(labels) > 10
    for label in labels:
        assert f'"{label}' in shown, label


def test_the_space_starts_the_app(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = ROOT / "integrations" / "huggingface"
    matter = (folder / "README.md").read_text().split("---")[1]
    fields = dict(line.split(": ", 1) for line in matter.strip().splitlines())
    assert fields["sdk"] == "gradio"
    began: list[list[str]] = []

    def start(arguments: list[str]) -> int:
        build_parser().parse_args(arguments)
        began.append(arguments)
        return 0

    monkeypatch.setattr("impasto.cli.main", start)
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(folder / fields["app_file"]), run_name="__main__")
    assert end.value.code == 0
    assert began[0][0] == "app"


def test_the_image_has_all_that_it_copies() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copies = re.findall(r"^COPY (?!--from)(.+) \S+$", (ROOT / "Dockerfile").read_text(), re.M)
    names: list[Any] = [name for line in copies for name in line.split()]
    assert "src" in names
    for name in names:
        assert (ROOT / name).exists()
        assert f"!{name}" in ignored
