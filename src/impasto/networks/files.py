"""Model files: safetensors in half precision with a header that says what they are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from impasto import __version__
from impasto.errors import ImpastoError, InputError
from impasto.files import atomic
from impasto.networks.arbitrary import ArbitraryNetwork
from impasto.networks.transformer import Architecture, TransformerNetwork

Kind = Literal["fast", "arbitrary"]
Network = TransformerNetwork | ArbitraryNetwork

MOST_STYLES = 10_000


@dataclass(frozen=True)
class Description:
    """What a model file says about itself.

    Attributes:
        kind: "fast" (per style) or "arbitrary".
        architecture: The measures of the network.
        styles: Names of the styles of a per-style network, in the order of its table.
        attributions: Who made them, one line for each style; empty if nobody said.
        recipe: What the network was trained with.
        version: The version of Impasto that wrote the file.
    """

    kind: Kind
    architecture: Architecture = field(default_factory=Architecture)
    styles: tuple[str, ...] = ()
    attributions: tuple[str, ...] = ()
    recipe: Mapping[str, object] = field(default_factory=dict)
    version: str = __version__


def build(description: Description) -> Network:
    """Make a network, freshly initialised, of what a description says."""
    if description.kind == "fast":
        return TransformerNetwork(description.architecture, len(description.styles))
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


def describe(path: str | Path) -> Description:
    """Read what a model file says about itself, without its weights.

    Raises:
        InputError: If it is no model of Impasto.
    """
    return _read(Path(path), weights=False)[0]


def load_model(path: str | Path, kind: Kind | None = None) -> tuple[Network, Description]:
    """Load a model, frozen, in float32, on the CPU.

    Args:
        path: The file.
        kind: What it must be; either if left out.

    Raises:
        InputError: If it is no such model, truncated, or does not fit its own description.
    """
    description, state = _read(Path(path), weights=True)
    if kind is not None and description.kind != kind:
        raise InputError(f"{path} holds a model for --method {description.kind}, not {kind}")
    with torch.device("meta"):
        network = build(description)
    expected = {name: value.shape for name, value in network.state_dict().items()}
    if expected != {name: value.shape for name, value in state.items()}:
        raise InputError(f"{path} is damaged: its weights do not fit its description")
    if not all(value.isfinite().all() for value in state.values()):
        raise InputError(f"{path} is damaged: it holds values that are not finite numbers")
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False), description


def _read(path: Path, *, weights: bool) -> tuple[Description, dict[str, Tensor]]:
    if not path.is_file():
        raise InputError(f"there is no model file {path}")
    try:
        with safe_open(path, framework="pt") as file:
            header = file.metadata() or {}
            names = file.keys() if weights else []
            state = {name: file.get_tensor(name).float() for name in names}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is truncated or not a safetensors file ({error})") from error
    return _parse(header, path), state


def _parse(header: Mapping[str, str], path: Path) -> Description:
    try:
        fields: dict[str, Any] = {
            name: json.loads(header[name]) for name in asdict(Description("fast"))
        }
        fields["architecture"] = Architecture(**fields["architecture"])
        for name in ("styles", "attributions"):
            fields[name] = tuple(map(str, fields[name]))
        description = Description(**fields)
    except (LookupError, ValueError, TypeError, RecursionError) as error:
        raise InputError(f"{path} is no model of Impasto: its header does not say so") from error
    if description.kind not in ("fast", "arbitrary"):
        raise InputError(f"{path} holds a model of an unknown kind, '{description.kind}'")
    if description.kind == "fast" and not 0 < len(description.styles) <= MOST_STYLES:
        raise InputError(f"{path} is damaged: it names {len(description.styles)} styles")
    return description
