"""Tiny networks that have learnt nothing, as model files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import nn

from impasto.stylizers.networks.description import Architecture, Description
from impasto.stylizers.networks.model_files import save_model
from impasto.stylizers.networks.network import ArbitraryNetwork, FastNetwork

SMALL = Architecture(width=4, blocks=1)
STYLES = ("great-wave", "starry-night")
Network = TypeVar("Network", bound=nn.Module)


def wild(kind: Callable[..., Network], *arguments: Any) -> Network:
    """A frozen network with whose weights styles differ much, the same whatever ran before."""
    torch.manual_seed(0)
    network = kind(*arguments)
    # Colours far apart, which need not be spread, and rounding with them.
    network.painter.head.weight.data.mul_(4)  # type: ignore[operator,union-attr]
    if isinstance(network, FastNetwork):
        network.table.data.add_(0.5 * torch.randn_like(network.table))
        network.colours.uniform_(0.2, 0.8)
        network.spreads[:] = 0.03 * torch.eye(3)
    if isinstance(network, ArbitraryNetwork):
        network.predictor[2].weight.data.mul_(30)  # type: ignore[operator]
    return network.eval().requires_grad_(False)


def write_fast(path: Path, styles: tuple[str, ...] = STYLES) -> str:
    """A per-style network whose styles differ much."""
    network = wild(FastNetwork, SMALL, len(styles))
    attributions = tuple(f"the painter of {style}" for style in styles)
    save_model(network, Description("fast", SMALL, styles, attributions), path)
    return str(path)


def write_arbitrary(path: Path) -> str:
    """An arbitrary style network whose predictions differ much from style to style."""
    save_model(wild(ArbitraryNetwork, SMALL), Description("arbitrary", SMALL), path)
    return str(path)
