"""Variations: what is varied, and the sheet."""

from __future__ import annotations

import numpy as np
import pytest

from impasto.errors import InputError
from impasto.image import Picture
from impasto.media.variations import SIDE, contact_sheet, variations
from impasto.options import PRESETS, OptimizeOptions


def test_what_is_varied_lies_about_what_was_given() -> None:
    six = variations(6)
    assert sorted({each["forms"] for each in six}) == [0.25, 0.75]
    weights = sorted({each["style_weight"] for each in six})
    middle = OptimizeOptions.style_weight
    assert weights == [float(f"{middle * factor:.2g}") for factor in (1 / 3, 1, 3)]
    fixed = variations(3, forms=0.1, style_weight=2.0)
    assert fixed == [{"style_weight": w, "forms": 0.1} for w in (0.67, 2.0, 6.0)]
    best = variations(2, "best")
    assert best[0]["style_weight"] < PRESETS["best"]["style_weight"] < best[1]["style_weight"]
    for count in range(2, 25):
        assert len({tuple(each.values()) for each in variations(count)}) == count


@pytest.mark.parametrize("count", [-1, 0, 1, 25, 2.5, None])
def test_other_numbers_are_refused(count: int) -> None:
    with pytest.raises(InputError, match="from 2 to 24"):
        variations(count)


def test_an_unfinished_sheet_keeps_its_columns() -> None:
    grey = Picture(np.full((8, 8, 3), 0.5, np.float32))
    height, width = contact_sheet([grey] * 4, ["a"] * 4, 6).size
    assert 2 * SIDE < height < width
    assert 3 * SIDE < width < 4 * SIDE
