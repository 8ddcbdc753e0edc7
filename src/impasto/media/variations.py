"""Variations: small quick pictures with other style weights and forms, on one sheet."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from impasto.errors import InputError
from impasto.image import Picture
from impasto.media.sheet import strip
from impasto.options import PRESETS, OptimizeOptions

MOST = 24
SIDE = 256
# From one style weight to the next.
FACTOR = 3.0


def variations(
    count: int,
    preset: str | None = None,
    *,
    style_weight: float | None = None,
    forms: float | None = None,
) -> list[dict[str, float]]:
    """Style weight and forms of each variation, by name.

    Args:
        count: How many.
        preset: Where they start from.
        style_weight: In the middle of theirs; the preset's if left out.
        forms: Of all of them; those from brushwork to large shapes if left out.

    Raises:
        InputError: If it is no such number.
    """
    if not isinstance(count, int) or not 2 <= count <= MOST:
        raise InputError(f"variations is from 2 to {MOST}, not {count}")
    columns = count if forms is not None else _columns(count)
    rows = math.ceil(count / columns)
    if style_weight is None:
        style_weight = OptimizeOptions.preset(preset or "default").style_weight
    weights = [style_weight * FACTOR ** (column - (columns - 1) / 2) for column in range(columns)]
    every = [
        (form, weight)
        for form in [(row + 0.5) / rows if forms is None else forms for row in range(rows)]
        for weight in weights
    ]
    return [
        {"style_weight": float(f"{weight:.2g}"), "forms": float(f"{form:.2g}")}
        for form, weight in every[:count]
    ]


def quick(max_size: int) -> dict[str, Any]:
    """The options that make variations quick: steps, and a size of no more than this."""
    return {"steps": PRESETS["quick"]["steps"], "max_size": min(SIDE, max_size)}


def contact_sheet(pictures: Sequence[Picture], labels: Sequence[str], count: int) -> Picture:
    """The pictures with their labels, in the rows and columns that ``count`` of them take."""
    return strip(pictures, labels, height=SIDE, columns=_columns(count))


def _columns(count: int) -> int:
    return math.ceil(count / math.floor(math.sqrt(count)))
