"""What looks at the picture: frozen feature extractors with named layers."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from impasto.backbones.weights import CHECKPOINTS, Checkpoint, find, offline_message
from impasto.errors import InputError

if TYPE_CHECKING:
    from impasto.backbones.base import Backbone

__all__ = ["BACKBONES", "Entry", "load_backbone"]

Pooling = Literal["max", "average"]


@dataclass(frozen=True)
class Entry:
    """A backbone that can be loaded by its name.

    Attributes:
        name: What users call it.
        licence: Attribution and licence, one line.
        load: Makes the backbone from a weights file (None for an embedded one) and a pooling.
        checkpoint: Its weights for download; None if they are embedded in the package.
    """

    name: str
    licence: str
    load: Callable[[Path | None, Pooling], Backbone]
    checkpoint: Checkpoint | None = None


def load_backbone(
    name: str,
    *,
    weights: str | PathLike[str] | None = None,
    pooling: Pooling = "max",
    offline: bool = False,
) -> Backbone:
    """Load a backbone by its name, frozen, in float32, on the CPU.

    Args:
        name: "lite" (embedded), "vgg19" or "vgg16".
        weights: A file with its weights; found or downloaded if left out.
        pooling: "max" as trained, or "average" for smoother pictures (Gatys et al. 2015).
        offline: Never use the network.

    Raises:
        InputError: If the name is unknown, or its weights are unusable or cannot be had.
        ImpastoError: If a download fails midway.
    """
    if name not in BACKBONES:
        near = difflib.get_close_matches(name, BACKBONES, n=3, cutoff=0.4)
        raise InputError(
            f"there is no backbone '{name}': "
            + (f"did you mean {' or '.join(near)}?" if near else f"choose {', '.join(BACKBONES)}")
        )
    if pooling not in ("max", "average"):
        raise InputError(f"there is no pooling '{pooling}': choose max or average")
    entry = BACKBONES[name]
    if entry.checkpoint is None:
        if weights is not None:
            raise InputError(f"the backbone {name} is embedded: it takes no weights file")
        return entry.load(None, pooling)
    path = Path(weights) if weights is not None else find(name)
    if path is None:
        raise InputError(offline_message(name, "offline was asked for"))
    return entry.load(path, pooling)


def _load_lite(_: Path | None, pooling: Pooling) -> Backbone:
    from impasto.backbones.lite import load_lite

    return load_lite(pooling)


def _load_vgg(name: str) -> Callable[[Path | None, Pooling], Backbone]:
    def load(path: Path | None, pooling: Pooling) -> Backbone:
        from impasto.backbones.checkpoints import load_convolutions
        from impasto.backbones.vgg import VGG

        assert path is not None
        _, state = load_convolutions(path, name)
        return VGG(name, state, pooling).freeze()

    return load


BACKBONES: dict[str, Entry] = {
    "lite": Entry("lite", "MIT, part of Impasto", _load_lite),
    **{
        name: Entry(name, checkpoint.licence, _load_vgg(name), checkpoint)
        for name, checkpoint in CHECKPOINTS.items()
    },
}
