"""What shells and services leave a command: closed streams, full disks, no home."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

COMMAND = f"'{sys.executable}' -m impasto"
posix = pytest.mark.skipif(sys.platform == "win32", reason="needs a POSIX shell")


def shell(line: str, folder: Path, **env: str) -> subprocess.CompletedProcess[bytes]:
    line = line.replace("impasto", COMMAND)
    return subprocess.run(
        ["sh", "-c", line], cwd=folder, env={**os.environ, **env}, capture_output=True, check=False
    )


@posix
@pytest.mark.parametrize(
    ("line", "code", "told"),
    [
        ("impasto -q stylize - a.png -o o.png <&-", 2, b"there is no standard input"),
        ("impasto -q stylize - a.png -o o.png </dev/null", 2, b"it is empty"),
        ("impasto -q stylize p.png a.png -o - >&-", 2, b"there is no standard output"),
        ("impasto gallery >/dev/full", 1, b"No space left on device"),
        ("impasto gallery >&-", 0, b""),
        ("impasto gallery 2>&- >list; grep -c starry-night list >&2", 0, b"1"),
    ],
)
def test_a_stream_that_cannot_be_used_is_one_line(
    line: str, code: int, told: bytes, tmp_path: Path
) -> None:
    done = shell(line, tmp_path)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == bool(told)


@posix
def test_names_that_stdout_cannot_encode_are_printed_all_the_same(tmp_path: Path) -> None:
    for name in (b"caf\xe9.jpg", "\u7167\u7247.jpg".encode()):  # Latin-1, and UTF-8
        (tmp_path / os.fsdecode(name)).touch()
    line = "impasto batch . -o out starry-night --dry-run"
    done = shell(line, tmp_path, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert b"caf\\udce9.png" in done.stdout and b"\\u7167\\u7247.png" in done.stdout


@posix
def test_without_a_home_the_cache_is_asked_for(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys\n"
        "def unknown(*_): raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.expanduser = unknown\n"
        "from impasto.cli import main\n"
        "sys.exit(main(['weights', 'list']))\n"
    )
    env = {**os.environ, "IMPASTO_CACHE": "~/cache"}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == "impasto: there is no home folder for the cache: set IMPASTO_CACHE\n"
