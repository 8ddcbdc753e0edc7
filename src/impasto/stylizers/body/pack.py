"""A style pack: what is kept of a body of work, and what looks at pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from impasto.errors import InputError
from impasto.image import Picture, fit, load_image
from impasto.image.picture import Floats

SUFFIX = ".style"
# Side of the square of colours that stand for all of the pictures'.
COLORS = 128

# Statistics by name, all of them means over positions.
Found = Mapping[str, Floats]


class Eye(Protocol):
    """What looks at pictures: a backbone, or the encoder of a network."""

    @property
    def name(self) -> str:
        """How messages and packs call it."""

    @property
    def mark(self) -> str:
        """Changes when it would see something else."""

    @property
    def smallest(self) -> int:
        """The shortest side of a picture that it can look at, in pixels."""

    def look(self, picture: Picture) -> Found:
        """The statistics of a picture; what is transparent does not count."""


@dataclass(frozen=True, eq=False)
class StylePack:
    """The pooled statistics of a body of work.

    Attributes:
        name: How messages call it.
        colors: Some of the pictures' colours, each picture with a share that is its area's.
        marks: By the name of an eye the mark that it had.
        tables: By the name of an eye and longer side in pixels its statistics.
        sources: Names of the pictures.
        works: The pictures themselves, where they are at hand.
    """

    name: str
    colors: Picture
    marks: Mapping[str, str]
    tables: Mapping[str, Mapping[int, Found]]
    sources: tuple[str, ...]
    works: tuple[Path, ...] = ()

    def at(self, eye: str, side: float) -> dict[str, Floats]:
        """What an eye sees of pictures with a longer side in pixels.

        Between two sizes that were looked at both are mixed; beyond the largest it is that, as
        artworks are never enlarged.
        """
        table = self.tables[eye]
        below = max((size for size in table if size <= side), default=min(table))
        above = min((size for size in table if size >= side), default=max(table))
        share = math.log(side / below) / math.log(above / below) if below < above else 0.0
        return {
            name: (1 - share) * value + share * table[above][name]
            for name, value in table[below].items()
        }

    def pictures(self, eye: Eye, side: int) -> Iterator[Picture]:
        """The works with a longer side in pixels, those that have it, as ``at`` looks at them.

        Raises:
            InputError: If one cannot be read any more.
        """
        side = min(side, max(self.tables[eye.name]))
        for path in self.works:
            picture = load_image(path)
            if max(picture.size) >= side:
                yield picture.resized(*artwork_size(picture.size, side, eye.smallest))

    def check(self, eye: Eye) -> None:
        """Raise InputError if it does not hold what an eye would see."""
        if eye.name not in self.tables:
            held = ", ".join(self.tables)
            raise InputError(
                f"{self.name} holds statistics of {held}, not of {eye.name}: pack its pictures "
                "again with `impasto style pack`"
            )
        expected = {name: value.shape for name, value in eye.look(blank(eye.smallest)).items()}
        for found in self.tables[eye.name].values():
            for name, shape in expected.items():
                if name not in found:
                    layer = name.partition(".")[0]
                    raise InputError(f"{self.name} holds no statistics of {eye.name}'s {layer}")
                if self.marks[eye.name] != eye.mark or found[name].shape != shape:
                    raise InputError(
                        f"{self.name} was made with another {eye.name} (weights or pooling): "
                        "pack its pictures again with `impasto style pack`"
                    )


@dataclass(frozen=True)
class Works:
    """Pictures that count as one style, as those of a folder do; nothing of them is cached.

    Attributes:
        name: How messages call them.
        files: The pictures.
    """

    name: str
    files: tuple[Path, ...]


def is_pooled(style: Any) -> bool:
    """Whether a style is many pictures or a pack."""
    if isinstance(style, (StylePack, Works)):
        return True
    if not isinstance(style, (str, os.PathLike)) or "\0" in os.fspath(style):
        return False
    return Path(style).suffix.lower() == SUFFIX or Path(style).is_dir()


def colors_of(style: Picture | StylePack) -> Picture:
    """A picture with the colours of an artwork or of a body of work."""
    return style.colors if isinstance(style, StylePack) else style


def artwork_size(size: tuple[int, int], side: int, smallest: int) -> tuple[int, int]:
    """The (height, width) with which an artwork is looked at: its own aspect, never enlarged.

    Args:
        size: (height, width) of the artwork.
        side: The longer side that is wanted.
        smallest: The shorter side that it must have, which a long, narrow artwork keeps.
    """
    return fit(size, max(side, -(-smallest * max(size) // min(size))))


def blank(side: int) -> Picture:
    """A grey picture, to learn of what shapes the statistics are."""
    return Picture(np.full((side, side, 3), 0.5, np.float32))
