"""Training of a per-style network: one network, one or several styles."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.errors import InputError
from impasto.image import Picture
from impasto.stylizers.networks.description import Architecture, Description
from impasto.stylizers.networks.model_files import Network
from impasto.stylizers.networks.network import FastNetwork
from impasto.training.painting import PaintingTask
from impasto.training.perceptual import StyleTarget
from impasto.training.recipes import FastRecipe
from impasto.training.start import joined, start_fast


@dataclass(frozen=True)
class NamedStyle:
    """A style to learn.

    Attributes:
        name: What users call it.
        picture: The style image.
        attribution: Who made it, one line.
    """

    name: str
    picture: Picture
    attribution: str = ""


class FastTask(PaintingTask[Tensor]):
    """Learning styles by their statistics (Johnson et al. 2016, Dumoulin et al. 2017).

    Args:
        recipe: What to do.
        photos: Folder of what to paint.
        styles: In which styles; each picture of a batch has one of them, drawn at random.
        backbone: Looks at the pictures.

    Raises:
        InputError: If a style cannot be used or a name occurs twice.
    """

    recipe: FastRecipe

    def __init__(
        self, recipe: FastRecipe, photos: Path, styles: Sequence[NamedStyle], backbone: Backbone
    ) -> None:
        if recipe.learn == "styles" and recipe.start == "scratch":
            raise InputError("learn styles needs a painter that paints: start from a model")
        names = [style.name for style in styles]
        if not names or len(set(names)) < len(names):
            raise InputError(f"styles need a name each, no two the same, not {names}")
        attributions = tuple(style.attribution for style in styles)
        architecture = Architecture(recipe.width, recipe.blocks)
        description = Description("fast", architecture, tuple(names), attributions)
        super().__init__(recipe, description, photos, backbone)
        self.pictures = [_sized(style.picture, recipe, backbone.min_size) for style in styles]

    def to(self, device: torch.device, dtype: torch.dtype) -> None:
        """Move the backbone, and let it look at the styles."""
        super().to(device, dtype)
        self.targets = StyleTarget.cat(
            self.loss.style(picture.tensor(device), picture.alpha_tensor(device))
            for picture in self.pictures
        )

    def start(self, network: FastNetwork) -> None:
        """Begin with the colours of the styles, and with the weights that the recipe says."""
        styles = dict(zip(self.description.styles, self.pictures, strict=True))
        start_fast(network, self.recipe.start, styles)

    def network(self, weights: Mapping[str, Tensor] | None = None) -> FastNetwork:
        """Build the network; where styles alone learn, its painter is frozen."""
        network = super().network(weights)
        assert isinstance(network, FastNetwork)
        network.painter.requires_grad_(self.recipe.learn == "all")
        return network

    def whole(self, network: Any, description: Description) -> tuple[Network, Description]:
        """The network; where styles alone learn, with those of the model before."""
        if self.recipe.learn == "all":
            return network, description
        return joined(self.recipe.start, network, description)

    def draw_styles(self, contents: Tensor, draws: Sequence[Random]) -> Tensor:
        """Draw the number of a style for each photo."""
        return torch.tensor([rng.randrange(len(self.pictures)) for rng in draws])

    def held_out_styles(self) -> Iterator[tuple[Picture, Tensor]]:
        """All styles."""
        count = len(self.photos.held_out)
        for number, picture in enumerate(self.pictures):
            yield picture, torch.full((count,), number)

    def painter(
        self, network: FastNetwork, styles: Tensor
    ) -> tuple[Callable[[Tensor], Tensor], StyleTarget]:
        """The painter with the styles of these numbers set, and their statistics."""
        numbers = styles.to(self.device)
        shares = torch.eye(len(self.pictures), device=self.device)[numbers]
        return partial(network, style_weights=shares), self.targets[numbers]


def _sized(picture: Picture, recipe: FastRecipe, smallest: int) -> Picture:
    sized = picture.fitted(recipe.style_size)
    if min(sized.size) < smallest:
        height, width = sized.size
        raise InputError(
            f"{picture.name} is {width} x {height} px here, too small: the backbone needs at "
            f"least {smallest} px on each side"
        )
    return sized
