"""The objective against an independent reference, with blends and transparency."""

from __future__ import annotations

import gc
import itertools
import weakref
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from impasto.backbones import load_backbone
from impasto.backbones.base import IMAGENET_MEAN, IMAGENET_STD
from impasto.backbones.lite import WEIGHTS, Lite
from impasto.losses import Gram, Moments, Source, moments, statistics
from impasto.options import STYLE_LAYERS, OptimizeOptions
from impasto.stylizers.optimize.objective import HELD, Guide, Objective
from tests.small import OPTIONS, small_backbone, small_state

CONVOLUTIONS = {0: "relu1_1", 3: "relu2_1", 5: "relu2_2", 8: "relu3_1"}
POOLS = {2, 7}
VGG16 = {0: "relu1_1", 2: "relu1_2", 5: "relu2_1", 7: "relu2_2", 10: "relu3_1", 12: "relu3_2"}
VGG16 |= {14: "relu3_3", 17: "relu4_1", 19: "relu4_2", 21: "relu4_3", 24: "relu5_1"}
VGG16_POOLS = {4, 9, 16, 23}


def image(seed: int, height: int = 20, width: int = 24) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(seed))


def terms_of(objective: Objective, image: Tensor) -> dict[str, Tensor]:
    return objective.gradient(image)[0]


def moments_of(objective: Objective, layer: str) -> Moments:
    """The style's moments that a layer is compared with."""
    (_, term), *_ = objective.regions[0].statistics[layer]
    assert isinstance(term, Gram)
    return term.style


def reference_maps(
    x: Tensor, state: Mapping[str, Tensor], convolutions: dict[int, str], pools: set[int]
) -> dict[str, Tensor]:
    """The network written out in float64."""
    mean = torch.tensor(IMAGENET_MEAN, dtype=torch.float64).view(1, 3, 1, 1)
    std = torch.tensor(IMAGENET_STD, dtype=torch.float64).view(1, 3, 1, 1)
    x = (x.double() - mean) / std
    maps = {}
    for index in range(max(convolutions) + 1):
        if index in pools:
            x = F.max_pool2d(x, 2, 2)
        if index in convolutions:
            mode = "replicate" if index == 0 else "constant"
            weight, bias = (
                state[f"features.{index}.{part}"].double() for part in ("weight", "bias")
            )
            x = F.conv2d(F.pad(x, (1, 1, 1, 1), mode=mode), weight, bias).clamp_min(0)
            maps[convolutions[index]] = x
    return maps


def reference_gatys(
    maps: dict[str, Tensor], content: dict[str, Tensor], style: dict[str, Tensor], names: Any
) -> float:
    """The classic recipe written out: 1 * content + 1e6 * style, Gram over C * H * W."""
    content_layer, style_layers = names
    total = float(((maps[content_layer] - content[content_layer]) ** 2).mean())
    for layer in style_layers:
        grams = []
        for source in (maps, style):
            rows = source[layer][0].flatten(1)
            grams.append(torch.einsum("ip,jp->ij", rows, rows) / source[layer].numel())
        total += 1e6 * float(((grams[0] - grams[1]) ** 2).mean())
    return total


def test_the_gatys_preset_is_the_classic_objective() -> None:
    options = OptimizeOptions.preset("gatys", **OPTIONS)
    objective = Objective(
        small_backbone(), Source(image(0)), [Source(image(1, 30, 18))], [1], options
    )
    total = sum(float(term) for term in terms_of(objective, image(2)).values())
    maps, content_maps, style_maps = (
        reference_maps(x, small_state(), CONVOLUTIONS, POOLS)
        for x in (image(2), image(0), image(1, 30, 18))
    )
    names = ("relu2_2", ["relu1_1", "relu2_1", "relu3_1"])
    assert total == pytest.approx(reference_gatys(maps, content_maps, style_maps, names), rel=1e-5)


