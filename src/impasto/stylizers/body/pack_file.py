"""Packs as files: safetensors with a header that says what they are and of what they were made."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from impasto.errors import InputError
from impasto.files import atomic
from impasto.image import Picture
from impasto.stylizers.body.pack import COLORS, PLACES, Found, StylePack
from impasto.version import __version__

# Of the format: packs of another one are refused.
FORMAT = 3
_NAME = re.compile(r"([^/]+)/(\d{1,5})/([^/]+)")
# Matrices that are symmetric: their upper halves suffice.
_SYMMETRIC = ".second"


def write_pack(pack: StylePack, path: str | Path) -> None:
    """Write a pack, whole or not at all.

    Raises:
        InputError: If the folder does not exist.
        ImpastoError: If it cannot be written.
    """
    from safetensors.numpy import save

    tensors: dict[str, NDArray[Any]] = {
        f"{eye}/{side}/{name}": _packed(name, value)
        for eye, table in pack.tables.items()
        for side, found in table.items()
        for name, value in found.items()
    }
    tensors["colors"] = np.round(pack.colors.rgb * 255).astype(np.uint8)
    header = {
        "impasto_style": FORMAT,
        "version": __version__,
        "marks": dict(pack.marks),
        "sources": list(pack.sources),
    }
    with atomic(path) as temporary:
        temporary.write_bytes(save(tensors, {key: json.dumps(it) for key, it in header.items()}))


def read_pack(path: str | Path, *, name: str | None = None) -> StylePack:
    """Read a pack.

    Args:
        path: The file.
        name: How messages call it; its path if left out.

    Raises:
        InputError: If it is no pack, one of another version of Impasto, or damaged.
    """
    card, tensors = _opened(Path(path))
    try:
        return _built(name or str(path), card, tensors)
    except (LookupError, ValueError, TypeError, AttributeError, InputError) as error:
        raise InputError(f"{path} is damaged: its contents do not fit its header") from error


def _opened(path: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Header and tensors of a file."""
    from safetensors import SafetensorError, safe_open

    if not path.is_file():
        raise InputError(f"there is no style pack {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise InputError(f"{path} is truncated or no style pack ({error})") from error
    if "impasto_style" not in header:
        raise InputError(f"{path} is no style pack: `impasto style pack` writes them")
    try:
        card = {key: json.loads(value) for key, value in header.items()}
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is damaged: its header cannot be read") from error
    if card["impasto_style"] != FORMAT:
        raise InputError(
            f"{path} is a style pack of format {card['impasto_style']!r}, this Impasto reads "
            f"{FORMAT}: pack its pictures again with `impasto style pack`"
        )
    return card, tensors


def _built(name: str, card: Mapping[str, Any], tensors: dict[str, NDArray[Any]]) -> StylePack:
    """The pack of a header and tensors, all of them checked.

    Raises:
        LookupError, ValueError, TypeError, AttributeError, InputError: If something is wrong.
    """
    colors = tensors.pop("colors")
    if colors.dtype != np.uint8 or colors.shape != (COLORS, COLORS, 3):
        raise ValueError("colors")
    marks = {str(eye): str(mark) for eye, mark in card["marks"].items()}
    tables: dict[str, dict[int, dict[str, Any]]] = {eye: {} for eye in marks}
    for key, value in tensors.items():
        found = _NAME.fullmatch(key)
        kind = np.float16 if key.endswith(PLACES) else np.float32
        if not found or value.dtype != kind or not np.isfinite(value).all():
            raise ValueError(key)
        eye, side, what = found.groups()
        tables[eye].setdefault(int(side), {})[what] = _unpacked(what, value)
    for table in tables.values():
        kinds = [_shapes(one) for one in table.values()]
        if min(table) < 1 or any(kind != kinds[0] for kind in kinds):
            raise ValueError("sizes")
    rgb = colors.astype(np.float32) / np.float32(255)
    sources = tuple(map(str, card["sources"]))
    whole: dict[str, dict[int, Found]] = {eye: {**table} for eye, table in tables.items()}
    return StylePack(name, Picture(rgb, name=name), marks, whole, sources)


def _shapes(found: Found) -> dict[str, tuple[int, ...]]:
    """The shapes of what was seen, but for the number of places, which may differ by size.

    Raises:
        ValueError: If layers differ in their places, or their channels from those of the means.
    """
    places = {name: value for name, value in found.items() if name.endswith(PLACES)}
    count = max(map(len, places.values()), default=0)
    for name, value in places.items():
        channels = found[name.removesuffix(PLACES) + ".mean"].shape
        if not count or value.shape != (count, *channels):
            raise ValueError(name)
    return {name: value.shape[name in places :] for name, value in found.items()}


def _packed(name: str, value: NDArray[Any]) -> NDArray[Any]:
    if name.endswith(PLACES):
        return value.astype(np.float16)
    if not name.endswith(_SYMMETRIC):
        return np.ascontiguousarray(value)
    rows, columns = np.triu_indices(value.shape[-1])
    return np.ascontiguousarray(value[..., rows, columns])


def _unpacked(name: str, value: NDArray[Any]) -> NDArray[Any]:
    """What was packed.

    Raises:
        ValueError: If it is no half of a matrix.
    """
    if name.endswith(PLACES):
        return value.astype(np.float32)
    if not name.endswith(_SYMMETRIC):
        return value
    side = int((8 * value.shape[-1] + 1) ** 0.5 - 1) // 2
    if side * (side + 1) // 2 != value.shape[-1]:
        raise ValueError(name)
    whole = np.zeros((*value.shape[:-1], side, side), value.dtype)
    rows, columns = np.triu_indices(side)
    whole[..., rows, columns] = value
    whole[..., columns, rows] = value
    return whole
