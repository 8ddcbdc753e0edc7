"""The description of a model file, read without its weights and without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from impasto.errors import InputError
from impasto.keywords import File
from impasto.version import __version__

Kind = Literal["fast", "arbitrary"]

MOST_STYLES = 10_000


@dataclass(frozen=True)
class Architecture:
    """The measures of a painter.

    Attributes:
        width: Channels at full resolution; twice as many at a half, four times at a quarter.
        blocks: Residual blocks, at a quarter of the resolution.

    Raises:
        InputError: If a measure is not a whole number within its bounds.
    """

    width: int = 16
    blocks: int = 5

    def __post_init__(self) -> None:
        for name, least, most in (("width", 1, 256), ("blocks", 0, 64)):
            value = getattr(self, name)
            if type(value) is not int or not least <= value <= most:
                raise InputError(f"{name} has to be from {least} to {most}, not {value!r}")


@dataclass(frozen=True)
class Description:
    """The description that a model file holds.

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


def describe(path: File) -> Description:
    """Read the description of a model file.

    Raises:
        InputError: If it is no model of Impasto.
    """
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise InputError(f"there is no model file {path}")
    try:
        with safe_open(path, framework="numpy") as file:
            header = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is truncated or not a safetensors file ({error})") from error
    return _parse(header, path)


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