@pytest.mark.shared_data
def test_the_gatys_preset_is_the_classic_objective_of_vgg16(shared_data: Path) -> None:
    from safetensors.torch import load_file

    file = shared_data / "vgg16_features.safetensors"
    options = OptimizeOptions.preset("gatys", device="cpu")
    objective = Objective(
        load_backbone("vgg16", weights=file),
        Source(image(0, 64, 80)),
        [Source(image(1, 96, 48))],
        [1],
        options,
    )
    total = sum(float(term) for term in terms_of(objective, image(2, 64, 80)).values())
    state = load_file(file)
    maps, content, style = (
        reference_maps(x, state, VGG16, VGG16_POOLS)
        for x in (image(2, 64, 80), image(0, 64, 80), image(1, 96, 48))
    )
    names = ("relu4_2", list(STYLE_LAYERS))
    assert total == pytest.approx(reference_gatys(maps, content, style, names), rel=1e-5)


def objective_of(
    styles: list[Source], weights: list[float], mask: Tensor | None = None, **overrides: Any
) -> Objective:
    options = OptimizeOptions(**{**OPTIONS, **overrides})
    return Objective(small_backbone(), Source(image(0)), styles, weights, options, mask=mask)


@pytest.mark.parametrize("kind", ["gram", "w2", "gram+w2", "nn", "gram+w2+nn"])
def test_the_sources_themselves_have_no_loss(kind: str) -> None:
    objective = objective_of([Source(image(0))], [1], style_loss=kind)
    terms = terms_of(objective, image(0))
    assert float(terms["content"]) == pytest.approx(0, abs=1e-6)
    assert float(terms["style"]) == pytest.approx(0, abs=1e-4)


def test_a_term_without_weight_is_not_computed() -> None:
    def names(**overrides: Any) -> set[str]:
        return set(terms_of(objective_of([Source(image(1))], [1], **overrides), image(2)))

    assert names(style_weight=0) == {"content"}
    assert names(content_weight=0) == {"style", "bands"}
    assert names(tv_weight=1, bands_weight=0) == {"content", "style", "tv"}


def test_weights_of_layers_are_shares() -> None:
    """Doubling all of them changes nothing; one alone is that layer's loss."""
    layers = {"relu1_1": 1.0, "relu3_1": 3.0}
    once = terms_of(objective_of([Source(image(1))], [1], style_layers=layers), image(2))["style"]
    twice = {layer: 2 * weight for layer, weight in layers.items()}
    again = terms_of(objective_of([Source(image(1))], [1], style_layers=twice), image(2))["style"]
    torch.testing.assert_close(once, again)
    alone = [
        terms_of(objective_of([Source(image(1))], [1], style_layers={layer: 1.0}), image(2))[
            "style"
        ]
        for layer in layers
    ]
    torch.testing.assert_close(once, 0.25 * alone[0] + 0.75 * alone[1])


def test_forms_move_weight_between_depths_and_keep_its_sum() -> None:
    def weights(forms: float) -> dict[str, float]:
        return objective_of([Source(image(1))], [1], forms=forms).style_layers

    brushwork, middle, shapes = (weights(forms) for forms in (0.0, 0.5, 1.0))
    assert middle == pytest.approx(dict.fromkeys(OPTIONS["style_layers"], 1 / 3))
    for found in (brushwork, shapes):
        assert sum(found.values()) == pytest.approx(1)
    assert brushwork["relu1_1"] / brushwork["relu3_1"] == pytest.approx(2**3.5)
    assert shapes["relu3_1"] / shapes["relu1_1"] == pytest.approx(2**3.5)
    assert brushwork["relu2_1"] < middle["relu2_1"]


class WholeHeads(Lite):
    """The embedded backbone with its heads on every map."""

    def extract(self, x: Tensor, layers: set[str]) -> Iterator[tuple[str, Tensor]]:
        for layer, maps in super().extract(x, layers):
            yield layer, self.heads[layer](maps)

    def head(self, layer: str) -> Any:
        return None


@pytest.mark.parametrize(
    "overrides",
    [
        {},
        {"style_loss": "w2"},
        {"style_loss": "gram+w2+nn"},
        {"classic_losses": True, "style_loss": "gram"},
        {"content_layers": {"relu2_1": 1.0}},
        {"content_weight": 0.0},
    ],
    ids=str,
)
def test_heads_on_moments_are_heads_on_maps(overrides: dict[str, Any]) -> None:
    options = OptimizeOptions(**{**OPTIONS, **overrides})
    state = load_file(WEIGHTS)
    outcomes = [
        Objective(
            kind(state).freeze().double(),
            Source(image(0).double()),
            [Source(image(1).double()), Source(image(3).double())],
            [1, 2],
            options,
        ).gradient(image(2).double())
        for kind in (Lite, WholeHeads)
    ]
    (terms, grad), (whole_terms, whole_grad) = outcomes
    torch.testing.assert_close(terms, whole_terms, rtol=1e-6, atol=1e-9)
    torch.testing.assert_close(grad, whole_grad, rtol=1e-5, atol=1e-9)


