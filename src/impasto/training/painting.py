"""The shared part of the trainings of both painting networks."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.image import Picture
from impasto.media.sheet import sheet
from impasto.stylizers.networks.description import Description
from impasto.stylizers.networks.model_files import Network, build, save_model
from impasto.training.data import Pictures
from impasto.training.perceptual import FrameMotion, PerceptualLoss, StyleTarget, steadiness
from impasto.training.recipes import NetworkRecipe
from impasto.training.task import Task

PHOTO_JITTER = 0.1
PHOTO_DEVIATION = 0.03

Styles = TypeVar("Styles")


@dataclass(frozen=True)
class PaintingBatch(Generic[Styles]):
    """The data of one step.

    Attributes:
        contents: ``(B, 3, size, size)``, RGB in [0, 1].
        styles: In which styles they are to be painted.
        motion: Where steadiness is asked for, how the frames move.
    """

    contents: Tensor
    styles: Styles
    motion: FrameMotion | None = None


class PaintingTask(Task[PaintingBatch[Styles]], Generic[Styles]):
    """Learning to paint photos so that their statistics become those of styles.

    Args:
        recipe: What to do.
        description: What the network is.
        photos: Folder of what to paint.
        backbone: Looks at the pictures.
    """

    recipe: NetworkRecipe

    def __init__(
        self, recipe: NetworkRecipe, description: Description, photos: Path, backbone: Backbone
    ) -> None:
        self.recipe, self.description = recipe, description
        self.loss = PerceptualLoss(backbone, recipe)
        self.photos = Pictures(photos, recipe.size, jitter=PHOTO_JITTER, deviation=PHOTO_DEVIATION)
        self.folders = [self.photos]
        self.device = torch.device("cpu")

    @abstractmethod
    def start(self, network: Any) -> None:
        """Give a freshly built network the weights with which it starts."""

    @abstractmethod
    def draw_styles(self, contents: Tensor, draws: Sequence[Random]) -> Styles:
        """Draw a style for each photo of a batch."""

    @abstractmethod
    def held_out_styles(self) -> Iterator[tuple[Picture, Styles]]:
        """The styles in which all held-out photos are painted, and how they look."""

    @abstractmethod
    def painter(
        self, network: Any, styles: Styles
    ) -> tuple[Callable[[Tensor], Tensor], StyleTarget]:
        """The painter with these styles set, and their statistics."""

    @property
    def settings(self) -> dict[str, Any]:
        """Recipe and styles."""
        return {**super().settings, "styles": list(self.description.styles)}

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move the backbone."""
        self.device = device
        self.loss.to(device, dtype)

    def network(self, weights: Mapping[str, Tensor] | None = None) -> Network:
        """Build the network."""
        network = build(self.description)
        if weights is None:
            self.start(network)
        else:
            network.load_state_dict(weights)
        return network

    def batch(self, draws: Sequence[Random]) -> PaintingBatch[Styles]:
        """Draw a batch, each photo and its style by its own generator."""
        contents = self.photos.batch(draws)
        styles = self.draw_styles(contents, draws)
        moves = FrameMotion.draw(contents, draws) if self.recipe.temporal_weight else None
        return PaintingBatch(contents, styles, moves)

    def terms(self, network: Any, batch: PaintingBatch[Styles]) -> dict[str, Tensor]:
        """The weighted loss terms of a batch."""
        contents = batch.contents.to(self.device)
        paint, target = self.painter(network, batch.styles)
        painted = paint(contents)
        terms = self.loss(painted, contents, target)
        if batch.motion:
            moved = steadiness(painted, contents, paint, batch.motion)
            terms["temporal"] = self.recipe.temporal_weight * moved
        return terms

    def held_out(self, network: Any) -> float:
        """The mean loss of all held-out photos in all held-out styles."""
        contents = self.photos.held_out
        batches = [PaintingBatch(contents, styles) for _, styles in self.held_out_styles()]
        losses = [sum(map(float, self.terms(network, batch).values())) for batch in batches]
        return sum(losses) / len(losses)

    def sheet(self, network: Any) -> Picture:
        """Held-out photos in held-out styles, the styles above."""
        contents = self.photos.held_out.to(self.device)
        columns: list[list[Picture | None]] = [[None, *map(Picture.from_tensor, contents)]]
        for picture, styles in self.held_out_styles():
            paint, _ = self.painter(network, styles)
            columns.append([picture, *map(Picture.from_tensor, paint(contents))])
        return sheet(list(zip(*columns, strict=True)))

    def write(self, network: Network, path: Path, step: int) -> None:
        """Write a model file."""
        recipe = {**asdict(self.recipe), "steps_done": step}
        save_model(*self.whole(network, replace(self.description, recipe=recipe)), path)

    def whole(self, network: Any, description: Description) -> tuple[Network, Description]:
        """The model that is written of a network that has learnt, and what it is."""
        return network, description
