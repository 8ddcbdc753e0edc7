"""Measuring pictures against their sources: sizes, manifests, tables."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.error import URLError

import pytest
import torch
from torch import Tensor

from impasto import artworks, metrics
from impasto.errors import ImpastoError, InputError, MissingExtraError
from impasto.explain.evaluation import Evaluator, load_lpips, mean, read_manifest, write_table
from impasto.image import Picture
from impasto.metrics import Judge
from tests.small import small_backbone


@pytest.fixture
def evaluator(monkeypatch: pytest.MonkeyPatch) -> Evaluator:
    monkeypatch.setattr(metrics, "CONTENT_LAYERS", ("relu2_2",))
    monkeypatch.setattr(metrics, "GRAM_LAYERS", ("relu1_1", "relu2_1"))
    monkeypatch.setattr(metrics, "W2_LAYERS", ("relu2_1",))
    return Evaluator(small_backbone(), max_size=32, lpips=lambda a, b: float((a - b).abs().mean()))


def test_sources_are_brought_to_the_pictures_size(evaluator: Evaluator) -> None:
    image = artworks.draw("river-dots", 32)
    content, style = artworks.draw("orphic-discs", 64), artworks.draw("wave-print", 96)
    row = evaluator(image, content, style)
    small = [p.resized(32, 32).tensor() for p in (image, content, style)]
    expected = Judge(small_backbone())(*small)
    assert row == pytest.approx(
        {
            "content": expected.content,
            "SSIM": expected.ssim,
            "Gram": expected.gram,
            "W2": expected.w2,
            "W2 relu2_1": expected.w2,
            "RGB W2": expected.rgb,
            "grain": expected.grain_lightness,
            "color grain": expected.grain_color,
            "weave": expected.weave,
            "LPIPS": float((small[0] - small[1]).abs().mean()),
        }
    )


def test_a_picture_of_another_shape_is_refused(evaluator: Evaluator) -> None:
    image, style = artworks.draw("river-dots", 32), artworks.draw("wave-print", 32)
    with pytest.raises(InputError, match="another photo"):
        evaluator(image, Picture(image.rgb[:20]), style)
    evaluator(image, Picture(image.rgb[:31]), style)  # a rounded size is none


def test_a_manifest_names_files_beside_it(tmp_path: Path) -> None:
    (tmp_path / "manifest.csv").write_text(
        "\ufeffcontent,image,style,name\na.jpg,out/a.png,s.jpg,first\nb.jpg,out/b.png,s.jpg,\n"
    )
    first, second = read_manifest(tmp_path)
    assert (first.name, second.name) == ("first", "b.png")
    assert first.image == tmp_path / "out/a.png"
    assert second.content == tmp_path / "b.jpg"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("image,content\na,b\n", "lacks the column style"),
        ("image,content,style\n", "lacks rows"),
        ("", "lacks the column image"),
        ("image,content,style\na,,c\n", "line 2: content is empty"),
        ("image,content,style\na\n", "line 2: content is empty"),
    ],
)
def test_a_wrong_manifest_is_refused(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    path.write_text(text)
    with pytest.raises(InputError, match=message):
        read_manifest(path)


def test_a_manifest_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot read the manifest"):
        read_manifest(tmp_path)
    path = tmp_path / "list.csv"
    path.write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(InputError, match="cannot read the manifest"):
        read_manifest(path)


def test_tables_are_written_and_averaged(tmp_path: Path) -> None:
    rows = {"a": {"x": 1.0, "y": 2.0}, "b, c": {"x": 3.0, "y": 0.5}}
    write_table(rows, tmp_path / "t.csv", "weight")
    assert (tmp_path / "t.csv").read_text().split() == [
        "weight,x,y",
        "a,1.0,2.0",
        '"b,',
        'c",3.0,0.5',
    ]
    assert mean(list(rows.values())) == {"x": 2.0, "y": 1.25}


def test_lpips_is_an_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "lpips", None)
    with pytest.raises(MissingExtraError, match=r"impasto\[lpips\]"):
        load_lpips()


def test_lpips_gets_pictures_in_its_range(monkeypatch: pytest.MonkeyPatch) -> None:
    class Network(torch.nn.Module):
        def forward(self, a: Tensor, b: Tensor) -> Tensor:
            return (a.amin() + 10 * b.amax()).view(1, 1, 1, 1)

    fake = SimpleNamespace(LPIPS=lambda net, verbose: Network())
    monkeypatch.setitem(sys.modules, "lpips", fake)
    distance = load_lpips()
    assert distance(torch.zeros(1, 3, 31, 40), torch.ones(1, 3, 31, 40)) == pytest.approx(-1 + 10)
    with pytest.raises(InputError, match="31 px"):
        distance(torch.zeros(1, 3, 30, 40), torch.ones(1, 3, 30, 40))


def test_lpips_without_its_network_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(net: str, verbose: bool) -> None:
        raise URLError("no route to host")

    monkeypatch.setitem(sys.modules, "lpips", SimpleNamespace(LPIPS=unreachable))
    with pytest.raises(ImpastoError, match=r"AlexNet.*no route to host"):
        load_lpips()


def test_lpips_with_a_torchvision_of_another_torch_is_one_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "lpips.py").write_text("raise RuntimeError('operator nms does not exist')")
    monkeypatch.delitem(sys.modules, "lpips", raising=False)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ImpastoError, match="torchvision that belongs to torch"):
        load_lpips()
