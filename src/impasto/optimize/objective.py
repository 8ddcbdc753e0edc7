"""What is minimised at one scale: content loss + style loss + total variation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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

    def weights_at(self, size: Sequence[int]) -> Tensor | None:
        """How much each position of a feature map of (height, width) counts, ``(1, 1, h, w)``."""
        if self.alpha is None:
            return None
        return F.interpolate(self.alpha, size=tuple(size), mode="area")


class Objective:
    """The loss of an image at one scale, its targets computed once.

    Args:
        backbone: Looks at the pictures.
        content: The content image, at the size of the result at this scale.
        styles: The style images, each at its own size.
        style_weights: How much each style counts.
        options: Weights, layers and kinds of the losses.
    """

    def __init__(
        self,
        backbone: Backbone,
        content: Source,
        styles: Sequence[Source],
        style_weights: Sequence[float],
        options: OptimizeOptions,
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
        with torch.no_grad():
            self._keep_content()
            moments = [self._moments(style) for style in styles]
            self.style = _blend(moments, style_weights) if self.style_layers else {}
            self.roots = (
                {layer: losses.sqrtm(x.double().covariance) for layer, x in self.style.items()}
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
            moments = self._moments_of(maps, self.content)
            terms["style"] = options.style_weight * self._style_loss(moments)
        if options.tv_weight:
            terms["tv"] = options.tv_weight * losses.total_variation(image)
        return terms

    def gradient(self, image: Tensor) -> tuple[dict[str, Tensor], Tensor]:
        """Return the loss terms of an image ``(1, 3, H, W)`` and the gradient of their sum."""
        image = image.detach().requires_grad_(True)
        terms = self(image)
        (grad,) = torch.autograd.grad(_total(terms.values()), image)
        return {name: term.detach() for name, term in terms.items()}, grad

    def _keep_content(self) -> None:
        self.content_maps = self.backbone(self.content.image, self.content_layers)

    def _moments(self, source: Source) -> dict[str, Moments]:
        return self._moments_of(self.backbone(source.image, self.style_layers), source)

    def _moments_of(self, maps: dict[str, Tensor], source: Source) -> dict[str, Moments]:
        return {
            layer: losses.moments(maps[layer], source.weights_at(maps[layer].shape[2:]))
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
        return losses.content_loss(maps, target, self.content.weights_at(maps.shape[2:]))

    def _style_loss(self, moments: Mapping[str, Moments]) -> Tensor:
        return _total(
            weight * self._compare_style(moments[layer], layer)
            for layer, weight in self.style_layers.items()
        )

    def _compare_style(self, image: Moments, layer: str) -> Tensor:
        target, kind = self.style[layer], self.options.style_loss
        if self.options.classic_losses:
            return losses.gram_loss_classic(image, target)
        # Gram matrices weigh the strong directions of a feature map, W2 the faint ones as well:
        # together they come nearer to the style in both than each alone in the same time.
        terms = []
        if "gram" in kind:
            terms.append(losses.gram_loss(image, target))
        if "w2" in kind:
            # Faint directions make its gradient sensitive to rounding: off by 0.4% in float32.
            w2 = losses.wasserstein_loss(image.double(), target.double(), self.roots[layer])
            w2 = w2.to(image.mean)
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
