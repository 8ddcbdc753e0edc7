"""The loss of painted pictures: content, style, grain, regular patterns, steadiness.

Built of ``impasto.losses``, whose terms are relative: a style's statistics are compared in units
of their own size. So each style counts alike from the start, and a strong one does not dominate
a faint one (the aim of Cheng et al. 2021, "Style-aware normalized loss"). Each term is the mean
of what the pictures of a batch would give one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from impasto.backbones.base import Backbone
from impasto.losses import (
    Moments,
    band_energies,
    bands_loss,
    content_loss,
    gram_loss,
    moments,
    sqrtm,
    total_variation,
    wasserstein_loss,
)
from impasto.losses.statistics import total
from impasto.options import LayerWeights
from impasto.training.augment import inside, motion, noise, warp
from impasto.training.checkerboard import checkerboard
from impasto.training.recipes import NetworkRecipe
from impasto.training.task import exact


@dataclass(frozen=True)
class StyleTarget:
    """Statistics of ``B`` styles, one for each picture of a batch.

    Attributes:
        tensors: ``(B, ...)`` by name: of each style layer the mean, the second moment and,
            where W2 is compared, the root of the covariance; the energies of the bands.
    """

    tensors: dict[str, Tensor]

    def moments(self, layer: str) -> Moments:
        """The moments of a layer's maps."""
        return Moments(self.tensors[f"{layer} mean"], self.tensors[f"{layer} second"])

    def root(self, layer: str) -> Tensor:
        """``(B, C, C)``, the root of the covariance."""
        return self.tensors[f"{layer} root"]

    def __getitem__(self, index: Tensor) -> StyleTarget:
        """The statistics of styles by their numbers, ``(B,)``."""
        return StyleTarget({name: value[index] for name, value in self.tensors.items()})

    @staticmethod
    def cat(targets: Iterable[StyleTarget]) -> StyleTarget:
        """Put styles one after the other."""
        listed = [target.tensors for target in targets]
        return StyleTarget({name: torch.cat([each[name] for each in listed]) for name in listed[0]})


