"""The models that come with the package, and the names of their styles."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from impasto.errors import InputError

MODELS = Path(__file__).resolve().parents[1] / "models"


def shipped(kind: str) -> Path:
    """The shipped model of a kind, "fast" or "arbitrary".

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


def style_index(name: str, styles: Sequence[str]) -> int:
    """The place of a style among those of a model, ``_`` and ``-`` being alike.

    Raises:
        InputError: If there is none of this name, with the nearest names.
    """
    known = [_plain(style) for style in styles]
    if _plain(name) in known:
        return known.index(_plain(name))
    near = difflib.get_close_matches(_plain(name), known, n=3, cutoff=0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"choose {', '.join(styles)}"
    raise InputError(f"the model has no style '{name}': {hint}")


def _plain(name: str) -> str:
    return name.strip().lower().replace("_", "-")
