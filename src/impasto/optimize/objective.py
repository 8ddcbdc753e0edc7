"""What is minimised at one scale: content loss + style loss + total variation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto import losses
from impasto.backbones.base import Backbone
from impasto.losses import Moments
from impasto.options import LayerWeights, OptimizeOptions

# In "gram+w2", how much W2 counts beside Gram: with equal weights the Gram distance falls further
# below that of the textbook method than the W2 distance does.
W2_SHARE = 1.5


@dataclass(frozen=True)
class Source:
    """An image whose features are a target.

    Attributes:
        image: ``(1, 3, H, W)``, RGB in [0, 1].
        alpha: ``(1, 1, H, W)`` in [0, 1], how much each pixel counts; None: all alike.
    """

    image: Tensor
    alpha: Tensor | None = None

    def weights_at(self, maps: Tensor) -> Tensor | None:
        """How much each position of a feature map counts, ``(1, 1, h, w)``."""
        if self.alpha is None:
            return None
        return F.interpolate(self.alpha, size=maps.shape[2:], mode="area")


@dataclass(frozen=True)
class Guide:
    """What the finished frame before says about this one (Ruder, Dosovitskiy and Brox 2016).

    Attributes:
        image: ``(1, 3, H, W)``, the stylized frame before, warped to this one.
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

    def start(self, content: Tensor) -> Tensor:
        """The image to start from: the frame before where it is visible, else the content."""
        return torch.lerp(content, self.image, self.visible)

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
        guide: The frame before, in a video.
    """

    def __init__(
        self,
        backbone: Backbone,
        content: Source,
        styles: Sequence[Source],
        style_weights: Sequence[float],
        options: OptimizeOptions,
        guide: Guide | None = None,
    ) -> None:
        self.backbone = backbone
        self.options = options
        self.guide = guide
        self.content = content
        self.content_layers = _normalised(options.content_layers, options.classic_losses)
        self.style_layers = _normalised(options.style_layers, options.classic_losses)
        if options.content_weight == 0:
            self.content_layers = {}
        if options.style_weight == 0:
            self.style_layers = {}
        with torch.no_grad():
            self.content_maps = backbone(content.image, self.content_layers)
            moments = [self._moments(style) for style in styles]
            self.style = _blend(moments, style_weights) if self.style_layers else {}
            self.roots = (
                {layer: losses.sqrtm(target.covariance) for layer, target in self.style.items()}
                if "w2" in options.style_loss
                else {}
            )

    def __call__(self, image: Tensor) -> dict[str, Tensor]:
        """Return the weighted loss terms of an image ``(1, 3, H, W)``: scalars by name."""
        options = self.options
        maps = self.backbone(image, {*self.content_layers, *self.style_layers})
        terms = {}
        if self.content_layers:
            terms["content"] = options.content_weight * self._content_loss(maps)
        if self.style_layers:
            terms["style"] = options.style_weight * self._style_loss(maps)
        if options.tv_weight:
            terms["tv"] = options.tv_weight * losses.total_variation(image)
        if self.guide:
            terms["temporal"] = self.guide.weight * self.guide.loss(image)
        return terms

    def _moments(self, source: Source) -> dict[str, Moments]:
        maps = self.backbone(source.image, self.style_layers)
        return {
            layer: losses.moments(maps[layer], source.weights_at(maps[layer]))
            for layer in self.style_layers
        }

    def _content_loss(self, maps: dict[str, Tensor]) -> Tensor:
        return _total(
            weight * self._compare_content(maps[layer], self.content_maps[layer])
            for layer, weight in self.content_layers.items()
        )

    def _compare_content(self, maps: Tensor, target: Tensor) -> Tensor:
        if self.options.classic_losses:
            return losses.content_loss_classic(maps, target)
        return losses.content_loss(maps, target, self.content.weights_at(maps))

    def _style_loss(self, maps: dict[str, Tensor]) -> Tensor:
        return _total(
            weight * self._compare_style(maps[layer], layer)
            for layer, weight in self.style_layers.items()
        )

    def _compare_style(self, maps: Tensor, layer: str) -> Tensor:
        target, kind = self.style[layer], self.options.style_loss
        image = losses.moments(maps, self.content.weights_at(maps))
        if self.options.classic_losses:
            return losses.gram_loss_classic(image, target)
        # Gram matrices weigh the strong directions of a feature map, W2 the faint ones as well:
        # together they come nearer to the style in both than each alone in the same time.
        terms = []
        if "gram" in kind:
            terms.append(losses.gram_loss(image, target))
        if "w2" in kind:
            w2 = losses.wasserstein_loss(image, target, self.roots[layer])
            terms.append(w2 if kind == "w2" else W2_SHARE * w2)
        return _total(terms)


def _normalised(layers: LayerWeights, classic: bool) -> LayerWeights:
    """Weights that add up to 1, so that a further layer does not make the loss heavier.

    The classic recipe adds its layers up instead.
    """
    total = 1.0 if classic else sum(layers.values())
    return {layer: weight / total for layer, weight in layers.items() if weight}


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