def test_gradients_of_shallow_maps_are_formed_after_those_of_deep_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Else all of them are in memory at once."""
    objective, events = objective_of([Source(image(1))], [1]), list[str]()
    backbone, pull_back = objective.backbone, statistics._pull_back
    names = {8: "relu1_1", 12: "relu2_1", 16: "relu3_1"}

    def noted_walk(*args: Any) -> Iterator[tuple[str, Tensor]]:
        for layer, maps in type(backbone).walk(backbone, *args):
            note = lambda _, layer=layer: events.append(f"{layer} has its gradient")  # noqa: E731
            maps.register_hook(note)  # type: ignore[no-untyped-call]
            yield layer, maps

    def noted_pull_back(maps: Tensor, *args: Any) -> Tensor:
        events.append(f"{names[maps.shape[1]]} gets that of its moments")
        return pull_back(maps, *args)

    monkeypatch.setattr(backbone, "walk", noted_walk)
    monkeypatch.setattr(statistics, "_pull_back", noted_pull_back)
    objective.gradient(image(2))
    for shallow, deep in itertools.pairwise(names.values()):
        own, done = f"{shallow} gets that of its moments", f"{deep} has its gradient"
        assert events.index(own) > events.index(done)


def test_blended_styles_average_their_moments() -> None:
    a, b = Source(image(3)), Source(image(4, 28, 16))
    blend = moments_of(objective_of([a, b], [3, 1]), "relu3_1")
    first = moments_of(objective_of([a], [1]), "relu3_1")
    second = moments_of(objective_of([b], [1]), "relu3_1")
    torch.testing.assert_close(blend.mean, 0.75 * first.mean + 0.25 * second.mean)
    torch.testing.assert_close(blend.second, 0.75 * first.second + 0.25 * second.second)


def test_a_style_of_weight_zero_does_not_count() -> None:
    a, b = Source(image(3)), Source(image(4))
    both, alone = objective_of([a, b], [1, 0]), objective_of([a], [1])
    torch.testing.assert_close(terms_of(both, image(2)), terms_of(alone, image(2)))


def test_transparent_pixels_do_not_count() -> None:
    """What lies in the transparent half is out of reach of every visible position."""
    alpha = torch.zeros(1, 1, 32, 64)
    alpha[..., :24] = 1
    visible = image(5, 32, 64)
    garbage = visible.clone()
    garbage[..., 48:] = 0
    one = objective_of([Source(visible, alpha)], [1])
    other = objective_of([Source(garbage, alpha)], [1])
    for layer in one.style_layers:
        first, second = moments_of(one, layer).second, moments_of(other, layer).second
        torch.testing.assert_close(first, second)
    plain = moments_of(objective_of([Source(garbage)], [1]), "relu1_1").second
    assert not torch.allclose(moments_of(one, "relu1_1").second, plain, rtol=1e-2)


def test_only_the_deepest_style_layer_counts_pixels_its_own_way() -> None:
    artwork, deep = image(5, 32, 64), torch.ones(1, 1, 32, 64)
    deep[..., 40:] = 0
    found = objective_of([Source(artwork, deep=deep)], [1])
    plain, told = (objective_of([Source(artwork, alpha)], [1]) for alpha in (None, deep))
    *shallow, deepest = found.style_layers
    assert shallow
    for layers, like in ((shallow, plain), ([deepest], told)):
        for layer in layers:
            expected = moments_of(like, layer)
            torch.testing.assert_close(moments_of(found, layer).mean, expected.mean)
            torch.testing.assert_close(moments_of(found, layer).second, expected.second)
    image_energies = [each.regions[0].bands.target for each in (found, plain)]
    torch.testing.assert_close(*image_energies)


def test_weights_at_a_layer_are_area_averages() -> None:
    alpha = torch.zeros(1, 1, 4, 4)
    alpha[..., :1, :] = 1
    weights = Source(image(0, 4, 4), alpha).weights_at((2, 2))
    assert weights is not None
    torch.testing.assert_close(weights[0, 0], torch.tensor([[0.5, 0.5], [0.0, 0.0]]))
    assert moments(torch.ones(1, 5, 2, 2), weights).mean[0, 0] == 1


def test_the_loss_is_about_the_same_at_twice_the_size() -> None:
    """One set of weights works at every size: smooth pictures, so that features scale along."""

    def smooth(seed: int, factor: int) -> Tensor:
        return F.interpolate(image(seed, 6, 6), scale_factor=8 * factor, mode="bicubic").clamp(0, 1)

    totals = []
    for factor in (1, 2):
        options = OptimizeOptions(**OPTIONS)
        objective = Objective(
            small_backbone(), Source(smooth(0, factor)), [Source(smooth(1, factor))], [1], options
        )
        totals.append(sum(float(term) for term in terms_of(objective, smooth(2, factor)).values()))
    assert totals[1] == pytest.approx(totals[0], rel=0.25)


def halves(height: int = 20, width: int = 24) -> tuple[Tensor, Tensor]:
    """Guides: the left and the right half."""
    left = torch.zeros(1, 1, height, width)
    left[..., : width // 2] = 1
    return left, 1 - left


def guided(styles: list[Source], regions: list[Tensor], **overrides: Any) -> Objective:
    options = OptimizeOptions(**{**OPTIONS, **overrides})
    weights = overrides.pop("weights", [1] * len(styles))
    return Objective(small_backbone(), Source(image(0)), styles, weights, options, regions)


@pytest.mark.parametrize("kind", ["gram", "w2", "gram+w2", "nn"])
def test_a_region_of_ones_is_no_region(kind: str) -> None:
    style, ones = Source(image(1, 28, 16)), torch.ones(1, 1, 20, 24)
    whole = terms_of(objective_of([style], [1], style_loss=kind), image(2))
    one = terms_of(guided([style], [ones], style_loss=kind), image(2))
    torch.testing.assert_close(one, whole)
    masked = terms_of(objective_of([style], [1], style_loss=kind, mask=ones), image(2))
    torch.testing.assert_close(masked, whole, rtol=0, atol=0)


@pytest.mark.parametrize("kind", ["gram+w2", "nn"])
def test_a_style_acts_in_its_region_alone(kind: str) -> None:
    """The gradient of a region's style loss ends where the network's sight ends."""
    wide = {"style_loss": kind, "content_weight": 0}
    left, right = halves(24, 96)
    options = OptimizeOptions(**{**OPTIONS, **wide})
    content = Source(image(0, 24, 96))
    styles = [Source(image(3)), Source(image(4))]
    for weights, quiet in (([1, 0], slice(64, None)), ([0, 1], slice(None, 32))):
        objective = Objective(small_backbone(), content, styles, weights, options, [left, right])
        _, grad = objective.gradient(image(5, 24, 96))
        assert grad[..., quiet].abs().max() == 0
        assert grad.abs().max() > 0


@pytest.mark.parametrize("kind", ["gram+w2", "nn"])
def test_statistics_outside_of_a_region_do_not_leak(kind: str) -> None:
    """What lies beyond the sight of a region's positions changes neither side of its loss."""
    left, right = halves(24, 96)
    picture, style = image(5, 24, 96), image(6, 24, 96)
    changed_picture, changed_style = picture.clone(), style.clone()
    changed_picture[..., 64:] = changed_style[..., 64:] = 0
    options = OptimizeOptions(**{**OPTIONS, "style_loss": kind})

    def loss(image: Tensor, style: Tensor, mask: Tensor | None) -> float:
        regions = None if mask is None else [left]
        objective = Objective(
            small_backbone(), Source(image), [Source(style, mask)], [1], options, regions
        )
        return float(terms_of(objective, image)["style"])

    inside = loss(picture, style, left)
    assert loss(changed_picture, changed_style, left) == pytest.approx(inside, rel=1e-5)
    assert loss(picture, changed_style, None) != pytest.approx(loss(picture, style, None), rel=0.02)
    assert loss(picture, style, right) != pytest.approx(inside, rel=0.02)


