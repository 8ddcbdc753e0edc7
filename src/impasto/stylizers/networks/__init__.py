"""Networks that repaint a picture in one pass: per style, and for any style."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from impasto.stylizers.networks.options import ArbitraryOptions, FastOptions
    from impasto.stylizers.networks.stylizer import Arbitrary, Fast

_HOMES = {
    "Arbitrary": "impasto.stylizers.networks.stylizer",
    "ArbitraryOptions": "impasto.stylizers.networks.options",
    "Fast": "impasto.stylizers.networks.stylizer",
    "FastOptions": "impasto.stylizers.networks.options",
}

__all__ = ["Arbitrary", "ArbitraryOptions", "Fast", "FastOptions"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'impasto.stylizers.networks' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOMES[name]), name)
