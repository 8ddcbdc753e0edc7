"""Trade-offs over an option."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from impasto import metrics
from impasto.errors import InputError
from impasto.explain.evaluation import Evaluator
from impasto.explain.sweep import parse_sweep, plot_trials, sweep
from impasto.options import OptimizeOptions
from impasto.pictures import load_artwork
from tests.small import OPTIONS, small_backbone


def test_values_are_read_as_the_option_takes_them() -> None:
    assert parse_sweep("content-weight=0.3,1") == ("content_weight", [0.3, 1.0])
    assert parse_sweep("steps=5,10") == ("steps", [5, 10])
    assert parse_sweep("init=noise,gray") == ("init", ["noise", "gray"])
    assert parse_sweep("style_loss=gram,w2") == ("style_loss", ["gram", "w2"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour=1,2", "cannot sweep 'colour'"),
        ("style_layers=relu1_1", "cannot sweep 'style_layers'"),
        ("style_weight", "numbers divided by commas"),
        ("style_weight=1,x", "numbers divided by commas"),
        ("style_weight=1,-1", "at least 0"),
        ("style_loss=gram,grim", "unknown style_loss"),
    ],
)
def test_wrong_sweeps_are_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        parse_sweep(text)


def test_more_style_weight_brings_the_style_nearer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(metrics, "CONTENT_LAYERS", ("relu2_2",))
    monkeypatch.setattr(metrics, "GRAM_LAYERS", ("relu1_1", "relu2_1", "relu3_1"))
    monkeypatch.setattr(metrics, "W2_LAYERS", ("relu2_1",))
    photo, artwork = load_artwork("river-dots", 32), load_artwork("orphic-discs", 32)
    options = OptimizeOptions(max_size=32, steps=20, **OPTIONS)
    weak, strong = sweep(
        "style_weight",
        [0.01, 100.0],
        photo,
        artwork,
        options,
        Evaluator(small_backbone()),
        backbone=small_backbone(),
    )
    assert (weak.value, strong.value) == ("0.01", "100")
    assert weak.row["content"] < strong.row["content"]
    assert weak.row["Gram"] > strong.row["Gram"]
    plot_trials([weak, strong], "style_weight", tmp_path / "plot.svg")
    texts = re.findall(r"<!-- (.*?) -->", (tmp_path / "plot.svg").read_text())
    assert {"0.01", "100", "content distance", "Trade-off over style_weight"} <= set(texts)
