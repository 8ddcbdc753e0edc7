"""What the trainings of both networks that paint have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.image import Picture
from impasto.networks.description import Architecture, Description, Kind
from impasto.networks.files import Network, build, save_model
from impasto.training.data import Pictures
from impasto.training.perceptual import FrameMotion, PerceptualLoss, StyleTarget, steadiness
from impasto.training.recipes import NetworkRecipe

PHOTO_JITTER = 0.1
PHOTO_DEVIATION = 0.03
ROWS = 3  # photos on a sheet

Styles = TypeVar("Styles")


@dataclass(frozen=True)
class PaintingBatch(Generic[Styles]):
    """What one step learns on.

    Attributes:
        contents: ``(B, 3, size, size)``, RGB in [0, 1].
        styles: In which styles they are to be painted.
        motion: Where steadiness is asked for, how the frames move.
    """

    contents: Tensor
    styles: Styles
    motion: FrameMotion | None = None


class PaintingTask(ABC, Generic[Styles]):
    """Learning to paint photos so that their statistics become those of styles.

    Args:
        recipe: What to do.
        photos: Folder of what to paint.
        backbone: Looks at the pictures.
    """

    def __init__(self, recipe: NetworkRecipe, photos: Path, backbone: Backbone) -> None:
        self.recipe = recipe
        self.loss = PerceptualLoss(backbone, recipe)
        self.photos = Pictures(photos, recipe.size, jitter=PHOTO_JITTER, deviation=PHOTO_DEVIATION)
        self.device = torch.device("cpu")

    @property
    @abstractmethod
    def description(self) -> Description:
        """What the network is."""

    @abstractmethod
    def start(self, network: Any) -> None:
        """Give a freshly built network the weights with which it starts."""

    @abstractmethod
    def draw_styles(self, contents: Tensor, draws: Sequence[Random]) -> Styles:
        """Draw a style for each photo of a batch."""

    @abstractmethod
    def held_out_styles(self) -> Iterable[Styles]:
        """The styles in which all held-out photos are painted, one after the other."""

    @abstractmethod
    def painter(
        self, network: Any, styles: Styles
    ) -> tuple[Callable[[Tensor], Tensor], StyleTarget]:
        """What paints in these styles, and their statistics."""

    @abstractmethod
    def sheet(self, network: Any) -> Picture:
        """Held-out photos in several styles."""

    @property
    def settings(self) -> dict[str, Any]:
        """Recipe and styles."""
        return {**asdict(self.recipe), "styles": list(self.description.styles)}

    @property
    def folders(self) -> list[Pictures]:
        """The pictures that are learnt on."""
        return [self.photos]

    def describe(self, kind: Kind, **more: Any) -> Description:
        """The description of a network of this recipe."""
        return Description(kind, Architecture(self.recipe.width, self.recipe.blocks), **more)

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

    def prepare(self, step: int, average: Any) -> None:
        """Nothing has to be done before a step."""

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
        batches = [PaintingBatch(self.photos.held_out, each) for each in self.held_out_styles()]
        losses = [sum(map(float, self.terms(network, batch).values())) for batch in batches]
        return sum(losses) / len(losses)

    def write(self, network: Network, path: Path, step: int) -> None:
        """Write a model file."""
        recipe = {**asdict(self.recipe), "steps_done": step}
        save_model(network, replace(self.description, recipe=recipe), path)

    def state(self) -> dict[str, Any]:
        """Nothing has to be kept."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Nothing was kept."""
