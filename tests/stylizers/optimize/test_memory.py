"""What a run will take, and which tiles follow from it."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from impasto.backbones.base import Backbone
from impasto.errors import InputError
from impasto.options import OptimizeOptions
from impasto.stylizers.optimize import memory
from impasto.stylizers.optimize.memory import FRAGMENTS, Costs, Layout, Planner, measure
from impasto.stylizers.optimize.pyramid import Scale
from tests.small import OPTIONS, small_backbone

CPU = torch.device("cpu")
GB = 1024**3
LARGE = Scale((3072, 4096), 20)
COSTS = Costs(graph=1000.0, maps=100.0)


def planner(monkeypatch: pytest.MonkeyPatch, free: float, **options: Any) -> Planner:
    monkeypatch.setattr(memory, "free_memory", lambda _device: free / memory.SHARE)
    monkeypatch.setattr(memory, "used_memory", lambda _device: 0.5 * GB)
    return Planner(small_backbone(), OptimizeOptions(**{**OPTIONS, **options}), CPU, COSTS, 10)


def layout(
    monkeypatch: pytest.MonkeyPatch, free: float, scale: Scale = LARGE, **options: Any
) -> Layout:
    return planner(monkeypatch, free, **options).layout(scale, [(768, 1024)])


def test_plenty_of_memory_needs_no_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = layout(monkeypatch, 100 * GB)
    assert chosen.tile == 0
    assert chosen.keep_maps


def test_the_less_memory_the_smaller_the_tiles(monkeypatch: pytest.MonkeyPatch) -> None:
    amounts = (100, 9, 7, 6, 4.6, 3.8)
    layouts = [layout(monkeypatch, free * GB) for free in amounts]
    sides = [each.tile or 10_000 for each in layouts]
    assert sides == sorted(sides, reverse=True)
    assert len(set(sides)) > 2
    assert not layouts[-1].keep_maps
    for free, each in zip(amounts, layouts, strict=True):
        assert each.peak + each.room == pytest.approx(free * GB / FRAGMENTS)
        assert each.room >= memory.PAIRS * 12 * 3072 * 4096  # in bfloat16


def test_where_nothing_else_fits_the_history_is_short(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = layout(monkeypatch, 3.1 * GB)
    pair = 12 * 3072 * 4096  # in bfloat16
    assert memory.FEW_PAIRS * pair <= chosen.room < memory.PAIRS * pair


def test_small_scales_of_the_same_run_are_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    assert layout(monkeypatch, 4 * GB, Scale((384, 512), 40)).tile == 0


def test_a_limit_counts_what_is_taken_already(monkeypatch: pytest.MonkeyPatch) -> None:
    limited = layout(monkeypatch, 100 * GB, memory="4GB")
    assert limited.tile
    assert limited.peak + limited.room == pytest.approx(3.5 * GB / FRAGMENTS)


def test_what_cannot_fit_is_refused_before_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InputError, match=r"4096 x 3072 px would take .* GB, and 1\.5 GB may"):
        layout(monkeypatch, 1 * GB)
    with pytest.raises(InputError, match="or tile auto"):
        layout(monkeypatch, 5 * GB, tile="off")


def test_tiles_can_be_demanded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert layout(monkeypatch, 100 * GB, tile=300).tile == 300
    assert layout(monkeypatch, 100 * GB, tile="off").tile == 0


def test_the_peak_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    told = planner(monkeypatch, 4 * GB)
    chosen = told.layout(LARGE, [(768, 1024)])
    text = told.describe(LARGE, chosen)
    assert f"4096 x 3072 px in tiles of {chosen.tile} px" in text
    assert "at most 4.5 GB" in text  # with what is used already, and all room for the history


def test_a_backbone_of_ones_own_stays_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    backbone = Backbone.from_module(nn.Sequential(nn.Conv2d(3, 4, 3)), ["0"])
    layers: dict[str, Any] = {"content_layers": {"0": 1.0}, "style_layers": {"0": 1.0}}
    monkeypatch.setattr(memory, "free_memory", lambda _device: 4 * GB)
    planner = Planner(backbone, OptimizeOptions(**layers), CPU, COSTS, 10)
    assert planner.layout(Scale((256, 256), 5), [(64, 64)]).tile == 0
    with pytest.raises(InputError, match="smaller max_size"):
        planner.layout(LARGE, [(64, 64)])
    with pytest.raises(InputError, match="cannot work in tiles"):
        Planner(backbone, OptimizeOptions(**layers, tile=128), CPU, COSTS, 10)


def test_costs_follow_from_the_layers() -> None:
    """By hand: relu2_2's map has 12 channels at a quarter of the positions, 4 bytes each."""
    costs = measure(small_backbone(), OptimizeOptions(**OPTIONS), CPU)
    assert costs.maps == pytest.approx(12 / 4 * 4)
    # At least one map after each convolution: 8 + (12 + 12) / 4 + 16 / 16 channels.
    assert costs.graph > memory.WORKSPACE * 4 * (8 + 6 + 1)
    assert costs.graph < 4 * memory.WORKSPACE * 4 * (8 + 6 + 1)