def test_an_image_of_both_styles_split_by_regions_has_no_loss() -> None:
    a, b = image(3, 24, 96), image(4, 24, 96)
    left, right = halves(24, 96)
    both = a * left + b * right
    styles = [Source(both, left), Source(both, right)]
    options = OptimizeOptions(**OPTIONS)
    split = Objective(small_backbone(), Source(both), styles, [1, 1], options, [left, right])
    assert float(terms_of(split, both)["style"]) == pytest.approx(0, abs=1e-4)
    swapped = Objective(small_backbone(), Source(both), styles, [1, 1], options, [right, left])
    assert float(terms_of(swapped, both)["style"]) > 1e-2


def test_every_region_has_the_grain_of_its_own_style() -> None:
    rough, smooth = image(3, 24, 96), 0.4 + 0.2 * image(4, 24, 96)
    left, right = halves(24, 96)
    both = rough * left + smooth * right
    options = OptimizeOptions(**OPTIONS)

    def bands(*regions: Tensor) -> float:
        styles = [Source(rough), Source(smooth)]
        common = (small_backbone(), Source(both), styles, [1, 1], options, regions)
        return float(terms_of(Objective(*common), both)["bands"])

    assert bands(left, right) < 0.05 * bands(right, left)


def test_a_region_counts_by_its_area_and_weight() -> None:
    left, right = halves()
    styles = [Source(image(3)), Source(image(4))]
    thin = left.clone()
    thin[..., 6:] = 0
    assert [region.share for region in guided(styles, [thin, right]).regions] == [0.25, 0.5]
    options = OptimizeOptions(**OPTIONS)
    alpha = torch.ones(1, 1, 20, 24) * left
    half_seen = Objective(
        small_backbone(), Source(image(0), alpha), styles, [3, 1], options, [thin, right]
    )
    assert [region.share for region in half_seen.regions] == [0.75, 0]


