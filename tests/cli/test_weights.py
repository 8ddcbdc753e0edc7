"""The command `impasto weights`."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from safetensors.torch import save_file

from impasto.backbones.weights import cache_folder, cached_path
from impasto.cli import bars, weights
from impasto.errors import InputError
from tests.backbones.checkpoint_server import CheckpointServer, narrow_vgg16, published


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[CheckpointServer]:
    with published(monkeypatch, tmp_path / "cache") as server:
        yield server


def impasto(*words: str) -> int:
    parser = argparse.ArgumentParser()
    weights.add_parser(parser.add_subparsers())
    args = parser.parse_args(["weights", *words])
    code: int = args.run(args)
    return code


def row(text: str, name: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith(f"{name} ")]
    return line


def test_the_table_follows_a_download(
    server: CheckpointServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert impasto("list") == 0
    before = capsys.readouterr().out
    assert before.splitlines()[0].split() == ["name", "state", "size", "licence", "file"]
    assert "embedded" in row(before, "lite")
    assert "not downloaded  574.7 MB" in row(before, "vgg19")
    assert "not downloaded" in row(before, "vgg16")

    assert impasto("download", "vgg16") == 0
    assert f"vgg16: 0.0 MB in {cached_path('vgg16')}" in capsys.readouterr().out
    assert impasto("list") == 0
    after = capsys.readouterr().out
    assert row(after, "vgg16").split()[1:] == [
        "cached",
        "0.0",
        "MB",
        "free",
        str(cached_path("vgg16")),
    ]
    assert row(after, "vgg19").split() == row(before, "vgg19").split()


@pytest.mark.usefixtures("server")
def test_the_table_names_files_from_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "vgg16.safetensors"
    save_file(narrow_vgg16(), path)
    monkeypatch.setenv("IMPASTO_WEIGHTS", str(tmp_path))
    impasto("list")
    line = row(capsys.readouterr().out, "vgg16")
    assert "given" in line and "unknown" in line and line.endswith(str(path))


def test_ctrl_c_keeps_the_partial_file_and_says_how_to_go_on(
    server: CheckpointServer, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    server.cuts = [5000]
    with monkeypatch.context() as patch:
        patch.setattr(time, "sleep", interrupt)
        assert impasto("download", "vgg16") == 130
    assert "`impasto weights download vgg16` goes on from there" in capsys.readouterr().err
    impasto("list")
    line = row(capsys.readouterr().out, "vgg16")
    assert "partly downloaded" in line and line.endswith("vgg16-test.pth.part")
    assert impasto("download", "vgg16") == 0
    assert server.requests == [None, "bytes=5000-"]


def test_all_names_are_checked_before_anything_is_downloaded(server: CheckpointServer) -> None:
    with pytest.raises(InputError, match=r"no backbone 'vgg91': did you mean vgg19"):
        impasto("download", "vgg16", "vgg91")
    assert server.requests == []


def test_nothing_is_downloaded_for_an_embedded_backbone(
    server: CheckpointServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert impasto("download", "lite") == 0
    assert "lite is embedded" in capsys.readouterr().out
    assert server.requests == []


@pytest.mark.usefixtures("server")
def test_import_recognises_the_network_and_path_then_names_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match=r"vgg16 are not on this machine \(not downloaded yet\)"):
        impasto("path", "vgg16")
    save_file(narrow_vgg16(), tmp_path / "mine.safetensors")
    assert impasto("import", str(tmp_path / "mine.safetensors")) == 0
    assert capsys.readouterr().out == f"vgg16: 0.0 MB in {cached_path('vgg16')}\n"
    assert impasto("path", "vgg16") == 0
    assert capsys.readouterr().out == f"{cached_path('vgg16')}\n"
    assert impasto("path") == 0
    assert capsys.readouterr().out == f"{cache_folder()}\n"
    assert impasto("path", "lite") == 0
    assert capsys.readouterr().out.endswith("lite.safetensors\n")


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("name", "message"),
    [("vgg19", "holds vgg16, not vgg19"), ("lite", "cannot import 'lite': --name is vgg19 or")],
)
def test_import_under_a_wrong_name_is_refused(tmp_path: Path, name: str, message: str) -> None:
    save_file(narrow_vgg16(), tmp_path / "mine.safetensors")
    with pytest.raises(InputError, match=message):
        impasto("import", str(tmp_path / "mine.safetensors"), "--name", name)


def test_the_bar_appears_on_a_terminal_and_counts_what_was_there_before(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with bars.download_bar("vgg16") as progress:
        progress(600_000, 1_000_000)
        progress(1_000_000, 1_000_000)
    shown = capsys.readouterr().err
    assert "vgg16:  60%" in shown and "600k/1.00M" in shown and "vgg16: 100%" in shown


def test_no_bar_without_a_terminal_or_without_a_download(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with bars.download_bar("vgg16") as progress:
        progress(600_000, 1_000_000)
    with bars.download_bar("vgg16"):
        pass
    assert capsys.readouterr().err == ""


def test_list_and_path_do_not_wait_for_torch(tmp_path: Path) -> None:
    program = (
        "import argparse, sys; from impasto.cli import weights\n"
        "parser = argparse.ArgumentParser(); weights.add_parser(parser.add_subparsers())\n"
        "assert not {'torch', 'numpy', 'tqdm'} & set(sys.modules)\n"
        "for word in ('list', 'path'):\n"
        "    args = parser.parse_args(['weights', word]); args.run(args)\n"
        "assert 'torch' not in sys.modules\n"
    )
    environment = {"IMPASTO_CACHE": str(tmp_path), "PATH": ""}
    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)
