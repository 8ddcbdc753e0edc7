"""Training of the arbitrary style network: any photo in the style of any artwork."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.image import Picture
from impasto.media.sheet import sheet
from impasto.networks.arbitrary import ArbitraryNetwork
from impasto.networks.description import Architecture, Description
from impasto.training.data import PictureFolder
from impasto.training.perceptual import Motion, PerceptualLoss, steadiness
from impasto.training.photos import Photos
from impasto.training.recipes import ArbitraryRecipe
from impasto.training.start import start_arbitrary

CONTENT_JITTER = 0.1
# Artworks are few: strange colours make more of them.
STYLE_JITTER = 0.4
ROWS = 3


@dataclass(frozen=True)
class ArbitraryBatch:
    """What one step learns on.

    Attributes:
        contents: ``(B, 3, size, size)``, RGB in [0, 1].
        styles: ``(B, 3, size, size)``, likewise.
        motion: Where steadiness is asked for, how the frames move.
    """

    contents: Tensor
    styles: Tensor
    motion: Motion | None


class ArbitraryTask:
    """Learning to take the statistics of any style image.

    Args:
        recipe: What to do.
        photos: What to paint.
        artworks: In which styles; each picture of a batch has its own.
        backbone: Looks at the pictures.
    """

    def __init__(
        self,
        recipe: ArbitraryRecipe,
        photos: PictureFolder,
        artworks: PictureFolder,
        backbone: Backbone,
    ) -> None:
        self.recipe = recipe
        self.description = Description("arbitrary", Architecture(recipe.width, recipe.blocks))
        self.photos = Photos(photos, recipe.size, CONTENT_JITTER)
        self.artworks = Photos(artworks, recipe.size, STYLE_JITTER)
        self.loss = PerceptualLoss(backbone, recipe)
        self.device = torch.device("cpu")

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move the backbone."""
        self.device = device
        self.loss.move(device, dtype)

    def start(self, network: ArbitraryNetwork) -> None:
        """Begin with the encoder of the embedded backbone, or with another model."""
        start_arbitrary(network, self.recipe.start)

    def batch(self, draws: Sequence[Random]) -> ArbitraryBatch:
        """Draw a batch, each picture by its own generator.

        Some photos are their own style, as for a strength of 0.
        """
        contents, styles = self.photos.draw(draws), self.artworks.draw(draws)
        for index, rng in enumerate(draws):
            if rng.random() < self.recipe.identity:
                styles[index] = contents[index]
        moves = Motion.draw(contents, draws) if self.recipe.temporal_weight else None
        return ArbitraryBatch(contents, styles, moves)

    def terms(self, network: ArbitraryNetwork, batch: ArbitraryBatch) -> dict[str, Tensor]:
        """The weighted loss terms of a batch."""
        contents, styles = batch.contents.to(self.device), batch.styles.to(self.device)
        code = network.encode_style(styles)
        painted = network(contents, code)
        terms = self.loss(painted, contents, self.loss.style(styles))
        if batch.motion:
            moved = steadiness(
                painted, contents, lambda images: network(images, code), batch.motion
            )
            terms["temporal"] = self.recipe.temporal_weight * moved
        return terms

    def held_out(self, network: ArbitraryNetwork) -> float:
        """The mean loss of all held-out photos in all held-out styles."""
        contents, artworks = self.photos.held_out, self.artworks.held_out
        losses = []
        for artwork in artworks:
            batch = ArbitraryBatch(contents, artwork.expand_as(contents), None)
            losses.append(sum(float(value) for value in self.terms(network, batch).values()))
        return sum(losses) / len(losses)

    def sheet(self, network: ArbitraryNetwork) -> Picture:
        """Held-out photos in held-out styles, the styles above."""
        contents = self.photos.held_out[:ROWS].to(self.device)
        artworks = self.artworks.held_out.to(self.device)
        columns = [network(contents, network.encode_style(each[None])) for each in artworks]
        rows: list[list[Picture | None]] = [[None, *map(Picture.from_tensor, artworks)]]
        for i, content in enumerate(contents):
            painted = [Picture.from_tensor(column[i]) for column in columns]
            rows.append([Picture.from_tensor(content), *painted])
        return sheet(rows)
