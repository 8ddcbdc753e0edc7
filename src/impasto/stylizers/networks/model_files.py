"""Model files: safetensors in half precision with a header that says what they are."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import torch
from safetensors.torch import load_file, save

from impasto.errors import ImpastoError, InputError
from impasto.files import atomic
from impasto.stylizers.networks.description import Description, Kind, describe
from impasto.stylizers.networks.network import ArbitraryNetwork, FastNetwork

Network = FastNetwork | ArbitraryNetwork


def build(description: Description) -> Network:
    """Make a network, freshly initialised, of what a description says."""
    if description.kind == "fast":
        return FastNetwork(description.architecture, len(description.styles))
    return ArbitraryNetwork(description.architecture)


def save_model(network: Network, description: Description, path: str | Path) -> None:
    """Write a model in half precision, whole or not at all.

    Raises:
        InputError: If the folder does not exist.
        ImpastoError: If it cannot be written, or a weight is beyond half precision.
    """
    half = {name: value.half().contiguous() for name, value in network.state_dict().items()}
    for name, value in half.items():
        if not value.isfinite().all():
            raise ImpastoError(f"{name} is not finite in half precision: {path} was not written")
    header = {name: json.dumps(value, default=str) for name, value in asdict(description).items()}
    with atomic(path) as temporary:
        temporary.write_bytes(save(half, {"format": "pt", **header}))


def load_model(path: str | Path, kind: Kind | None = None) -> tuple[Network, Description]:
    """Load a model, frozen, in float32, on the CPU.

    Args:
        path: The file.
        kind: What it must be; either if left out.

    Raises:
        InputError: If it is no such model, truncated, or does not fit its own description.
    """
    path = Path(path)
    description = describe(path)
    if kind is not None and description.kind != kind:
        raise InputError(f"{path} holds a model for --method {description.kind}, not {kind}")
    state = {name: value.float() for name, value in load_file(path).items()}
    with torch.device("meta"):
        network = build(description)
    expected = {name: value.shape for name, value in network.state_dict().items()}
    if expected != {name: value.shape for name, value in state.items()}:
        raise InputError(
            f"{path} is damaged or of another version of Impasto: its weights do not fit its "
            "description"
        )
    if not all(value.isfinite().all() for value in state.values()):
        raise InputError(f"{path} is damaged: it holds values that are not finite numbers")
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False), description
