"""Torch and ONNX Runtime as engines of the same networks."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impasto.errors import InputError, MissingExtraError
from impasto.image import Picture
from impasto.stylizers.networks.export import export
from impasto.stylizers.networks.stylizer import Arbitrary, Fast
from impasto.stylizers.networks.torch_engine import TorchEngine
from tests.models import write_arbitrary, write_fast

pytestmark = pytest.mark.slow
RANDOM = np.random.default_rng(0)
PHOTO = Picture(RANDOM.random((37, 50, 3), np.float32), RANDOM.random((37, 50), np.float32))
STYLE = Picture(RANDOM.random((40, 30, 3), np.float32))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both kinds of models and their ONNX files."""
    for package in ("onnxruntime", "onnxscript"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("models")
    for path in (
        write_fast(folder / "fast.safetensors"),
        write_arbitrary(folder / "arbitrary.safetensors"),
    ):
        export(path, Path(path).with_suffix(".onnx"))
    return folder


def test_a_per_style_network_paints_alike_in_both(models: Path) -> None:
    by_engine = [
        Fast(model=str(models / "fast.safetensors"), engine=engine, device="cpu").set_style(
            ["great-wave", "starry-night"], weights=[1, 2]
        )(PHOTO)
        for engine in ("auto", "torch")
    ]
    assert [result.settings["engine"] for result in by_engine] == ["onnx", "torch"]
    onnx, torch = (result.picture.rgb for result in by_engine)
    np.testing.assert_allclose(onnx, torch, atol=1e-3)
    assert by_engine[0].picture.alpha is PHOTO.alpha


@pytest.mark.parametrize("strength", [1.0, 0.4])
def test_the_arbitrary_network_paints_alike_in_both(models: Path, strength: float) -> None:
    clear = Picture(STYLE.rgb, RANDOM.random(STYLE.size, np.float32))
    onnx, torch = (
        Arbitrary(model=str(models / "arbitrary.safetensors"), strength=strength, engine=engine)
        .set_style([STYLE, clear])(PHOTO)
        .picture.rgb
        for engine in ("onnx", "torch")
    )
    np.testing.assert_allclose(onnx, torch, atol=2e-3)


def test_onnx_runtime_paints_without_importing_torch(models: Path) -> None:
    model = str(models / "fast.safetensors")
    code = (
        "import sys, numpy as np\n"
        "import impasto\n"
        f"impasto.stylize(np.zeros((32, 32, 3)), 'great-wave', model={model!r}, device='cpu')\n"
        "print(*sorted(name for name in sys.modules if '.' not in name))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "onnxruntime" in done.stdout
    assert not {"torch", "matplotlib"} & set(done.stdout.split())


@pytest.mark.parametrize(("said", "threads"), [("3", 3), ("2,1", 2), ("", 5), ("many", 5)])
def test_onnx_runtime_takes_no_more_threads_than_it_may(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str, threads: int
) -> None:
    model = shutil.copytree(models, tmp_path / "models") / "fast.safetensors"  # not open yet
    monkeypatch.setenv("OMP_NUM_THREADS", said)
    monkeypatch.setattr("psutil.cpu_percent", lambda interval: 37.5)
    monkeypatch.setattr("time.process_time", lambda: 0.0)  # all of it is somebody else's
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    runtime, taken = pytest.importorskip("onnxruntime"), []
    make = runtime.InferenceSession

    def noted(path: str, options: Any, **keywords: Any) -> Any:
        taken.append(options.intra_op_num_threads)
        return make(path, options, **keywords)

    monkeypatch.setattr(runtime, "InferenceSession", noted)
    for _ in range(2):  # the second time it is open already
        Fast(model=str(model), engine="onnx").set_style("great-wave")(PHOTO)
    assert taken == [threads]


def test_large_pictures_are_painted_in_tiles_by_torch(models: Path) -> None:
    fast = Fast(model=str(models / "fast.safetensors"), tile=64, device="cpu")
    fast.set_style("great-wave")
    assert fast(PHOTO.resized(70, 90)).settings["engine"] == "torch"
    small = fast(PHOTO.resized(20, 20))
    assert small.settings["engine"] == "onnx"


def test_files_of_another_state_are_not_used(models: Path, tmp_path: Path) -> None:
    shutil.copy(models / "fast.onnx", tmp_path / "fast.onnx")
    model = write_fast(tmp_path / "fast.safetensors", ("other",))
    assert isinstance(Fast(model=model, device="cpu").engine, TorchEngine)
    with pytest.raises(InputError, match="another state"):
        Fast(model=model, engine="onnx")
    (tmp_path / "fast.onnx").unlink()
    with pytest.raises(InputError, match="impasto export"):
        Fast(model=model, engine="onnx")


def test_torch_runs_where_there_may_be_a_gpu(models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert isinstance(Fast(model=str(models / "fast.safetensors")).engine, TorchEngine)


def test_without_the_package_the_extra_is_named(
    models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    model = str(models / "fast.safetensors")
    assert isinstance(Fast(model=model, device="cpu").engine, TorchEngine)
    with pytest.raises(MissingExtraError, match=r"impasto\[onnx\]"):
        Fast(model=model, engine="onnx")
