"""Training of the arbitrary style network: any photo in the style of any artwork."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random

import torch
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.devices import free_memory
from impasto.image import Picture
from impasto.stylizers.networks.codes import StyleCode
from impasto.stylizers.networks.description import Architecture, Description
from impasto.stylizers.networks.network import ArbitraryNetwork
from impasto.training.cache import StyleCache
from impasto.training.data import Pictures
from impasto.training.distributed import started
from impasto.training.painting import PaintingTask
from impasto.training.perceptual import PerceptualLoss, StyleTarget
from impasto.training.recipes import ArbitraryRecipe
from impasto.training.start import copy_encoder, start_arbitrary
from impasto.training.task import exact

# Artworks are few: strange colours make more of them.
STYLE_JITTER = 0.4
# Relative losses have nothing to refer to in an artwork of nearly one colour.
STYLE_DEVIATION = 0.06
KEPT_SHARE = 4  # the statistics of all processes take up to a fourth of the free memory


@dataclass(frozen=True)
class StyleCrop:
    """A style of a batch.

    Attributes:
        key: By which its statistics are kept; None if they are not.
        image: ``(3, size, size)``, RGB in [0, 1]; None where the statistics are there already.
    """

    key: Hashable
    image: Tensor | None


class ArbitraryTask(PaintingTask[Sequence[StyleCrop]]):
    """Learning to take the statistics of any style image.

    Args:
        recipe: What to do.
        photos: Folder of what to paint.
        artworks: Folder of the styles; each picture of a batch has its own.
        backbone: Looks at the pictures.
    """

    recipe: ArbitraryRecipe

    def __init__(
        self, recipe: ArbitraryRecipe, photos: Path, artworks: Path, backbone: Backbone
    ) -> None:
        description = Description("arbitrary", Architecture(recipe.width, recipe.blocks))
        super().__init__(recipe, description, photos, backbone)
        self.artworks = Pictures(
            artworks,
            recipe.size,
            jitter=STYLE_JITTER,
            deviation=STYLE_DEVIATION,
            variants=recipe.crops,
        )
        self.folders.append(self.artworks)
        self.known = StyleCache(0)

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move the backbone."""
        super().to(device, dtype)
        limit = free_memory(device) // (KEPT_SHARE * started())
        self.known = StyleCache(limit if self.recipe.crops else 0)

    def start(self, network: ArbitraryNetwork) -> None:
        """Begin with the encoder of the embedded backbone, or with another model."""
        if self.recipe.start != "scratch":
            start_arbitrary(network, self.recipe.start)
            return
        copy_encoder(network.encoder)

    def draw_styles(self, contents: Tensor, draws: Sequence[Random]) -> list[StyleCrop]:
        """Draw crops of artworks; some photos are their own style, as for a strength of 0."""
        pairs = zip(contents, draws, strict=True)
        return [
            StyleCrop(None, content) if rng.random() < self.recipe.identity else self._draw(rng)
            for content, rng in pairs
        ]

    def _draw(self, rng: Random) -> StyleCrop:
        for key in self.artworks.keys(rng):
            if key in self.known:
                return StyleCrop(key, None)
            if (image := self.artworks.crop(key)) is not None:
                return StyleCrop(key, image)
        raise AssertionError("there is no end of keys")

    def held_out_styles(self) -> Iterator[tuple[Picture, list[StyleCrop]]]:
        """Crops of held-out artworks."""
        for number, image in enumerate(self.artworks.held_out):
            yield Picture.from_tensor(image), [StyleCrop(f"held out {number}", image)]

    def painter(
        self, network: ArbitraryNetwork, styles: Sequence[StyleCrop]
    ) -> tuple[Callable[[Tensor], Tensor], StyleTarget]:
        """The painter with its styles set, and their statistics, each measured alone."""
        target = StyleTarget.cat(self._measured(network, style) for style in styles)
        code = StyleCode(target.tensors["code mean"], target.tensors["code square"])
        return partial(network, code=code), target

    def _measured(self, network: ArbitraryNetwork, style: StyleCrop) -> StyleTarget:
        def measure() -> StyleTarget:
            assert style.image is not None
            return _measure(self.loss, network, style.image[None].to(self.device))

        return measure() if style.key is None else self.known(style.key, measure)


@torch.no_grad()
def _measure(loss: PerceptualLoss, network: ArbitraryNetwork, image: Tensor) -> StyleTarget:
    """The statistics of a style ``(1, 3, h, w)``, with its code: the encoder does not learn."""
    with exact(image):
        code = network.encode(image)
    code_tensors = {"code mean": code.mean, "code square": code.square}
    return StyleTarget({**loss.style(image).tensors, **code_tensors})
