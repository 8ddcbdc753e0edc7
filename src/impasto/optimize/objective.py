"""What is minimised at one scale: content loss + style loss + total variation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto import losses
from impasto.backbones.base import Backbone
from impasto.losses import Moments
from impasto.optimize.neighbors import Neighbors
from impasto.options import LayerWeights, OptimizeOptions

# In "gram+w2", how much W2 counts beside Gram: with equal weights the Gram distance falls further
# below that of the textbook method than the W2 distance does.
W2_SHARE = 1.5
# In "gram+w2+nn", how much nearest neighbours count beside both: they give strokes their place and
# their direction, but see the finest layers only as averages and leave noise where they rule.
NEIGHBOR_SHARE = 0.5


@dataclass(frozen=True)
class Source:
    """An image whose features are a target.

    Attributes:
        image: ``(1, 3, H, W)``, RGB in [0, 1].
        alpha: ``(1, 1, H, W)`` in [0, 1], how much each pixel counts; None: all alike.
    """

    image: Tensor
    alpha: Tensor | None = None

    def weights_at(self, size: Sequence[int]) -> Tensor | None:
        """How much each position of a feature map of (height, width) counts, ``(1, 1, h, w)``."""
        if self.alpha is None:
            return None
        return F.interpolate(self.alpha, size=tuple(size), mode="area")


@dataclass(frozen=True)
class Region:
    """A part of the image, and the style that it is to have.

    Attributes:
        where: The content image; its alpha is how much each pixel belongs to the region.
        share: How much the region's style loss counts.
        style: Moments of the style, by layer.
        roots: Factors of their covariances, by layer, where the loss needs them.
        neighbors: Compares nearest neighbours, where the loss does.
    """

    where: Source
    share: float
    style: Mapping[str, Moments]
    roots: Mapping[str, Tensor]
    neighbors: Neighbors | None


@dataclass(frozen=True)
class Guide:
    """What the finished frame before says about this one (Ruder, Dosovitskiy and Brox 2016).

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

    def loss(self, image: Tensor) -> Tensor:
        """The temporal loss of an image (eq. 7): mean squared change of what is visible."""
        return (self.visible * (image - self.image).square()).mean()