def kept(keep: Tensor | None, **overrides: Any) -> Objective:
    options = OptimizeOptions(**{**OPTIONS, **overrides})
    return Objective(
        small_backbone(), Source(image(0)), [Source(image(1))], [1], options, keep=keep
    )


@pytest.mark.parametrize("times", [0.5, 1.0, 5.0])
def test_to_keep_all_is_another_weight_of_the_content(times: float) -> None:
    everywhere = kept(torch.full((1, 1, 20, 24), times)).gradient(image(2))
    weighted = kept(None, content_weight=times).gradient(image(2))
    torch.testing.assert_close(everywhere, weighted)


def test_what_is_kept_is_pulled_harder_there_alone() -> None:
    left, _ = halves(24, 96)
    content = {"style_weight": 0.0}
    sources = (
        Source(image(0, 24, 96)),
        [Source(image(3))],
        [1],
        OptimizeOptions(**OPTIONS | content),
    )
    plain, there = (
        Objective(small_backbone(), *sources, keep=keep).gradient(image(5, 24, 96))[1]
        for keep in (None, 1 + 4 * left)
    )
    torch.testing.assert_close(there[..., 64:], plain[..., 64:])
    torch.testing.assert_close(there[..., :32], 5 * plain[..., :32])


def as_strong(strength: Tensor | None, **overrides: Any) -> Objective:
    options = OptimizeOptions(**{**OPTIONS, **overrides})
    return Objective(
        small_backbone(), Source(image(0)), [Source(image(1))], [1], options, strength=strength
    )


@pytest.mark.parametrize("strength", [0.25, 0.5, 1.0])
def test_less_strength_everywhere_is_less_style_and_a_heavier_content(strength: float) -> None:
    weaker = as_strong(torch.full((1, 1, 20, 24), strength)).gradient(image(2))
    weights = {
        "content_weight": HELD ** (1 - strength),
        "style_weight": 2.8 * strength,
        "bands_weight": 12 * strength,
    }
    torch.testing.assert_close(weaker, as_strong(None, **weights).gradient(image(2)))


