"""Backbones: frozen feature extractors with named layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from impasto.backbones.fetch import Progress
from impasto.backbones.published import CHECKPOINTS, Checkpoint
from impasto.backbones.weights import (
    cached_path,
    download,
    embedded_path,
    find,
    unavailable,
)
from impasto.errors import InputError
from impasto.names import nearest

if TYPE_CHECKING:
    import torch

    from impasto.backbones.base import Backbone
    from impasto.options import Pooling

__all__ = ["BACKBONES", "KnownBackbone", "find_entry", "load_backbone", "pick_backbone"]


@dataclass(frozen=True)
class KnownBackbone:
    """A backbone that can be loaded by its name.

    Attributes:
        name: What users call it.
        licence: Attribution and licence, one line.
        load: Makes the backbone from a weights file (None for an embedded one) and a pooling.
        checkpoint: Its weights for download; None if there are none but those in the package.
        embedded: Whether the package brings weights, for want of others.
    """

    name: str
    licence: str
    load: Callable[[Path | None, Pooling], Backbone]
    checkpoint: Checkpoint | None = None
    embedded: bool = False


def pick_backbone(name: str, device: torch.device) -> str:
    """The backbone of this name; for "auto" what suits a device: the quick one on a CPU."""
    if name != "auto":
        return name
    return "lite" if device.type == "cpu" else "vgg16"


def find_entry(name: str) -> KnownBackbone:
    """The registered backbone of this name.

    Raises:
        InputError: If there is none, with the nearest names.
    """
    if name not in BACKBONES:
        raise InputError(f"there is no backbone '{name}': {nearest(name, BACKBONES)}")
    return BACKBONES[name]


def load_backbone(
    name: str,
    *,
    weights: str | PathLike[str] | None = None,
    pooling: Pooling = "max",
    offline: bool = False,
    progress: Progress | None = None,
) -> Backbone:
    """Load a backbone by its name, frozen, in float32, on the CPU.

    Args:
        name: "lite" or "vgg16" (both embedded), or "vgg19".
        weights: A file with its weights; found, embedded or downloaded if left out.
        pooling: "max" as trained, or "average" for smoother pictures (Gatys et al. 2015).
        offline: Never use the network.
        progress: Called during a download with the bytes that are there and those of the whole.

    Raises:
        InputError: If the name is unknown, or its weights are unusable or unavailable.
        ImpastoError: If a download fails midway.
    """
    entry = find_entry(name)
    if pooling not in ("max", "average"):
        raise InputError(f"there is no pooling '{pooling}': choose max or average")
    if entry.checkpoint is None:
        if weights is not None:
            raise InputError(f"the backbone {name} is embedded: it takes no weights file")
        return entry.load(None, pooling)
    path = Path(weights).expanduser() if weights is not None else find(entry.checkpoint)
    if path is None and entry.embedded:
        return entry.load(None, pooling)
    if path is None:
        if offline:
            raise unavailable(name, "and offline nothing is downloaded")
        path = download(entry.checkpoint, progress)
    try:
        return entry.load(path, pooling)
    except InputError as error:
        if path != cached_path(name):
            raise
        raise InputError(f"{error}: `impasto weights download {name}` renews it") from error


def _load_lite(_: Path | None, pooling: Pooling) -> Backbone:
    from impasto.backbones.lite import load_lite

    return load_lite(pooling)


def _load_vgg(name: str) -> Callable[[Path | None, Pooling], Backbone]:
    def load(path: Path | None, pooling: Pooling) -> Backbone:
        from impasto.backbones.checkpoints import load_convolutions
        from impasto.backbones.packed import load_packed
        from impasto.backbones.vgg import VGG

        if path is None:
            state = load_packed(embedded_path(name))
        else:
            _, state = load_convolutions(path, name)
        return VGG(name, state, pooling).freeze()

    return load


OXFORD = "VGG-16 of Oxford's Visual Geometry Group, CC BY 4.0"

BACKBONES: dict[str, KnownBackbone] = {
    "lite": KnownBackbone("lite", f"MIT; distilled from {OXFORD}", _load_lite, embedded=True),
    "vgg16": KnownBackbone(
        "vgg16", OXFORD, _load_vgg("vgg16"), CHECKPOINTS["vgg16"], embedded=True
    ),
    "vgg19": KnownBackbone(
        "vgg19", CHECKPOINTS["vgg19"].licence, _load_vgg("vgg19"), CHECKPOINTS["vgg19"]
    ),
}
