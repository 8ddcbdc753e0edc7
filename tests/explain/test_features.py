"""Feature maps, Gram heat maps and receptive fields."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch
from torch import nn

from impasto.backbones import load_backbone
from impasto.backbones.base import Backbone, ReceptiveField
from impasto.backbones.vgg import VGG
from impasto.errors import InputError
from impasto.explain.features import (
    feature_maps,
    plot_grams,
    plot_maps,
    receptive_field,
    strongest,
)
from impasto.pictures import load_artwork
from tests.small import PLAN, small_backbone, small_state


def texts(path: Path) -> list[str]:
    """The texts of an SVG, which matplotlib keeps as comments beside their outlines."""
    return re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("layer", ["relu1_1", "relu2_1", "relu2_2", "relu3_1"])
def test_receptive_fields_are_those_that_gradients_reach(layer: str) -> None:
    # With positive weights and average pooling, every pixel in reach has a gradient.
    state = {key: value.abs() + 0.01 for key, value in small_state().items()}
    backbone = VGG("small", state, "average", PLAN).freeze()
    image = torch.ones(1, 3, 64, 64, requires_grad=True)
    maps = backbone(image, [layer])[layer]
    middle = maps.shape[2] // 2
    (grad,) = torch.autograd.grad(maps[0, :, middle, middle].sum(), image)
    (reached,) = grad[0].abs().sum(dim=(0, 1)).nonzero(as_tuple=True)
    found = receptive_field(backbone, layer)
    assert found.size == int(reached.max() - reached.min()) + 1
    assert found.stride == 64 // maps.shape[2]


def test_receptive_fields_of_the_embedded_backbone_are_those_of_vgg16() -> None:
    # Published for VGG-16: conv4_1 sees 60, conv5_1 sees 132 pixels.
    backbone = load_backbone("lite")
    assert receptive_field(backbone, "relu4_1") == ReceptiveField(stride=8, margin=26)
    assert receptive_field(backbone, "relu4_1").size == 60
    assert receptive_field(backbone, "relu5_1").size == 132
    assert receptive_field(backbone, "relu5_1") == ReceptiveField(stride=16, margin=58)


def test_receptive_fields_of_other_networks_are_refused() -> None:
    other = Backbone.from_module(nn.Sequential(nn.Conv2d(3, 4, 3)), ["0"])
    with pytest.raises(InputError, match="no VGG"):
        receptive_field(other, "0")


def test_the_strongest_channels_vary_most() -> None:
    maps = torch.zeros(4, 6, 6)
    maps[1, 0, 0], maps[3, 0, 0] = 1, 3
    maps[0] = 100  # strong but the same everywhere
    assert strongest(maps, 2) == [3, 1]
    assert len(strongest(maps, 9)) == 4


def test_plots_name_layers_and_channels(tmp_path: Path) -> None:
    maps = feature_maps(small_backbone(), load_artwork("river-dots", 32), ["relu3_1", "relu1_1"])
    assert list(maps) == ["relu3_1", "relu1_1"]
    plot_maps(maps, tmp_path / "maps.svg", channels=10)
    sign = "\N{MULTIPLICATION SIGN}"
    found = texts(tmp_path / "maps.svg")
    assert {"relu1_1", "relu3_1", "8 channels", f"8 {sign} 8", f"32 {sign} 32"} <= set(found)
    assert {str(i) for i in strongest(maps["relu3_1"], 10)} <= set(found)
    plot_grams(maps, tmp_path / "grams.svg")
    assert {"relu1_1", "relu3_1", "all 8 channels"} <= set(texts(tmp_path / "grams.svg"))


def test_plots_refuse_what_they_cannot_draw(tmp_path: Path) -> None:
    maps = {"relu1_1": torch.rand(4, 6, 6)}
    with pytest.raises(InputError, match="channels"):
        plot_maps(maps, tmp_path / "maps.png", channels=0)
    with pytest.raises(InputError, match="use one of"):
        plot_grams(maps, tmp_path / "grams.txt")
    assert not list(tmp_path.iterdir())


def test_dead_channels_are_drawn(tmp_path: Path) -> None:
    maps = {"relu1_1": torch.zeros(4, 6, 6)}
    plot_maps(maps, tmp_path / "maps.png")
    plot_grams(maps, tmp_path / "grams.png")
    assert len(list(tmp_path.iterdir())) == 2
