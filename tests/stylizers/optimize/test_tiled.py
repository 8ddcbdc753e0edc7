"""The tiled objective has the values and gradients of the one in one piece."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from impasto.backbones import load_backbone
from impasto.backbones.base import Backbone
from impasto.backbones.vgg import VGG
from impasto.errors import InputError
from impasto.losses import Source
from impasto.options import OptimizeOptions
from impasto.stylizers.optimize.objective import Objective
from tests.small import OPTIONS, PLAN, small_backbone, small_state

KINDS: dict[str, dict[str, Any]] = {
    "default": {},
    "w2": {"style_loss": "w2"},
    "gram and smoothness": {"style_loss": "gram", "tv_weight": 3.0},
    "classic": {"style_loss": "gram", "classic_losses": True, "style_weight": 1e6},
    "style alone": {"content_weight": 0.0},
    "content alone": {"style_weight": 0.0},
    "one shallow layer": {
        "content_layers": {"relu1_1": 1.0},
        "style_layers": {"relu1_1": 1.0},
        "tv_weight": 1.0,
    },
}


def image(seed: int, height: int, width: int, channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(1, channels, height, width, generator=generator, dtype=torch.float64)


def both(
    size: tuple[int, int],
    tile: int,
    *,
    backbone: Backbone | None = None,
    alpha: bool = False,
    keep_maps: bool = True,
    dtype: torch.dtype = torch.float64,
    **options: Any,
) -> list[tuple[dict[str, Tensor], Tensor]]:
    """Terms and gradient in one piece and in tiles."""
    backbone = backbone or small_backbone().to(dtype)
    cover = image(3, *size, channels=1).round() if alpha else None
    if cover is not None:
        cover[..., : size[1] // 2] = 0  # so that some tiles are not to be seen at all
        cover[..., -1] = 1
    sources = [
        Source(image(0, *size).to(dtype), None if cover is None else cover.to(dtype)),
        Source(image(1, 45, 38).to(dtype)),
    ]
    chosen = OptimizeOptions(**{**OPTIONS, **options})
    whole = Objective(backbone, sources[0], sources[1:], [1.0], chosen)
    tiled = Objective(
        backbone, sources[0], sources[1:], [1.0], chosen, tile=tile, keep_maps=keep_maps
    )
    return [each.gradient(image(2, *size).to(dtype)) for each in (whole, tiled)]


def check(pair: list[tuple[dict[str, Tensor], Tensor]], tolerance: float = 1e-7) -> None:
    (terms, grad), (tiled_terms, tiled_grad) = pair
    assert set(terms) == set(tiled_terms)
    for name, term in terms.items():
        assert float(tiled_terms[name]) == pytest.approx(float(term), rel=max(tolerance, 1e-6))
    assert float((tiled_grad - grad).norm() / grad.norm()) < tolerance


@settings(max_examples=25, deadline=None)
@given(height=st.integers(8, 75), width=st.integers(8, 75), tile=st.integers(8, 40))
def test_the_gradient_is_that_of_one_piece_at_any_size(height: int, width: int, tile: int) -> None:
    check(both((height, width), tile))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("alpha", [False, True])
def test_every_kind_of_loss(kind: str, alpha: bool) -> None:
    check(both((53, 47), 16, alpha=alpha, **KINDS[kind]))


def test_content_maps_that_are_not_kept_change_nothing() -> None:
    check(both((53, 47), 16, keep_maps=False))


def test_average_pooling() -> None:
    backbone = VGG("small", small_state(), "average", PLAN).freeze().double()
    check(both((53, 47), 16, backbone=backbone))


@pytest.mark.parametrize("size", [(97, 131), (64, 160)])
def test_the_embedded_backbone_in_float32(size: tuple[int, int]) -> None:
    layers = OptimizeOptions()
    check(
        both(
            size,
            48,
            backbone=load_backbone("lite"),
            dtype=torch.float32,
            content_layers=layers.content_layers,
            style_layers=layers.style_layers,
        ),
        1e-4,
    )


@pytest.mark.shared_data
def test_vgg16_in_float32(shared_data: Path) -> None:
    backbone = load_backbone("vgg16", weights=shared_data / "vgg16_features.safetensors")
    layers = OptimizeOptions()
    check(
        both(
            (97, 131),
            48,
            backbone=backbone,
            dtype=torch.float32,
            content_layers=layers.content_layers,
            style_layers=layers.style_layers,
        ),
        1e-4,
    )


def test_less_around_the_tiles_would_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The margin is needed: the comparison can fail."""
    from impasto.backbones.base import ReceptiveField

    def shallow(self: VGG, layer: str) -> ReceptiveField:
        return ReceptiveField(2 ** (int(layer[4]) - 1), 1)

    monkeypatch.setattr(VGG, "receptive_field", shallow)
    with pytest.raises(AssertionError):
        check(both((53, 47), 16))


def test_a_backbone_of_ones_own_has_no_tiles() -> None:
    backbone = Backbone.from_module(nn.Sequential(nn.Conv2d(3, 4, 3)), ["0"])
    source = Source(image(0, 20, 20).float())
    options = OptimizeOptions(content_layers={"0": 1.0}, style_layers={"0": 1.0})
    with pytest.raises(InputError, match="cannot work in tiles"):
        Objective(backbone, source, [source], [1.0], options, tile=64)


@pytest.mark.parametrize("alpha", [False, True])
def test_regions_and_masks(alpha: bool) -> None:
    """Two styles, each in its region, where a mask lets them; what is kept, and maps."""
    left = torch.zeros(1, 1, 53, 47, dtype=torch.float64)
    left[..., :20, :30] = 1
    cover = image(3, 53, 47, channels=1) if alpha else None
    mask = image(4, 53, 47, channels=1)
    content = Source(image(0, 53, 47), cover)
    styles = [Source(image(1, 45, 38)), Source(image(5, 30, 50))]
    common = (small_backbone().double(), content, styles, [1.0, 2.0], OptimizeOptions(**OPTIONS))
    regions = [left, 1 - left]
    keep = image(6, 53, 47, channels=1)
    strength = image(7, 53, 47, channels=1)
    fine = image(8, 53, 47, channels=1)
    larger = [Source(image(1, 90, 76)), Source(image(5, 60, 100))]
    maps: dict[str, Any] = {"strength": strength, "strokes": [(fine, styles), (1 - fine, larger)]}
    where: dict[str, Any] = {"regions": regions, "mask": mask, "keep": keep}
    for how in (where, where | maps):
        pair = [Objective(*common, **how, tile=tile) for tile in (0, 16)]
        check([each.gradient(image(2, 53, 47)) for each in pair])


def test_nearest_neighbours_have_no_tiles() -> None:
    with pytest.raises(InputError, match="style_loss nn cannot work in tiles"):
        both((53, 47), 16, style_loss="nn")
