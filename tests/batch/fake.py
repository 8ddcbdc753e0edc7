"""A stylizer for tests: quick, and it fails or is interrupted when it is told to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from impasto.batch import Setup
from impasto.errors import ImpastoError
from impasto.events import Callback
from impasto.image import Picture, save_image
from impasto.stylizers.base import Painted, Stylizer
from impasto.stylizers.networks.options import FastOptions
from impasto.stylizers.order import Order

if TYPE_CHECKING:
    from torch import Tensor


def write_photos(folder: Path, names: list[str]) -> None:
    """Small pictures, each of one colour."""
    random = np.random.default_rng(0)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        rgb = np.broadcast_to(random.random(3, np.float32), (24, 32, 3))
        save_image(Picture(np.ascontiguousarray(rgb)), folder / name)


class Negative(Stylizer[FastOptions]):
    """Turns colours round."""

    method = "negative"
    options = FastOptions()

    def _load_styles(self, sources: Sequence[Any]) -> list[Any]:
        if "failing" in sources:
            raise ImpastoError("no style of this kind")
        return list(sources)

    def _coloured(self, order: Order) -> Sequence[Any]:
        return order.styles

    def _paint(self, order: Order, _callbacks: Sequence[Callback]) -> Painted:
        (style,) = order.styles
        if style == "interrupting":
            return Painted(order.photo, {}, stopped="interrupted")
        if style == "odd":
            raise ZeroDivisionError("division by zero")
        return Painted(Picture(1 - order.photo.rgb), {"style": style})

    def _apply(self, images: Tensor) -> Tensor:
        return 1 - images


def setup(**settings: object) -> Setup:
    """How to make negatives."""
    return Setup(Negative, settings, by_name=True)
