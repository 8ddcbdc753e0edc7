"""The nearest-neighbour loss of a region, as a whole and from step to step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from impasto import losses
from impasto.losses import Neighbors, Source, neighbors

LAYERS = {"fine": 1.0, "coarse": 3.0}


def random(seed: int, *shape: int) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def source(height: int, width: int, alpha: Tensor | None = None) -> Source:
    return Source(torch.zeros(1, 3, height, width), alpha)


def maps_of(seed: int, height: int, width: int) -> dict[str, Tensor]:
    """Two layers at the stride of the grid, so that hypercolumns are the maps themselves."""
    size = (height // neighbors.STRIDE, width // neighbors.STRIDE)
    return {"fine": random(seed, 1, 3, *size), "coarse": 2 + random(seed + 1, 1, 4, *size)}


def made(
    style: dict[str, Tensor],
    where: Source,
    *styles: tuple[Source, dict[str, Tensor]],
    most: int = neighbors.BANK,
) -> Neighbors:
    moments = {layer: losses.moments(maps) for layer, maps in style.items()}
    bank = [
        neighbors.sampled(list(maps.values()), each, neighbors.places_of(each, most))
        for each, maps in styles
    ]
    return Neighbors(LAYERS, moments, where, torch.cat(bank))


def reference(image: dict[str, Tensor], style: dict[str, Tensor]) -> float:
    """The definition in NumPy: match by centred cosine, then the mean squared distance."""
    sets = []
    for maps in (image, style):
        columns = []
        for layer, weight in LAYERS.items():
            values = maps[layer][0].flatten(1).numpy().T
            spread = style[layer][0].flatten(1).numpy().var(axis=1).sum()
            columns.append(values * np.sqrt(weight / spread))
        sets.append(np.hstack(columns))
    ours, theirs = sets
    a, b = ours - ours.mean(axis=0), theirs - theirs.mean(axis=0)
    total = 0.0
    for column, centred in zip(ours, a, strict=True):
        cosines = b @ centred / np.linalg.norm(b, axis=1) / np.linalg.norm(centred)
        total += float(((column - theirs[cosines.argmax()]) ** 2).sum())
    return total / len(ours)


def test_the_loss_is_that_of_the_definition() -> None:
    image, style = maps_of(0, 24, 32), maps_of(2, 40, 20)
    loss = made(style, source(24, 32), (source(40, 20), style))(image)
    assert loss.item() == pytest.approx(reference(image, style), rel=1e-6)


def test_gradient_of_the_loss() -> None:
    style = maps_of(2, 40, 20)
    compare = made(style, source(16, 16), (source(40, 20), style))
    fine, coarse = (layer.requires_grad_() for layer in maps_of(0, 16, 16).values())
    compare({"fine": fine, "coarse": coarse})  # the matches of here stay for the next steps
    assert torch.autograd.gradcheck(lambda f, c: compare({"fine": f, "coarse": c}), (fine, coarse))


def test_the_style_itself_has_no_loss() -> None:
    style = maps_of(2, 24, 24)
    assert made(style, source(24, 24), (source(24, 24), style))(style).item() == 0


def test_a_region_takes_matches_from_the_visible_part_alone() -> None:
    style, image = maps_of(2, 24, 24), maps_of(0, 24, 24)
    alpha = torch.zeros(1, 1, 24, 24)
    alpha[..., :12] = 1
    changed = {layer: maps.clone() for layer, maps in style.items()}
    for maps in changed.values():
        maps[..., 3:] = 99
    one, other = (
        made(style, source(24, 24), (source(24, 24, alpha), maps))(image)
        for maps in (style, changed)
    )
    assert one.item() == other.item()
    assert made(style, source(24, 24), (source(24, 24), changed))(image).item() != one.item()


def test_a_faint_style_mask_still_has_matches() -> None:
    style = maps_of(2, 24, 24)
    faint = torch.full((1, 1, 24, 24), 0.1)
    assert made(style, source(24, 24), (source(24, 24, faint), style))(style).item() == 0


def test_positions_outside_of_a_region_do_not_count() -> None:
    style, image = maps_of(2, 24, 24), maps_of(0, 24, 24)
    alpha = torch.zeros(1, 1, 24, 24)
    alpha[..., :12] = 1
    changed = {layer: maps.clone() for layer, maps in image.items()}
    for maps in changed.values():
        maps[..., 3:] = 99
    losses_ = [
        made(style, source(24, 24, alpha), (source(24, 24), style))(maps).item()
        for maps in (image, changed)
    ]
    assert losses_[0] == pytest.approx(losses_[1], rel=1e-12)


def test_matches_come_from_every_style() -> None:
    one, other = maps_of(2, 24, 24), maps_of(4, 16, 24)
    pairs = [(source(24, 24), one), (source(16, 24), other)]
    for image, size in ((one, (24, 24)), (other, (16, 24))):
        both = made(one, source(*size), *pairs)(image).item()
        alone = [made(one, source(*size), pair)(image).item() for pair in pairs]
        assert both < 0.05 * max(alone)


def test_matches_are_searched_again_after_some_steps() -> None:
    style, first, second = maps_of(2, 24, 24), maps_of(0, 24, 24), maps_of(6, 24, 24)
    compare = made(style, source(24, 24), (source(24, 24), style))
    fresh = made(style, source(24, 24), (source(24, 24), style))(second).item()
    compare(first)
    stale = [compare(second).item() for _ in range(neighbors.REMATCH - 1)]
    assert min(stale) > fresh
    assert compare(second).item() == pytest.approx(fresh, rel=1e-12)


def test_a_large_style_is_thinned_out() -> None:
    style = maps_of(2, 24, 24)
    assert len(made(style, source(24, 24), *[(source(24, 24), style)] * 2, most=20).bank) == 2 * 20
    places = neighbors.places_of(source(24, 24), 20)
    assert places[0] == 0 and set(places.diff().tolist()) == {1, 2}
