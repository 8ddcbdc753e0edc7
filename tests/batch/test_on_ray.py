"""A batch on Ray: the same files and records as in this process, also when a worker is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from impasto.batch import Manifest, Summary, on_ray, plan, run
from impasto.image import load_image
from tests.batch.fake import recipe, write_photos

pytest.importorskip("ray")


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
        assert run(items, recipe(), manifest, engine=engine) == Summary(done=5, failed=1)
        outputs = sorted(record["output"] for record in manifest.records())
    assert outputs == [item.output for item in items]
    assert load_image(items[0].output).size == (24, 32)
