"""Options of the explaining commands. No heavy import here."""

from __future__ import annotations

from dataclasses import dataclass

from impasto.options import OptimizeOptions, with_default


@dataclass(frozen=True, kw_only=True)
class ReconstructOptions(OptimizeOptions):
    """Options of a reconstruction: those of the optimisation, from noise, at one scale.

    At one scale because coarser ones would add statistics of smaller copies to those of the
    image: the figure is to show what the layers of one network run hold, and nothing else.

    Raises:
        InputError: If a value is of the wrong type, out of its range or not among its choices.
    """

    backbone: str = with_default(
        OptimizeOptions, "backbone", "lite", "feature network that looks at the picture"
    )
    max_size: int = with_default(OptimizeOptions, "max_size", 256)
    steps: int = with_default(
        OptimizeOptions, "steps", 200, "evaluations of loss and gradient for each layer"
    )
    scales: int = with_default(OptimizeOptions, "scales", 1)
    init: str = with_default(OptimizeOptions, "init", "noise")


# The options that the command line offers; the rest would only blur the figure.
OFFERED = (
    "backbone",
    "weights",
    "pooling",
    "max_size",
    "steps",
    "tv_weight",
    "style_loss",
    "precision",
    "device",
    "seed",
)
