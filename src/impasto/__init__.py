"""Impasto: neural style transfer. Repaint a photo in the manner of an artwork.

    import impasto

    result = impasto.stylize("photo.jpg", "painting.jpg")
    result.save("out.png")

Names are imported when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from impasto.errors import torch_needed
from impasto.version import __version__

if TYPE_CHECKING:
    from impasto.api import load, pack_style, stylize
    from impasto.backbones import load_backbone
    from impasto.backbones.base import Backbone
    from impasto.errors import ImpastoError, InputError, MissingExtraError
    from impasto.events import Callback, Step
    from impasto.image import Picture, load_image, read_settings, save_image
    from impasto.options import OptimizeOptions
    from impasto.result import Result
    from impasto.stylizers.networks.options import ArbitraryOptions, FastOptions
    from impasto.stylizers.networks.stylizer import Arbitrary, Fast
    from impasto.stylizers.optimize import Optimize

_NAMES = {
    "impasto.api": ("load", "pack_style", "stylize"),
    "impasto.backbones": ("load_backbone",),
    "impasto.backbones.base": ("Backbone",),
    "impasto.errors": ("ImpastoError", "InputError", "MissingExtraError"),
    "impasto.events": ("Callback", "Step"),
    "impasto.image": ("Picture", "load_image", "read_settings", "save_image"),
    "impasto.options": ("OptimizeOptions",),
    "impasto.result": ("Result",),
    "impasto.stylizers.networks.options": ("ArbitraryOptions", "FastOptions"),
    "impasto.stylizers.networks.stylizer": ("Arbitrary", "Fast"),
    "impasto.stylizers.optimize": ("Optimize",),
}
_HOMES = {name: home for home, names in _NAMES.items() for name in names}

__all__ = [
    "Arbitrary",
    "ArbitraryOptions",
    "Backbone",
    "Callback",
    "Fast",
    "FastOptions",
    "ImpastoError",
    "InputError",
    "MissingExtraError",
    "Optimize",
    "OptimizeOptions",
    "Picture",
    "Result",
    "Step",
    "__version__",
    "load",
    "load_backbone",
    "load_image",
    "pack_style",
    "read_settings",
    "save_image",
    "stylize",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'impasto' has no attribute '{name}'")
    with torch_needed():
        return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
