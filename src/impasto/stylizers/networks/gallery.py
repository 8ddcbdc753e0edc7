"""The models that come with the package, and the names of their styles. No heavy import here."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from impasto.errors import InputError
from impasto.names import nearest
from impasto.stylizers.networks.description import Description, Kind, describe

MODELS = Path(__file__).resolve().parents[2] / "models"


def shipped(kind: Kind) -> Path:
    """The shipped model of a kind.

    Raises:
        InputError: If this installation has none.
    """
    path = MODELS / f"{kind}.safetensors"
    if not path.is_file():
        raise InputError(
            f"this installation has no model for --method {kind}: "
            f"give one with --model, or train it with `impasto train {kind}`"
        )
    return path


@functools.cache
def gallery() -> Description:
    """The shipped per-style network: its styles and who made them.

    Raises:
        InputError: If this installation has none.
    """
    return describe(shipped("fast"))


def is_style(name: str, styles: Sequence[str]) -> bool:
    """Whether a style has this name, ``_`` and ``-`` being alike."""
    return _plain(name) in map(_plain, styles)


def style_index(name: str, styles: Sequence[str]) -> int:
    """The place of a style among those of a model, ``_`` and ``-`` being alike.

    Raises:
        InputError: If there is none of this name, with the nearest names.
    """
    known = [_plain(style) for style in styles]
    if not isinstance(name, str):
        raise InputError(f"styles of this model are names, not {name!r}")
    if _plain(name) in known:
        return known.index(_plain(name))
    raise InputError(f"the model has no style '{name}': {nearest(_plain(name), styles)}")


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-")
