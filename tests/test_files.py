from __future__ import annotations

from pathlib import Path

import pytest

from impasto.errors import ImpastoError, InputError
from impasto.files import atomic


def test_the_file_appears_when_all_is_written(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with atomic(path) as temporary:
        temporary.write_text("new")
        assert (temporary.parent, temporary.suffix) == (tmp_path, ".txt")
        assert path.read_text() == "old"
    assert [file.read_text() for file in tmp_path.iterdir()] == ["new"]


def test_nothing_remains_of_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), atomic(tmp_path / "a.txt") as temporary:
        temporary.write_text("half")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").touch()
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "real")
    with atomic(link) as temporary:
        temporary.write_text("new")
    assert link.is_symlink() and (tmp_path / "real").read_text() == "new"


def test_errors_are_one_line_for_people(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="nowhere does not exist"), atomic(tmp_path / "nowhere/a"):
        pass
    (tmp_path / "folder").mkdir()
    with (
        pytest.raises(ImpastoError, match=r"cannot write .*folder"),
        atomic(tmp_path / "folder") as temporary,
    ):
        temporary.touch()
