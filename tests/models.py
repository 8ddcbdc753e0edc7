"""Tiny networks that have learnt nothing, as model files."""

from __future__ import annotations

from pathlib import Path

import torch

from impasto.networks.arbitrary import ArbitraryNetwork
from impasto.networks.description import Architecture, Description
from impasto.networks.files import save_model
from impasto.networks.transformer import TransformerNetwork

SMALL = Architecture(width=4, blocks=1)
STYLES = ("great-wave", "starry-night")


def write_fast(path: Path, styles: tuple[str, ...] = STYLES) -> str:
    """A per-style network whose styles differ much."""
    torch.manual_seed(0)
    network = TransformerNetwork(SMALL, len(styles))
    network.table.data.add_(0.5 * torch.randn_like(network.table))
    attributions = tuple(f"the painter of {style}" for style in styles)
    save_model(network, Description("fast", SMALL, styles, attributions), path)
    return str(path)


def write_arbitrary(path: Path) -> str:
    """An arbitrary style network whose predictions differ much from style to style."""
    torch.manual_seed(0)
    network = ArbitraryNetwork(SMALL)
    network.predictor[2].weight.data.mul_(100)  # type: ignore[operator]
    save_model(network, Description("arbitrary", SMALL), path)
    return str(path)
