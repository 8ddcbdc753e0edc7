"""A style pack: what is kept of a body of work, and what looks at pictures."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from impasto.errors import InputError
from impasto.image import Picture, fit
from impasto.image.picture import Floats

SUFFIX = ".style"
# Side of the square of colours that stand for all of the pictures'.
COLORS = 128
# The end of the names of what is seen at single places, which stand for all of the pictures': rows
# of floats. Everything else is a mean over positions.
PLACES = ".places"
# So many of them are kept for each size. With four times as many, hypercolumns of the painted
# picture come nearer to their matches by 2 %, which nobody sees.
MOST_PLACES = 1024

# Statistics by name.
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

    def look(self, picture: Picture, places: int = 0) -> Found:
        """The statistics of a picture; what is transparent does not count.

        Args:
            picture: The picture.
            places: How many places are to stand for it, where the eye compares such.
        """


@dataclass(frozen=True, eq=False)
class StylePack:
    """The pooled statistics of a body of work.

    Attributes:
        name: How messages call it.
        colors: Some of the pictures' colours, each picture with a share that is its area's.
        marks: By the name of an eye the mark that it had.
        tables: By the name of an eye and longer side in pixels its statistics.
        sources: Names of the pictures.
    """

    name: str
    colors: Picture
    marks: Mapping[str, str]
    tables: Mapping[str, Mapping[int, Found]]
    sources: tuple[str, ...]

    def at(self, eye: str, side: float) -> dict[str, Floats]:
        """What an eye sees of pictures with a longer side in pixels.

        Between two sizes that were looked at both are mixed, of places a share of both is taken;
        beyond the largest it is that, as artworks are never enlarged.
        """
        table = self.tables[eye]
        below = max((size for size in table if size <= side), default=min(table))
        above = min((size for size in table if size >= side), default=max(table))
        share = math.log(side / below) / math.log(above / below) if below < above else 0.0
        return {
            name: _mixed(name, value, table[above][name], share)
            for name, value in table[below].items()
        }

    def check(self, eye: Eye) -> None:
        """Raise InputError if it does not hold what an eye would see."""
        if eye.name not in self.tables:
            held = ", ".join(self.tables)
            raise InputError(
                f"{self.name} holds statistics of {held}, not of {eye.name}: pack its pictures "
                "again with `impasto style pack`"
            )
        expected = eye.look(blank(eye.smallest), 1)
        for found in self.tables[eye.name].values():
            for name, value in expected.items():
                if name not in found:
                    layer = name.partition(".")[0]
                    raise InputError(f"{self.name} holds no statistics of {eye.name}'s {layer}")
                of_place = int(name.endswith(PLACES))
                fits = found[name].shape[of_place:] == value.shape[of_place:]
                if self.marks[eye.name] != eye.mark or not fits:
                    raise InputError(
                        f"{self.name} was made with another {eye.name} (weights or pooling): "
                        "pack its pictures again with `impasto style pack`"
                    )


@dataclass(frozen=True)
class Works:
    """Pictures that count as one style, as those of a folder do; nothing of them is cached.

    Attributes:
        name: How messages call them.
        pictures: The pictures, or their files.
    """

    name: str
    pictures: tuple[Path | Picture, ...]


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


class Pool:
    """The mean of statistics, weighted, added up in float64; and all of the places."""

    def __init__(self) -> None:
        self.total = 0.0
        self.sums: dict[str, Any] = {}
        self.places: dict[str, list[Floats]] = {}

    def add(self, found: Found, weight: float) -> None:
        """Add what was seen of a picture that counts for so much."""
        self.total += weight
        for name, value in found.items():
            if name.endswith(PLACES):
                self.places.setdefault(name, []).append(value)
            else:
                self.sums[name] = self.sums.get(name, 0.0) + weight * value.astype(np.float64)

    def pooled(self) -> Found:
        """What stands for all that was added."""
        means = {name: (sum / self.total).astype(np.float32) for name, sum in self.sums.items()}
        # As packs keep them, so that what was just looked at paints as its file will.
        return means | {
            name: np.concatenate(rows).astype(np.float16).astype(np.float32)
            for name, rows in self.places.items()
        }


def visible_area(picture: Picture) -> float:
    """The visible pixels of a picture."""
    return float(math.prod(picture.size) if picture.alpha is None else picture.alpha.sum())


def shares(total: int, areas: Sequence[float]) -> list[int]:
    """A number divided among areas: whole numbers that add up to it."""
    ends = np.round(total * np.cumsum(areas) / sum(areas)).astype(int)
    return [int(share) for share in np.diff(ends, prepend=0)]


def _mixed(name: str, one: Floats, other: Floats, share: float) -> Floats:
    """Statistics of a name between those of two sizes, or places of both, evenly spread."""
    if not name.endswith(PLACES):
        return (1 - share) * one + share * other
    parts = [(one, max(1, round((1 - share) * len(one)))), (other, round(share * len(other)))]
    return np.concatenate([rows[np.arange(n) * len(rows) // max(1, n)] for rows, n in parts])


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
