"""The objective of one scale: a sum of terms, for an image in one piece or in tiles.

The style terms are functions of moments, and moments are sums over positions. So the gradient of a
whole image needs two passes over its tiles: the first adds up the moments, from which the style
loss and its gradient by those sums follow; the second carries that gradient back through one tile
after another. Every tile is seen with as much around it as the deepest layer sees, and only its
own positions count. The outcome is that of one piece but for rounding: no seams, and no tile has
to show the whole style by itself. (Departs from crowsonkb's style_transfer, whose tiles each
match the style on their own.)
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial, reduce

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.backbones.base import Backbone, ReceptiveField
from impasto.devices import release_memory
from impasto.errors import InputError
from impasto.losses import (
    W2,
    Bands,
    ClassicContent,
    ClassicGram,
    Content,
    Gram,
    Moments,
    Neighbors,
    Source,
    Tones,
    band_energies,
    moments,
    total_variation,
)
from impasto.losses.neighbors import BANK, places_of, sampled
from impasto.losses.statistics import total
from impasto.options import LayerWeights, OptimizeOptions
from impasto.stylizers.optimize.tiles import Pieces, Tile

# What a style loss compares of each layer's moments. Gram matrices weigh the strong directions of
# a feature map, W2 the faint ones as well: together they come nearer to the style in both than
# each alone in the same time. W2 counts for more, as with equal weights the Gram distance falls
# further below that of the textbook method than the W2 distance does.
STATISTICS: dict[str, dict[type[Gram | W2], float]] = {
    "gram": {Gram: 1.0},
    "w2": {W2: 1.0},
    "gram+w2": {Gram: 1.0, W2: 1.5},
    "nn": {},
    "gram+w2+nn": {Gram: 1.0, W2: 1.5},
}
# How much nearest neighbours count: they give strokes their place and their direction, but see the
# finest layers only as averages and leave noise where they rule.
NEIGHBORS = {"nn": 1.0, "gram+w2+nn": 0.5}
# Octaves by which the weight of the deepest layer moves against the shallowest one's, at most.
BALANCE = 3.5
# How much heavier it is at a strength near 0: HELD ** (1 - strength) times, as people see a factor
# of the weights, and not a difference, as a step.
HELD = 10.0
# So many style layers, the deepest ones, see what an artwork shows and not how it is painted alone.
DEEP = 1
# From so many tiles on, asking the system anew for the memory of one takes no time to speak of.
MANY = 12

Maps = dict[str, Tensor]
# Moments by the number of a region and by layer.
Statistics = dict[tuple[int, str], Moments]


@dataclass(frozen=True)
class Guide:
    """The finished frame before as a term for this one (Ruder, Dosovitskiy and Brox 2016).

    Attributes:
        image: ``(1, 3, H, W)``, to start from: the stylized frame before, warped to this one, and
            a guess where that shows something else.
        visible: ``(1, 1, H, W)`` in [0, 1], where it shows the same and can be trusted.
        weight: Of the temporal loss, whose scale is that of squared differences of RGB in [0, 1].
    """

    image: Tensor
    visible: Tensor
    weight: float

    def resized(self, size: tuple[int, int]) -> Guide:
        """The same at another (height, width)."""
        if self.image.shape[2:] == size:
            return self
        # Areas and not single pixels: what is half visible counts by half.
        image, visible = (
            F.interpolate(x, size=size, mode="area") for x in (self.image, self.visible)
        )
        return Guide(image, visible, self.weight)

    def __call__(self, image: Tensor) -> Tensor:
        """The temporal loss of an image (eq. 7): mean squared change of what is visible."""
        return (self.visible * (image - self.image).square()).mean()


@dataclass(frozen=True)
class Measured:
    """A style of which only its statistics are known.

    Attributes:
        moments: By layer, without the heads that are applied later.
        places: By layer ``(M, C)``, its part of hypercolumns; without the heads as well.
        bands: ``(1, BANDS, 3)``, as from ``band_energies``.
    """

    moments: Mapping[str, Moments]
    places: Mapping[str, Tensor]
    bands: Tensor


@dataclass(frozen=True)
class Region:
    """A part of the image, and how it is compared with the style that it is to have.

    Attributes:
        where: The content image; its alpha is how much each pixel belongs to the region.
        share: How much the region's style loss counts.
        statistics: By layer the terms that compare its moments, each with its weight.
        neighbors: Compares nearest neighbours, where that is wanted.
        bands: Compares the finest octaves of the image itself.
    """

    where: Pieces
    share: float
    statistics: Mapping[str, Sequence[tuple[float, Gram | W2]]]
    neighbors: Neighbors | None
    bands: Bands


@dataclass
class Seen:
    """The look at a tile: no more of its feature maps than the losses need.

    Attributes:
        window: The pixels that were looked at, ``(1, 3, h, w)``.
        parts: The moments of the tile's positions, and their share in those of the whole.
        local: Terms that are sums over positions, by name.
    """

    window: Tensor
    parts: dict[tuple[int, str], tuple[Tensor | float, Moments]] = field(default_factory=dict)
    local: dict[str, Tensor] = field(default_factory=dict)


class Objective:
    """The loss of an image at one scale, its targets measured once.

    Args:
        backbone: Looks at the pictures.
        content: The content image, at the size of the result at this scale.
        styles: The style images, each at its own size, or what was measured of them.
        style_weights: How much each style counts.
        options: Weights, layers and kinds of the losses.
        regions: ``(1, 1, H, W)`` in [0, 1] for each style, which pixels of the image are to have
            it (Gatys et al. 2017, section 4); all styles are blended everywhere if left out.
        mask: ``(1, 1, H, W)`` in [0, 1], where the image is free; elsewhere it is the content.
            The backbone sees it as it will be, so that what is painted fits what stays.
        keep: ``(1, 1, H, W)``, how many times the content counts at a place.
        strength: ``(1, 1, H, W)`` in [0, 1], how much style a place is to have: its share in the
            statistics, and the content counts for more where there is less of it.
        strokes: Where, ``(1, 1, H, W)`` adding up to 1, strokes have which size: the styles at that
            size, in place of ``styles``.
        tones: Compares the image's large areas with what they are to be.
        guide: The finished frame before, in a video.
        tile: The longest side of a tile, in pixels; 0: in one piece.
        keep_maps: Keep the content image's feature maps; otherwise each step computes them again.

    Raises:
        InputError: If tiles are wanted and impossible.
    """

    def __init__(
        self,
        backbone: Backbone,
        content: Source,
        styles: Sequence[Source | Measured],
        style_weights: Sequence[float],
        options: OptimizeOptions,
        regions: Sequence[Tensor] | None = None,
        *,
        mask: Tensor | None = None,
        keep: Tensor | None = None,
        strength: Tensor | None = None,
        strokes: Sequence[tuple[Tensor | None, Sequence[Source | Measured]]] = (),
        tones: Tones | None = None,
        guide: Guide | None = None,
        tile: int = 0,
        keep_maps: bool = True,
    ) -> None:
        self.backbone, self.options, self.content, self.mask = backbone, options, content, mask
        self.tile, self.keep_maps = tile, keep_maps
        self.wrapped = options.wrapped
        self.fields = receptive_fields(backbone, options) if tile or any(self.wrapped) else {}
        classic = options.classic_losses
        self.statistics = {ClassicGram: 1.0} if classic else STATISTICS[options.style_loss]
        self.neighbor_weight = NEIGHBORS.get(options.style_loss, 0.0)
        self.content_layers = _normalised(options.content_layers, options.content_weight, classic)
        style_layers = _balanced(options.style_layers, options.forms, backbone.layers)
        self.style_layers = _normalised(style_layers, options.style_weight, classic)
        self.heads = self._heads()
        self.pieces = Pieces(content, tile, self.fields, self.wrapped)
        kept = _kept(content, keep, strength)
        self.kept = Pieces(kept, tile, self.fields, self.wrapped) if kept else self.pieces
        with torch.no_grad():
            self._measure_content()
            self.regions = [
                region
                for where, sized in strokes or [(None, styles)]
                for region in self._regions(sized, style_weights, regions, (where, strength))
            ]
        self.image_terms = self._image_terms(tones, guide)

    def _image_terms(
        self, tones: Tones | None, guide: Guide | None
    ) -> dict[str, tuple[float, Callable[[Tensor], Tensor]]]:
        """The terms that look at the image itself, each with its weight."""
        options = self.options
        terms: dict[str, tuple[float, Callable[[Tensor], Tensor]]] = {}
        if options.bands_weight and self.regions:
            # Not a method: as part of a cycle a scale's maps would outlive it.
            terms["bands"] = options.bands_weight, partial(_compare_bands, self.regions)
        if tones:
            terms["tones"] = options.tones_weight, tones
        if options.tv_weight:
            variation = partial(total_variation, wrapped=self.wrapped)
            terms["tv"] = options.tv_weight, variation
        if guide:
            terms["temporal"] = guide.weight, guide
        return terms

    def gradient(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the loss terms of an image and the gradient of their sum, without a graph.

        Args:
            image: ``(1, 3, H, W)``.

        Returns:
            The weighted terms by name, scalars; and ``(1, 3, H, W)``.
        """
        if self.mask is not None:
            image = torch.lerp(self.content.image, image, self.mask)
        *others, last = self.pieces.tiles
        sums: Statistics = {}
        for tile in others if self.regions else ():
            with torch.no_grad():
                _add(sums, self._look(image, tile, style_alone=True))
        # The last tile of the first pass is the first of the second: its graph is kept.
        seen = self._look(image, last)
        _add(sums, seen)
        terms, by_sums = self._style_gradient(sums)
        grad = torch.zeros_like(image)
        for tile in (last, *others):
            if tile is not last:
                seen = self._look(image, tile)
            tile.add(grad, _carry_back(seen, by_sums))
            for name, part in seen.local.items():
                terms[name] = terms.get(name, 0) + part.detach()
            del seen
        if len(self.pieces.tiles) >= MANY:
            # The images of the optimiser do not fit into the pieces that the maps of tiles leave.
            release_memory()
        grad += self._image_gradient(image, terms)
        return terms, grad if self.mask is None else grad * self.mask

    def _heads(self) -> dict[str, Tensor]:
        """The heads that are applied to moments and differences, which is cheaper than to maps."""
        if self.neighbor_weight:
            return {}  # maps themselves are compared
        layers = sorted({*self.content_layers, *self.style_layers})
        heads = {layer: self.backbone.head(layer) for layer in layers}
        return {layer: head for layer, head in heads.items() if head is not None}

    def _measure_content(self) -> None:
        """Let the content terms measure the content image; keep its maps if they are to be kept."""
        kind = ClassicContent if self.options.classic_losses else Content
        self.content_terms = {layer: kind(self.heads.get(layer)) for layer in self.content_layers}
        self.content_maps: dict[Tile, Maps] = {}
        for tile in self.pieces.tiles:
            targets = self._targets(tile)
            for layer, target in targets.items():
                counting = self.pieces.weigh(tile, layer, target)
                self.content_terms[layer].measure(target, counting.weights)
            if self.keep_maps:
                self.content_maps[tile] = targets

    @torch.no_grad()
    def _targets(self, tile: Tile) -> Maps:
        """The content image's feature maps of a tile."""
        if tile in self.content_maps:
            return self.content_maps[tile]
        window = tile.window(self.content.image)
        walk = self.backbone.walk(window, self.content_layers, self.heads)
        return {layer: self.pieces.part(tile, layer, maps) for layer, maps in walk}

    def _regions(
        self,
        styles: Sequence[Source | Measured],
        weights: Sequence[float],
        masks: Sequence[Tensor] | None,
        maps: Iterable[Tensor | None],
    ) -> list[Region]:
        """One region with all styles, or one for each style and mask, as far as maps say."""
        if not self.style_layers:
            return []
        image, alpha = self.content.image, reduce(_product, maps, self.content.alpha)
        if masks is None:
            return [self._region(Source(image, alpha), self._share(alpha), styles, weights)]
        parts = [_product(mask, alpha) for mask in masks]
        mean = sum(weights) / len(weights)
        return [
            self._region(Source(image, part), self._share(part) * weight / mean, [style], [1])
            for part, weight, style in zip(parts, weights, styles, strict=True)
        ]

    def _share(self, part: Tensor | None) -> float:
        """How much the loss of a part counts, which is relative to its own style.

        By its area, a pixel of a small region is pulled as much as one of a large region or of an
        image without regions.
        """
        alpha = self.content.alpha
        if part is alpha or part is None:
            return 1.0
        return float(part.sum()) / (part.numel() if alpha is None else float(alpha.sum()))

    def _region(
        self,
        where: Source,
        share: float,
        styles: Sequence[Source | Measured],
        weights: Sequence[float],
    ) -> Region:
        """Measure the styles of a region, as if their pixels were mixed in these shares."""
        blend: dict[str, Moments] = {}
        for source, weight in zip(styles, weights, strict=True):
            for layer, found in self._measure_style(source).items():
                part = weight / sum(weights) * found
                blend[layer] = blend[layer] + part if layer in blend else part
        statistics = {
            layer: [
                (weight * own, kind(blend[layer], self.heads.get(layer)))
                for kind, own in self.statistics.items()
            ]
            for layer, weight in self.style_layers.items()
        }
        neighbors = None
        if self.neighbor_weight:
            counting = [style for style, weight in zip(styles, weights, strict=True) if weight]
            bank = torch.cat([self._columns(style, BANK // len(counting)) for style in counting])
            neighbors = Neighbors(self.style_layers, blend, where, bank)
        energies = [
            style.bands if isinstance(style, Measured) else band_energies(style.image, style.alpha)
            for style in styles
        ]
        bands = Bands(torch.cat(energies), weights, where, self.wrapped)
        pieces = self._styled(where, self.wrapped)
        return Region(pieces, share, statistics, neighbors, bands)

    def _columns(self, style: Source | Measured, most: int) -> Tensor:
        """The hypercolumns of a style among which neighbours are looked for."""
        if isinstance(style, Measured):
            heads = {layer: self.backbone.head(layer) for layer in self.style_layers}
            parts = [
                style.places[layer] if head is None else style.places[layer] @ head.mT.float()
                for layer, head in heads.items()
            ]
            return torch.cat(parts, dim=1)
        # Looked at again, one after another: the maps of all styles would take much memory.
        maps = self.backbone(style.image, self.style_layers)
        maps = [maps[layer] for layer in self.style_layers]
        return sampled(maps, style.deeply, places_of(style.deeply, most))

    def _styled(self, source: Source, wrapped: tuple[bool, bool] = (False, False)) -> Pieces:
        """An image as style statistics see it; the classic recipe sees all of it.

        So do nearest neighbours, which are matched at all places.
        """
        rim = self.options.classic_losses or self.neighbor_weight > 0
        return Pieces(source, self.tile, self.fields, wrapped, rim=rim)

    def _measure_style(self, style: Source | Measured) -> Mapping[str, Moments]:
        """The moments of a style, without the heads that are applied later."""
        if isinstance(style, Measured):
            return {
                layer: self._through(layer, style.moments[layer]) for layer in self.style_layers
            }
        found: dict[str, Moments] = {}
        for layers, source in self._by_depth(style):
            pieces = self._styled(source)
            found |= measure_style(self.backbone, source, layers, self.heads, pieces)
        return found

    def _by_depth(self, style: Source) -> list[tuple[list[str], Source]]:
        """The style layers that count the pixels of a style alike, and as they count them."""
        layers = sorted(self.style_layers, key=self.backbone.layers.index)
        if style.deep is None:
            return [(layers, style)]
        parts = [(layers[:-DEEP], style), (layers[-DEEP:], style.deeply)]
        return [(some, source) for some, source in parts if some]

    def _through(self, layer: str, found: Moments) -> Moments:
        """The moments of a pack, which are without heads, behind those that maps go through."""
        head = None if layer in self.heads else self.backbone.head(layer)
        return found if head is None else found.through(head)

    def _look(self, image: Tensor, tile: Tile, style_alone: bool = False) -> Seen:
        """Look at a tile of an image; what is needed of a map is taken before the next is made.

        So autograd, which goes back in the opposite order, never holds the gradients of all maps.
        """
        window = tile.window(image).detach().requires_grad_(torch.is_grad_enabled())
        seen, kept = Seen(window), Maps()
        content = {} if style_alone else self.content_layers
        targets = self._targets(tile) if content else {}
        places = [region.where for region in self.regions]
        errors = []
        for layer, maps in self.backbone.walk(window, {*content, *self.style_layers}, self.heads):
            part = self.pieces.part(tile, layer, maps)
            if layer in content:
                counting = self.kept.weigh(tile, layer, part)
                error = self.content_terms[layer](part, targets[layer], counting.weights)
                errors.append(content[layer] * error)
            if layer in self.style_layers and self.statistics:
                _note(seen, tile, layer, part, places)
            if layer in self.style_layers and self.neighbor_weight:
                kept[layer] = part
        if errors:
            seen.local["content"] = self.options.content_weight * total(errors)
        if kept:
            seen.local["style"] = self.options.style_weight * total(
                region.share * self.neighbor_weight * region.neighbors(kept)
                for region in self.regions
                if region.neighbors
            )
        return seen

    def _style_gradient(self, sums: Statistics) -> tuple[dict[str, Tensor], Statistics]:
        """The style term, and its gradient by the moments."""
        if not sums:
            return {}, {}
        leaves = [
            part.requires_grad_() for found in sums.values() for part in (found.mean, found.second)
        ]
        loss = self.options.style_weight * total(
            self.regions[number].share * weight * term(found)
            for (number, layer), found in sums.items()
            for weight, term in self.regions[number].statistics[layer]
        )
        grads = iter(torch.autograd.grad(loss, leaves, materialize_grads=True))
        return {"style": loss.detach()}, {key: Moments(next(grads), next(grads)) for key in sums}

    def _image_gradient(self, image: Tensor, terms: dict[str, Tensor]) -> Tensor | float:
        """Add the terms that look at the image itself; return their gradient."""
        if not self.image_terms:
            return 0.0
        image = image.detach().requires_grad_()
        found = {name: weight * term(image) for name, (weight, term) in self.image_terms.items()}
        (grad,) = torch.autograd.grad(total(found.values()), image)
        terms |= {name: term.detach() for name, term in found.items()}
        return grad


def measure_style(
    backbone: Backbone,
    source: Source,
    layers: Iterable[str],
    headless: Collection[str],
    pieces: Pieces,
) -> dict[str, Moments]:
    """The moments of an image by layer, of its feature maps without some of their heads."""
    sums: dict[str, Moments] = {}
    for tile, layer, part in parts_of(backbone, source, layers, headless, pieces):
        add_moments(sums, pieces, tile, layer, part)
    return sums


def parts_of(
    backbone: Backbone,
    source: Source,
    layers: Iterable[str],
    headless: Collection[str],
    pieces: Pieces,
) -> Iterator[tuple[Tile, str, Tensor]]:
    """Each tile's part of each layer's map of an image, one after the other."""
    layers = list(layers)
    for tile in pieces.tiles:
        for layer, maps in backbone.walk(tile.window(source.image), layers, headless):
            yield tile, layer, pieces.part(tile, layer, maps)


@torch.no_grad()
def add_moments(
    sums: dict[str, Moments], pieces: Pieces, tile: Tile, layer: str, part: Tensor
) -> None:
    """Add the moments of a tile's part of a map to those of the whole."""
    counting = pieces.weigh(tile, layer, part)
    found = counting.share * moments(part, counting.weights, counting.rim)
    sums[layer] = sums[layer] + found if layer in sums else found


def tiles_of(backbone: Backbone, source: Source, layers: Iterable[str], tile: int) -> Pieces:
    """A style image in tiles, or in one piece where the backbone cannot work in tiles."""
    fields = {layer: backbone.receptive_field(layer) for layer in layers} if tile else {}
    known = {layer: field for layer, field in fields.items() if field is not None}
    return Pieces(source, tile if len(known) == len(fields) else 0, known, rim=False)


def receptive_fields(backbone: Backbone, options: OptimizeOptions) -> dict[str, ReceptiveField]:
    """The receptive fields of the layers in the losses.

    Raises:
        InputError: If the backbone does not know it, or the style loss does not work in tiles.
    """
    if options.style_loss in NEIGHBORS:
        raise InputError(f"style_loss {options.style_loss} cannot work in tiles: use tile off")
    fields = {}
    for layer in {**options.content_layers, **options.style_layers}:
        found = backbone.receptive_field(layer)
        if found is None:
            raise InputError(f"the backbone {backbone.name} cannot work in tiles: use tile off")
        fields[layer] = found
    return fields


def _note(seen: Seen, tile: Tile, layer: str, part: Tensor, places: Sequence[Pieces]) -> None:
    """Take the moments of a tile's part of a map, for each place."""
    for number, pieces in enumerate(places):
        counting = pieces.weigh(tile, layer, part)
        found = moments(part, counting.weights, counting.rim)
        seen.parts[number, layer] = counting.share, found


@torch.no_grad()
def _add(sums: Statistics, seen: Seen) -> None:
    """Add the moments of a tile to those of the whole."""
    for key, (share, found) in seen.parts.items():
        sums[key] = sums[key] + share * found if key in sums else share * found


def _compare_bands(regions: Sequence[Region], image: Tensor) -> Tensor:
    return total(region.share * region.bands(image) for region in regions)


def _carry_back(seen: Seen, by_sums: Statistics) -> Tensor:
    """The gradient by the window of a tile."""
    # One sum, and not outputs each with a gradient of its own: those make torch load a third of a
    # second of modules that nothing else needs.
    terms = list(seen.local.values())
    for key, (share, found) in seen.parts.items():
        by_parts = share * by_sums[key]
        terms += (found.mean * by_parts.mean).sum(), (found.second * by_parts.second).sum()
    (grad,) = torch.autograd.grad(total(terms), seen.window)
    return grad


def _balanced(layers: LayerWeights, forms: float, order: Sequence[str]) -> LayerWeights:
    """Weights of layers moved to the deep ones, or from them for ``forms`` below a half.

    Deep layers bring the artwork's large shapes, and its objects, shallow ones its brushwork. The
    sum of the weights stays.
    """
    used = [layer for layer in order if layer in layers]
    middle = (len(used) - 1) / 2
    depths = {layer: (index - middle) / max(1, 2 * middle) for index, layer in enumerate(used)}
    moved = {
        layer: weight * 2 ** (BALANCE * (2 * forms - 1) * depths[layer])
        for layer, weight in layers.items()
    }
    scale = sum(layers.values()) / sum(moved.values())
    return {layer: scale * weight for layer, weight in moved.items()}


def _kept(content: Source, keep: Tensor | None, strength: Tensor | None) -> Source | None:
    """The content with pixels that count as they have to stay; None: all alike."""
    if keep is None and strength is None:
        return None
    weights = _product(keep, None if strength is None else HELD ** (1 - strength))
    return Source(content.image, _product(content.alpha, weights))


def _product(one: Tensor | None, other: Tensor | None) -> Tensor | None:
    """The product of two weights, of which None is 1 everywhere."""
    if one is None or other is None:
        return other if one is None else one
    return one * other


def _normalised(layers: LayerWeights, weight: float, classic: bool) -> LayerWeights:
    """Weights that add up to 1, so that a further layer does not make the loss heavier.

    The classic recipe adds its layers up instead. None if the whole has no weight.
    """
    if not weight:
        return {}
    whole = 1.0 if classic else sum(layers.values())
    return {layer: own / whole for layer, own in layers.items() if own}