class Objective:
    """The loss of an image at one scale, its targets computed once.

    Args:
        backbone: Looks at the pictures.
        content: The content image, at the size of the result at this scale.
        styles: The style images, each at its own size.
        style_weights: How much each style counts.
        options: Weights, layers and kinds of the losses.
        guides: ``(1, 1, H, W)`` in [0, 1] for each style, which pixels of the image are to have
            it (Gatys et al. 2017, section 4); all styles are blended everywhere if left out.
    """

    def __init__(
        self,
        backbone: Backbone,
        content: Source,
        styles: Sequence[Source],
        style_weights: Sequence[float],
        options: OptimizeOptions,
        guides: Sequence[Tensor] | None = None,
    ) -> None:
        self.backbone = backbone
        self.options = options
        self.content = content
        self.content_layers = _normalised(options.content_layers, options.classic_losses)
        self.style_layers = _normalised(options.style_layers, options.classic_losses)
        if options.content_weight == 0:
            self.content_layers = {}
        if options.style_weight == 0:
            self.style_layers = {}
        self.heads = self._heads()
        with torch.no_grad():
            self._keep_content()
            self.regions = self._regions(styles, style_weights, guides) if self.style_layers else []

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """Return the weighted loss terms of an image ``(1, 3, H, W)``: scalars by name."""
        options, layers = self.options, {*self.content_layers, *self.style_layers}
        content: list[Tensor] = []
        moments: list[dict[str, Moments]] = [{} for _ in self.regions]
        kept: dict[str, Tensor] = {}
        for layer, maps in self.backbone.walk(image, layers, self.heads):
            if layer in self.content_layers:
                target = self.content_maps[layer]
                weights = self.content.weights_at(maps.shape[2:])
                content.append(self._content_error(layer, maps, target, weights))
            if layer in self.style_layers:
                self._note(layer, maps, moments, kept)
        terms = {}
        if content:
            terms["content"] = options.content_weight * _total(content)
        if self.style_layers:
            terms["style"] = options.style_weight * _total(
                region.share * self._style_loss(region, found, kept)
                for region, found in zip(self.regions, moments, strict=True)
            )
        if options.tv_weight:
            terms["tv"] = options.tv_weight * losses.total_variation(image)
        return terms

    def gradient(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the loss terms of an image ``(1, 3, H, W)`` and the gradient of their sum."""
        image = image.detach().requires_grad_(True)
        terms = self(image)
        (grad,) = torch.autograd.grad(_total(terms.values()), image)
        return {name: term.detach() for name, term in terms.items()}, grad

    def _heads(self) -> dict[str, Tensor]:
        """The heads that are applied to moments and differences, which is cheaper than to maps.

        Nearest neighbours compare maps, and the classic losses count their channels.
        """
        if "nn" in self.options.style_loss or self.options.classic_losses:
            return {}
        layers = sorted({*self.content_layers, *self.style_layers})
        heads = {layer: self.backbone.head(layer) for layer in layers}
        return {layer: head for layer, head in heads.items() if head is not None}

    def _look(self, image: Tensor, layers: Iterable[str]) -> dict[str, Tensor]:
        """The feature maps of an image, without the heads that are applied later."""
        maps: dict[str, Tensor] = self.backbone(image, layers, self.heads)
        return maps

    def _keep_content(self) -> None:
        self.content_maps = self._look(self.content.image, self.content_layers)
        self.divisors: dict[str, Any] = {
            layer: self._divisor(layer, maps, self.content.weights_at(maps.shape[2:])) + losses.EPS
            for layer, maps in self.content_maps.items()
        }

    def _divisor(self, layer: str, maps: Tensor, weights: Tensor | None) -> Tensor | float:
        """What the squared error of content maps is divided by: their power, or their size."""
        if self.options.classic_losses:
            return maps.numel()
        return losses.power(maps, weights, self.heads.get(layer))

    def _measure(self, source: Source) -> dict[str, Moments]:
        """The moments of a style's feature maps, without the heads that are applied later."""
        return {
            layer: _moments(maps, source)
            for layer, maps in self.backbone.walk(source.image, self.style_layers, self.heads)
        }

    def _regions(
        self, styles: Sequence[Source], weights: Sequence[float], guides: Sequence[Tensor] | None
    ) -> list[Region]:
        """One region with all styles, or one for each style and guide."""
        image, alpha = self.content.image, self.content.alpha
        if guides is None:
            return [self._region(self.content, 1.0, styles, weights)]
        parts = [guide if alpha is None else guide * alpha for guide in guides]
        # Every region's loss is relative to its own style. Its share makes a pixel of a small
        # region be pulled as much as one of a large region or of an image without regions.
        area = image[:, :1].numel() if alpha is None else float(alpha.sum())
        mean = sum(weights) / len(weights)
        shares = [
            float(part.sum()) / area * weight / mean
            for part, weight in zip(parts, weights, strict=True)
        ]
        return [
            self._region(Source(image, part), share, [style], [1])
            for part, share, style in zip(parts, shares, styles, strict=True)
        ]

    def _region(
        self, where: Source, share: float, styles: Sequence[Source], weights: Sequence[float]
    ) -> Region:
        style = self._mapped(_blend([self._measure(each) for each in styles], weights))
        kind = self.options.style_loss
        roots = {
            name: losses.factor(x.double().covariance) for name, x in style.items() if "w2" in kind
        }
        neighbors = None
        if "nn" in kind:
            # Looked at again, one after another: the maps of all styles would take much memory.
            counting = (
                (style, self._look(style.image, self.style_layers))
                for style, weight in zip(styles, weights, strict=True)
                if weight
            )
            neighbors = Neighbors(self.style_layers, style, where, counting)
        return Region(where, share, style, roots, neighbors)

    def _note(
        self,
        layer: str,
        maps: Tensor,
        moments: Sequence[dict[str, Moments]],
        kept: dict[str, Tensor],
    ) -> None:
        """Keep of a layer's maps what the style loss needs: moments by region, or the maps."""
        if self.options.style_loss != "nn":
            for region, found in zip(self.regions, moments, strict=True):
                found[layer] = _moments(maps, region.where)
        if "nn" in self.options.style_loss:
            kept[layer] = maps

    def _mapped(self, moments: Mapping[str, Moments]) -> dict[str, Moments]:
        """The moments behind the heads that the maps went without."""
        return {
            layer: each.through(self.heads[layer]) if layer in self.heads else each
            for layer, each in moments.items()
        }

    def _content_error(
        self, layer: str, maps: Tensor, target: Tensor, weights: Tensor | None
    ) -> Tensor:
        """A layer's part of the content loss, for the whole image or a tile of it."""
        weights = None if self.options.classic_losses else weights
        error = losses.squared_error(maps, target, weights, self.heads.get(layer))
        part: Tensor = self.content_layers[layer] / self.divisors[layer] * error
        return part

    def _style_loss(
        self, region: Region, moments: Mapping[str, Moments], maps: Mapping[str, Tensor]
    ) -> Tensor:
        terms = []
        if moments:
            terms.append(self._statistics_loss(moments, region))
        if region.neighbors is not None:
            neighbors = region.neighbors(maps)
            terms.append(NEIGHBOR_SHARE * neighbors if terms else neighbors)
        return _total(terms)

    def _statistics_loss(self, moments: Mapping[str, Moments], region: Region) -> Tensor:
        mapped = self._mapped(moments)
        return _total(
            weight * self._compare_style(mapped[layer], region, layer)
            for layer, weight in self.style_layers.items()
        )

    def _compare_style(self, image: Moments, region: Region, layer: str) -> Tensor:
        target, kind = region.style[layer], self.options.style_loss
        if self.options.classic_losses:
            return losses.gram_loss_classic(image, target)
        # Gram matrices weigh the strong directions of a feature map, W2 the faint ones as well:
        # together they come nearer to the style in both than each alone in the same time.
        terms = []
        if "gram" in kind:
            terms.append(losses.gram_loss(image, target))
        if "w2" in kind:
            # Faint directions make its gradient sensitive to rounding: off by 0.4% in float32.
            w2 = losses.wasserstein_loss(image.double(), target.double(), region.roots[layer])
            w2 = w2.to(image.mean)
            terms.append(w2 if kind == "w2" else W2_SHARE * w2)
        return _total(terms)


class Masked:
    """An objective of which only a part of the image is free: the rest is the photo.

    The backbone sees the image as it will be in the end, so that what is painted fits what stays.

    Args:
        objective: Looks at the whole.
        mask: ``(1, 1, H, W)`` in [0, 1].
    """

    def __init__(self, objective: Objective, mask: Tensor) -> None:
        self.objective = objective
        self.mask = mask

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """Return the weighted loss terms of an image ``(1, 3, H, W)`` laid over the photo."""
        return self.objective(self._lay(image))

    def gradient(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the loss terms and the gradient of their sum, 0 where the mask is."""
        terms, grad = self.objective.gradient(self._lay(image))
        return terms, grad * self.mask

    def _lay(self, image: Tensor) -> Tensor:
        return torch.lerp(self.objective.content.image, image, self.mask)


class Guided:
    """An objective whose image is also held to the finished frame before, in a video.

    Args:
        objective: Looks at the image.
        guide: The frame before.
    """

    def __init__(self, objective: Objective | Masked, guide: Guide) -> None:
        self.objective = objective
        self.guide = guide

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """Return the weighted loss terms of an image ``(1, 3, H, W)``."""
        terms = self.objective(image)
        terms["temporal"] = self.guide.weight * self.guide.loss(image)
        return terms

    def gradient(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the loss terms and the gradient of their sum."""
        terms, grad = self.objective.gradient(image)
        guide = self.guide
        terms["temporal"] = guide.weight * guide.loss(image)
        change = guide.visible * (image - guide.image)
        return terms, grad + 2 * guide.weight / change.numel() * change


def _normalised(layers: LayerWeights, classic: bool) -> LayerWeights:
    """Weights that add up to 1, so that a further layer does not make the loss heavier.

    The classic recipe adds its layers up instead.
    """
    total = 1.0 if classic else sum(layers.values())
    return {layer: weight / total for layer, weight in layers.items() if weight}


def _moments(maps: Tensor, source: Source) -> Moments:
    """The moments of a source's feature maps, each position counting as much as it says."""
    return losses.moments(maps, source.weights_at(maps.shape[2:]))


def _blend(styles: Sequence[dict[str, Moments]], weights: Sequence[float]) -> dict[str, Moments]:
    """The moments of several styles as if their pixels were mixed in these shares.

    Moments add up, covariances do not: blending covariances would lose the spread between the
    styles' means.
    """
    shares = [weight / sum(weights) for weight in weights]
    return {
        layer: Moments(
            _total(share * style[layer].mean for share, style in zip(shares, styles, strict=True)),
            _total(
                share * style[layer].second for share, style in zip(shares, styles, strict=True)
            ),
        )
        for layer in styles[0]
    }


def _total(terms: Iterable[Tensor]) -> Tensor:
    return torch.stack(list(terms)).sum(dim=0)