def test_statistics_are_weighted_by_the_strength() -> None:
    """Against Gram matrices written out in float64, whose positions count by the map."""
    strength = torch.rand(1, 1, 20, 24, generator=torch.Generator().manual_seed(6))
    how = {"style_loss": "gram", "style_layers": {"relu2_1": 1.0}, "style_weight": 1.0}
    found = terms_of(as_strong(strength, **how), image(2))["style"]
    maps, wanted = (
        reference_maps(x, small_state(), CONVOLUTIONS, POOLS)["relu2_1"][0]
        for x in (image(2), image(1))
    )
    at = F.avg_pool2d(strength.double(), 2)[0, 0]  # of each position
    at[[0, -1]] = 0  # the rim does not count
    at[:, [0, -1]] = 0
    gram = torch.einsum("iyx,jyx,yx->ij", maps, maps, at) / at.sum()
    inner = wanted[:, 1:-1, 1:-1]
    goal = torch.einsum("iyx,jyx->ij", inner, inner) / inner[0].numel()
    loss = (gram - goal).square().sum() / goal.square().sum()
    assert float(found) == pytest.approx(float(strength.mean() * loss), rel=1e-4)


def test_where_there_is_no_strength_style_has_no_gradient() -> None:
    left, _ = halves(24, 96)
    options = OptimizeOptions(**OPTIONS, content_weight=0.0)
    objective = Objective(
        small_backbone(), Source(image(0, 24, 96)), [Source(image(3))], [1], options, strength=left
    )
    grad = objective.gradient(image(5, 24, 96))[1]
    assert grad[..., 64:].abs().max() == 0
    assert grad[..., :32].abs().max() > 0


def test_strokes_of_one_size_everywhere_are_its_styles() -> None:
    options = OptimizeOptions(**OPTIONS)
    content, small, large = Source(image(0)), [Source(image(1, 16, 16))], [Source(image(1, 40, 40))]
    everywhere = torch.ones(1, 1, 20, 24)
    strokes = [(everywhere, large)]
    sized = Objective(small_backbone(), content, [], [1], options, strokes=strokes)
    plain = Objective(small_backbone(), content, large, [1], options)
    torch.testing.assert_close(sized.gradient(image(2)), plain.gradient(image(2)))
    left, right = halves()
    both = Objective(
        small_backbone(), content, [], [1], options, strokes=[(left, small), (right, large)]
    )
    regions = Objective(small_backbone(), content, small + large, [1, 1], options, [left, right])
    torch.testing.assert_close(both.gradient(image(2)), regions.gradient(image(2)))


def test_masked_pixels_are_the_photo() -> None:
    """Whatever the image holds where the mask is 0 is not seen, and gets no gradient."""
    left, _ = halves()
    content = Source(image(0), left)
    options = OptimizeOptions(**OPTIONS)
    styles = [Source(image(1))]
    masked = Objective(small_backbone(), content, styles, [1], options, mask=left)
    picture = image(2)
    terms, grad = masked.gradient(picture)
    other, other_grad = masked.gradient(torch.where(left > 0, picture, 0.0))
    torch.testing.assert_close((other, other_grad), (terms, grad), rtol=0, atol=0)
    assert grad[..., 12:].abs().max() == 0
    assert grad[..., :12].abs().max() > 0


def test_the_frame_before_adds_its_term_and_its_gradient() -> None:
    """Ruder et al. 2016, eq. 7, differentiated by hand instead of by torch."""
    visible = torch.rand(1, 1, *image(0).shape[2:], generator=torch.Generator().manual_seed(3))
    guide = Guide(image(4), visible, 7.0)
    common = (
        small_backbone(),
        Source(image(0)),
        [Source(image(1))],
        [1],
        OptimizeOptions(**OPTIONS),
    )
    terms, grad = Objective(*common, guide=guide).gradient(image(2))
    expected = 7 * (visible * (image(2) - guide.image) ** 2).mean()
    assert float(terms["temporal"]) == pytest.approx(float(expected), rel=1e-5)
    by_hand = 14 * visible * (image(2) - guide.image) / image(2).numel()
    torch.testing.assert_close(grad - Objective(*common).gradient(image(2))[1], by_hand)


def test_an_objective_leaves_its_memory_at_once() -> None:
    options = OptimizeOptions(**OPTIONS, tv_weight=1.0)
    gc.disable()  # it finds what is part of a cycle, sooner or later
    try:
        objective = Objective(
            small_backbone(), Source(image(0)), [Source(image(1))], [1.0], options
        )
        objective.gradient(image(2))
        there = weakref.ref(objective)
        del objective
        assert there() is None
    finally:
        gc.enable()
