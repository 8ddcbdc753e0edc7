"""Options of the explaining commands. No heavy import here."""

from __future__ import annotations

from dataclasses import dataclass

from impasto.options import OptimizeOptions, option


@dataclass(frozen=True, kw_only=True)
class ReconstructOptions(OptimizeOptions):
    """Options of a reconstruction: those of the optimisation, from noise, at one scale.

    At one scale because coarser ones would add statistics of smaller copies to those of the
    image: the figure is to show what the layers of one network run hold, and nothing else.

    Raises:
        InputError: If a value is of the wrong type, out of its range or not among its choices.
    """

    backbone: str = option("lite", "feature network that looks at the picture", metavar="NAME")
    max_size: int = option(256, "longer side of the result", minimum=1, metavar="PX")
    steps: int = option(200, "evaluations of loss and gradient for each layer", minimum=1)
    scales: int = option(1, "scales of the coarse-to-fine pyramid", minimum=0)
    init: str = option("noise", "what to start from", metavar="WHAT")


# What of these options the command line offers; the rest would only blur what is shown.
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