class PerceptualLoss:
    """Compares painted pictures with photos and styles.

    Args:
        backbone: Looks at the pictures; frozen. From here on it repeats borders.
        recipe: Weights, layers and kind of the losses.

    Raises:
        InputError: If the backbone lacks a layer.
    """

    def __init__(self, backbone: Backbone, recipe: NetworkRecipe) -> None:
        self.backbone = _repeating(backbone)
        self.recipe = recipe
        self.content_layers = _shares(recipe.content_layers)
        self.style_layers = _shares(recipe.style_layers)
        backbone.check([*self.content_layers, *self.style_layers])
        # Covariances of fewer positions than channels are singular, whatever is painted.
        painted = torch.zeros(1, 3, recipe.size, recipe.size)
        self.by_w2 = {
            layer
            for layer, maps in backbone.walk(painted, self.style_layers)
            if "w2" in recipe.style_loss
            and maps.shape[1] <= min(recipe.w2_channels, maps[0, 0].numel())
        }

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Let the backbone run on a device and in a dtype."""
        self.backbone.to(device, dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def style(self, images: Tensor, weights: Tensor | None = None) -> StyleTarget:
        """The statistics of style images.

        Args:
            images: ``(B, 3, h, w)``, RGB in [0, 1].
            weights: ``(B, 1, h, w)``, how much each pixel counts, for example its alpha.
        """
        with torch.no_grad(), exact(images):
            found = {"bands": band_energies(images, weights)}
            for layer, maps in self.backbone.walk(images, self.style_layers):
                at = None
                if weights is not None:
                    at = F.interpolate(weights, size=maps.shape[2:], mode="area")
                own = moments(maps, at)
                found |= {f"{layer} mean": own.mean, f"{layer} second": own.second}
                if layer in self.by_w2:
                    found[f"{layer} root"] = sqrtm(own.covariance)
        return StyleTarget(found)

    def __call__(self, painted: Tensor, contents: Tensor, style: StyleTarget) -> dict[str, Tensor]:
        """Return the weighted loss terms.

        Args:
            painted: ``(B, 3, H, W)``, RGB in [0, 1].
            contents: ``(B, 3, H, W)``, the photos.
            style: The statistics of ``B`` styles, or of one.

        Returns:
            Scalars by name: "content", "style" and, where they have a weight, "bands",
            "checkerboard" and "tv".
        """
        recipe = self.recipe
        with exact(painted):
            terms = self._compare(painted, contents, style)
            if recipe.bands_weight:
                excess = bands_loss(band_energies(painted), style.tensors["bands"])
                terms["bands"] = recipe.bands_weight * excess
            if recipe.checkerboard_weight:
                terms["checkerboard"] = recipe.checkerboard_weight * checkerboard(painted)
            if recipe.tv_weight:
                terms["tv"] = recipe.tv_weight * total_variation(painted)
        return terms

    def _compare(self, painted: Tensor, contents: Tensor, style: StyleTarget) -> dict[str, Tensor]:
        content: list[Tensor] = []
        styles: list[Tensor] = []
        with torch.no_grad():
            wanted = self.backbone(contents, self.content_layers)
        for layer, maps in self.backbone.walk(painted, {*self.content_layers, *self.style_layers}):
            if layer in wanted:
                content.append(self.content_layers[layer] * _content(maps, wanted[layer]))
            if layer in self.style_layers:
                styles.append(self.style_layers[layer] * self._distance(maps, layer, style))
        return {
            "content": self.recipe.content_weight * total(content),
            "style": self.recipe.style_weight * total(styles),
        }

    def _distance(self, maps: Tensor, layer: str, style: StyleTarget) -> Tensor:
        own, theirs = moments(maps), style.moments(layer)
        terms = []
        if "gram" in self.recipe.style_loss or layer not in self.by_w2:
            terms.append(gram_loss(own, theirs))
        if layer in self.by_w2:
            terms.append(wasserstein_loss(own, theirs, style.root(layer)))
        return total(terms)


def _repeating(backbone: Backbone) -> Backbone:
    """Let the convolutions pad by repeating the border, not by zeros.

    Beside zeros every border is an edge, which costs style. A network learns to soften it: it
    paints a grey frame as wide as it can tell that a border is near.
    """
    for module in backbone.modules():
        if isinstance(module, nn.Conv2d) and module.padding != (0, 0):
            module.padding_mode = "replicate"
    return backbone


def _content(maps: Tensor, target: Tensor) -> Tensor:
    """The content loss of each picture alone, then their mean: a dark photo counts as others."""
    losses = [content_loss(*pair) for pair in zip(maps, target, strict=True)]
    return torch.stack(losses).mean()


def _shares(layers: LayerWeights) -> LayerWeights:
    whole = sum(layers.values())
    return {layer: weight / whole for layer, weight in layers.items() if weight}


@dataclass(frozen=True)
class FrameMotion:
    """How frames move to the next ones.

    Attributes:
        grid: ``(B, H, W, 2)``, for ``augment.warp``.
        noise: ``(B, 3, H, W)``, what is added after the motion.
    """

    grid: Tensor
    noise: Tensor

    @staticmethod
    def draw(frames: Tensor, draws: Sequence[Random]) -> FrameMotion:
        """Draw a motion for square frames ``(B, 3, size, size)``, each by its own generator."""
        grids = torch.stack([motion(frames.shape[3], rng) for rng in draws])
        return FrameMotion(
            grids, torch.stack([noise(*pair) for pair in zip(frames, draws, strict=True)])
        )


def steadiness(
    painted: Tensor, contents: Tensor, paint: Callable[[Tensor], Tensor], move: FrameMotion
) -> Tensor:
    """How little painting and moving commute: the mean difference of the next frame, painted.

    Args:
        painted: ``(B, 3, H, W)``, the frames as the network paints them.
        contents: ``(B, 3, H, W)``, the frames.
        paint: The network.
        move: From these frames to the next.

    Returns:
        A scalar: the mean absolute difference of painted and moved from moved and painted frames,
        where the next frame shows what was in the one before.
    """
    grid = move.grid.to(contents)
    following = (warp(contents, grid) + move.noise.to(contents)).clamp(0, 1)
    difference = (warp(painted, grid) - paint(following)).abs()
    return (difference * inside(grid)).mean()
