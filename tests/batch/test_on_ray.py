"""A batch on Ray: the same files and records as in this process, also when a worker is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from impasto.batch import Manifest, Summary, on_ray, plan, run
from impasto.errors import ImpastoError, InputError
from impasto.image import load_image
from tests.batch.fake import setup, write_photos

pytest.importorskip("ray")


@pytest.mark.filterwarnings("ignore")  # Ray's own
@pytest.mark.parametrize(("address", "message"), [(None, "start Ray"), ("a:1", "reach Ray at a:1")])
def test_a_ray_that_does_not_start_is_told_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str | None, message: str
) -> None:
    import ray

    def overloaded(**_: object) -> None:
        raise Exception("The node timed out.\nIt is overloaded.")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", overloaded)
    write_photos(tmp_path / "in", ["a.png"])
    items = plan([str(tmp_path / "in")], ["night"], str(tmp_path / "out"))
    with pytest.raises(ImpastoError, match=f"cannot {message}: It is overloaded."):
        list(on_ray.engine(address)(items, setup()))


@pytest.mark.parametrize("too_small", [{"workers": 0}, {"cpus": -1}, {"gpus": -0.5}])
def test_numbers_that_are_too_small_are_refused(too_small: dict[str, Any]) -> None:
    with pytest.raises(InputError, match="at least 1 worker"):
        on_ray.engine(**too_small)


def test_a_worker_too_large_for_this_machine_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import ray

    monkeypatch.setattr(ray, "is_initialized", lambda: True)
    monkeypatch.setattr(ray, "cluster_resources", lambda: {"CPU": 2.0})
    write_photos(tmp_path / "in", ["a.png"])
    items = plan([str(tmp_path / "in")], ["night"], str(tmp_path / "out"))
    sizes: list[dict[str, Any]] = [{"cpus": 3}, {"gpus": 1}]
    for size in sizes:
        with pytest.raises(InputError, match="no room for a worker"):
            list(on_ray.engine(**size)(items, setup()))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_every_item_is_there_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Workers have to find the stylizer of the tests.
    root = str(Path(__file__).resolve().parents[2])
    monkeypatch.setenv("PYTHONPATH", f"{root}:{root}/src")
    write_photos(tmp_path / "in", [f"{i}.png" for i in range(6)])
    (tmp_path / "in" / "3.png").write_bytes(b"no picture")
    items = plan([str(tmp_path / "in")], ["night"], str(tmp_path / "out"))
    with Manifest(tmp_path / "manifest.jsonl") as manifest:
        engine = on_ray.engine(workers=2)
        assert run(items, setup(), manifest, engine=engine) == Summary(done=5, failed=1)
        outputs = sorted(record["output"] for record in manifest.records())
    assert outputs == [item.output for item in items]
    assert load_image(items[0].output).size == (24, 32)
