"""Training of a per-style network: one network, one or several styles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import torch
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.errors import InputError
from impasto.image import Picture, fit
from impasto.media.sheet import sheet
from impasto.networks.description import Architecture, Description
from impasto.networks.transformer import TransformerNetwork
from impasto.training.data import PictureFolder
from impasto.training.perceptual import Motion, PerceptualLoss, StyleTarget, steadiness
from impasto.training.photos import Photos
from impasto.training.recipes import FastRecipe
from impasto.training.start import start_fast

CONTENT_JITTER = 0.1
ROWS = 3


@dataclass(frozen=True)
class Style:
    """A style to learn.

    Attributes:
        name: What users call it.
        picture: The style image.
        attribution: Who made it, one line.
    """

    name: str
    picture: Picture
    attribution: str = ""


@dataclass(frozen=True)
class FastBatch:
    """What one step learns on.

    Attributes:
        contents: ``(B, 3, size, size)``, RGB in [0, 1].
        styles: ``(B,)``, the number of the style of each.
        motion: Where steadiness is asked for, how the frames move.
    """

    contents: Tensor
    styles: Tensor
    motion: Motion | None


class FastTask:
    """Learning styles by their statistics (Johnson et al. 2016, Dumoulin et al. 2017).

    Args:
        recipe: What to do.
        photos: What to paint.
        styles: In which styles; each picture of a batch has one of them, drawn at random.
        backbone: Looks at the pictures.

    Raises:
        InputError: If a style cannot be used or a name occurs twice.
    """

    def __init__(
        self,
        recipe: FastRecipe,
        photos: PictureFolder,
        styles: Sequence[Style],
        backbone: Backbone,
    ) -> None:
        names = [style.name for style in styles]
        if not names or len(set(names)) < len(names):
            raise InputError(f"styles need a name each, no two the same, not {names}")
        self.recipe = recipe
        self.description = Description(
            "fast",
            Architecture(recipe.width, recipe.blocks),
            tuple(names),
            tuple(style.attribution for style in styles),
        )
        self.photos = Photos(photos, recipe.size, CONTENT_JITTER)
        self.pictures = [self._sized(style.picture, backbone.min_size) for style in styles]
        self.loss = PerceptualLoss(backbone, recipe)
        self.device = torch.device("cpu")

    def _sized(self, picture: Picture, smallest: int) -> Picture:
        sized = picture.resized(*fit(picture.size, self.recipe.style_size))
        if min(sized.size) < smallest:
            height, width = sized.size
            raise InputError(
                f"{picture.name} is {width} x {height} px here, too small: the backbone needs at "
                f"least {smallest} px on each side"
            )
        return sized

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move the backbone, and let it look at the styles."""
        self.device = device
        self.loss.move(device, dtype)
        self.targets = StyleTarget.cat(
            self.loss.style(picture.tensor(device), picture.alpha_tensor(device))
            for picture in self.pictures
        )

    def start(self, network: TransformerNetwork) -> None:
        """Begin with the weights of a model that paints already, if the recipe says so."""
        styles = dict(zip(self.description.styles, self.pictures, strict=True))
        start_fast(network, self.recipe.start, styles)

    def batch(self, draws: Sequence[Random]) -> FastBatch:
        """Draw a batch, each picture by its own generator."""
        contents = self.photos.draw(draws)
        styles = torch.tensor([rng.randrange(len(self.pictures)) for rng in draws])
        moves = Motion.draw(contents, draws) if self.recipe.temporal_weight else None
        return FastBatch(contents, styles, moves)

    def terms(self, network: TransformerNetwork, batch: FastBatch) -> dict[str, Tensor]:
        """The weighted loss terms of a batch."""
        contents = batch.contents.to(self.device)
        numbers = batch.styles.to(self.device)
        shares = torch.eye(len(self.pictures), device=self.device)[numbers]
        painted = network(contents, shares)
        terms = self.loss(painted, contents, self.targets[numbers])
        if batch.motion:
            moved = steadiness(
                painted, contents, lambda images: network(images, shares), batch.motion
            )
            terms["temporal"] = self.recipe.temporal_weight * moved
        return terms

    def held_out(self, network: TransformerNetwork) -> float:
        """The mean loss of the held-out photos in all styles."""
        contents = self.photos.held_out
        losses = []
        for number in range(len(self.pictures)):
            batch = FastBatch(contents, torch.full((len(contents),), number), None)
            losses.append(sum(float(value) for value in self.terms(network, batch).values()))
        return sum(losses) / len(losses)

    def sheet(self, network: TransformerNetwork) -> Picture:
        """Held-out photos in all styles."""
        contents = self.photos.held_out[:ROWS].to(self.device)
        eye = torch.eye(len(self.pictures), device=self.device)
        columns = [contents, *(network(contents, eye[i, None]) for i in range(len(eye)))]
        rows = [
            [Picture.from_tensor(column[i]) for column in columns] for i in range(len(contents))
        ]
        return sheet(rows, [["photo", *self.description.styles]])
