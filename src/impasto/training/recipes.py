"""Recipes of all trainings: defaults, help and checks. No heavy import here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from impasto.options import (
    CLASSIC_STYLE_LAYERS,
    CheckedOptions,
    LayerWeights,
    LossOptions,
    option,
    with_default,
)

# A network starts from nothing, not from the photo as the optimisation does: with that one's
# layer and weights, the photo hardly shows in first trials.
NETWORK_CONTENT_LAYERS = {"relu3_3": 1.0, "relu4_2": 1.0}


@dataclass(frozen=True, kw_only=True)
class Recipe(CheckedOptions):
    """All that determines the outcome of a training, besides the pictures.

    Raises:
        InputError: If a value is of the wrong type or out of its range.
    """

    steps: int = option(20000, "gradient steps of the whole training", minimum=1)
    batch: int = option(8, "photos in a batch, of all processes together", minimum=1)
    size: int = option(256, "side of the crops", minimum=16, metavar="PX")
    learning_rate: float = option(
        2e-3, "learning rate of Muon and Adam at its highest", minimum=1e-8
    )
    schedule: Literal["cosine", "constant"] = option(
        "cosine", "how the learning rate goes on after warming up"
    )
    averaging: float = option(
        0.999, "decay of the average over the weights; 0: none", minimum=0, maximum=0.99999
    )
    clip: float = option(10.0, "largest norm of a gradient", minimum=1e-6)
    start: str = option(
        "scratch",
        "where the network starts: scratch, shipped (the network of its kind that comes with the "
        "package) or a model file",
        metavar="MODEL",
    )
    seed: int = option(0, "seed of everything random", minimum=0, maximum=2**63 - 1)


@dataclass(frozen=True, kw_only=True)
class NetworkRecipe(LossOptions, Recipe):
    """Recipe of a network that paints."""

    backbone: str = option("lite", "feature network that looks at the pictures", metavar="NAME")
    width: int = option(
        16, "channels of the network at full resolution; wider is better and slower", minimum=1
    )
    blocks: int = option(5, "residual blocks of the network", minimum=0)
    style_weight: float = with_default(LossOptions, "style_weight", 12.0)
    bands_weight: float = with_default(
        LossOptions,
        "bands_weight",
        1.0,
        "weight against more fine structure and speckle than the artwork has",
    )
    checkerboard_weight: float = option(
        1000.0, "weight against a regular pattern of 8 px, or 4, in what is painted", minimum=0
    )
    temporal_weight: float = option(
        0.0, "weight of the steadiness under small motion and noise, for video", minimum=0
    )
    content_layers: LayerWeights = with_default(
        LossOptions, "content_layers", NETWORK_CONTENT_LAYERS
    )
    style_layers: LayerWeights = with_default(LossOptions, "style_layers", CLASSIC_STYLE_LAYERS)
    style_loss: Literal["gram", "w2", "gram+w2"] = option(
        "gram+w2", "statistics that the style loss compares"
    )
    w2_channels: int = option(
        512,
        "most channels of a layer where w2 is compared; its cost grows with their cube",
        minimum=0,
    )


@dataclass(frozen=True, kw_only=True)
class FastRecipe(NetworkRecipe):
    """Recipe of a per-style network."""

    start: str = with_default(
        Recipe,
        "start",
        "shipped",
        "where the network starts: shipped (the gallery's network that comes with the package: "
        "far quicker), scratch or a model file",
    )
    learn: Literal["all", "styles"] = option(
        "all",
        "what learns: all, or the numbers of the styles alone, which are then added to the model "
        "of --start",
    )
    style_size: int = option(
        384,
        "longer side at which the style images are looked at: the size of the strokes",
        minimum=16,
        metavar="PX",
    )


@dataclass(frozen=True, kw_only=True)
class ArbitraryRecipe(NetworkRecipe):
    """Recipe of the arbitrary style network."""

    steps: int = with_default(Recipe, "steps", 60000)
    crops: int = option(
        8,
        "crops of each artwork; statistics of a crop that comes again are kept, as far as memory "
        "allows; 0: never the same crop",
        minimum=0,
    )
    identity: float = option(
        0.1,
        "share of the photos that are their own style, so that strength 0 keeps them",
        minimum=0,
        maximum=1,
    )


@dataclass(frozen=True, kw_only=True)
class DistillationRecipe(Recipe):
    """Recipe of the embedded backbone."""

    steps: int = with_default(Recipe, "steps", 5500)
    batch: int = with_default(
        Recipe,
        "batch",
        3,
        "examples in a batch, of all processes together: each a photo, an artwork, and a picture "
        "that the student has painted with its artwork",
    )
    size: int = option(128, "side of the crops", minimum=32, metavar="PX")
    learning_rate: float = with_default(Recipe, "learning_rate", 6e-4)
    averaging: float = with_default(Recipe, "averaging", 0.998)
    clip: float = with_default(Recipe, "clip", 2.0)
    start: str = with_default(
        Recipe,
        "start",
        "scratch",
        "where the student starts: scratch (fitted in closed form), shipped (the weights that "
        "come with the package) or a file that this command wrote",
    )
    width: float = option(
        1.0, "widths of a student from scratch over those of lite", minimum=0.01, maximum=2
    )
    fit_batches: int = option(64, "batches for the closed-form start", minimum=1)
    paint_every: int = option(30, "steps after which the student paints a picture", minimum=1)
    paint_steps: int = option(80, "most steps of style transfer for such a picture", minimum=1)
    painted: int = option(96, "how many of these pictures are kept, the newest", minimum=1)
