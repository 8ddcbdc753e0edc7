"""What `impasto-light` installs: everything but torch, and the networks paint without it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from impasto.pictures import load_portrait

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[1]


def run(folder: Path, *commands: str) -> subprocess.CompletedProcess[str]:
    """Run commands in a process where torch cannot be imported; its exit code is the last one's."""
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "from impasto.cli import main\n"
        f"codes = [main(line.split()) for line in {commands!r}]\n"
        "sys.exit(max(codes))\n"
    )
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    load_portrait().resized(96, 112).pil().save(tmp_path / "photo.png")
    return tmp_path


def test_networks_paint_without_torch(photo: Path) -> None:
    done = run(
        photo,
        "stylize photo.png starry-night -o fast.png",
        "stylize photo.png photo.png --method arbitrary --strength 0.5 -o any.png",
        "stylize photo.png starry-night --preserve-color luminance --mask photo.png -o mask.png",
        "gallery",
        "sheet photo.png starry-night photo.png --tile-size 64 -o sheet.png",
        "batch photo.png -o out starry-night",
        "compare grid photo.png --styles starry-night -o grid.png",
        "compare strip photo.png fast.png -o strip.png",
        "weights list",
    )
    assert done.returncode == 0, done.stderr
    names = ("fast", "any", "mask", "sheet", "out/photo", "grid", "strip")
    for name in names:
        assert (photo / f"{name}.png").is_file()


def test_networks_paint_without_torch_beside_a_gpu(photo: Path) -> None:
    fake = photo / "nvidia-smi"
    fake.touch(mode=0o755)
    code = (
        "import os, sys\n"
        "sys.modules['torch'] = None\n"
        f"os.environ['PATH'] = {str(photo)!r}\n"
        "import impasto\n"
        "print(impasto.load('fast').engine.settings)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "'engine': 'onnx'" in done.stdout, done.stderr


@pytest.mark.parametrize(
    "command",
    [
        "demo",
        "stylize photo.png photo.png -o out.png",
        "stylize photo.png starry-night --tile 64 -o out.png",
        "stylize photo.png starry-night --device cuda -o out.png",
        "video photo.png starry-night -o out.gif",
        "features photo.png",
        "evaluate photo.png photo.png photo.png",
    ],
)
def test_what_needs_torch_says_so_in_one_line(photo: Path, command: str) -> None:
    done = run(photo, f"{command} -q")
    assert done.returncode == 2
    assert done.stderr.startswith("impasto: this needs torch, which is not installed: pip install")
    assert done.stderr.count("\n") == 1
    assert not (photo / "out.png").exists()


def test_python_says_so_too() -> None:
    code = (
        "import sys\n"
        "sys.modules['torch'] = None\n"
        "import impasto\n"
        "for use in (lambda: impasto.load('optimize'), lambda: impasto.Backbone):\n"
        "    try: use()\n"
        "    except impasto.ImpastoError as error: print(type(error).__name__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.split() == ["MissingTorchError"] * 2, done.stderr


def _project(path: Path) -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads(path.read_text())["project"]
    return project


def test_the_light_distribution_differs_by_torch_alone() -> None:
    full = _project(ROOT / "pyproject.toml")
    light = _project(ROOT / "packaging" / "light" / "pyproject.toml")
    extras = full["optional-dependencies"]
    runtime = [each for each in extras["onnx"] if each.startswith("onnxruntime>")]
    without = [each for each in full["dependencies"] if not each.startswith("torch>")]
    assert sorted(light["dependencies"]) == sorted(without + runtime)
    assert light["requires-python"] == full["requires-python"]
    assert light["scripts"] == full["scripts"]
    mine = {name: extras[name] for name in extras if name not in ("dev", "docs")}
    assert light["optional-dependencies"] == mine
