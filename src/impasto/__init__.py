"""Impasto: neural style transfer. Repaint a photo in the manner of an artwork.

    import impasto

    result = impasto.stylize("photo.jpg", "painting.jpg")
    result.save("out.png")

Names are imported when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

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
    from impasto.stylizers.networks import Arbitrary, ArbitraryOptions, Fast, FastOptions
    from impasto.stylizers.optimize import Optimize

_HOMES = {
    "Arbitrary": "impasto.stylizers.networks",
    "ArbitraryOptions": "impasto.stylizers.networks",
    "Backbone": "impasto.backbones.base",
    "Callback": "impasto.events",
    "Fast": "impasto.stylizers.networks",
    "FastOptions": "impasto.stylizers.networks",
    "ImpastoError": "impasto.errors",
    "InputError": "impasto.errors",
    "MissingExtraError": "impasto.errors",
    "Optimize": "impasto.stylizers.optimize",
    "OptimizeOptions": "impasto.options",
    "Picture": "impasto.image",
    "Result": "impasto.result",
    "Step": "impasto.events",
    "load": "impasto.api",
    "load_backbone": "impasto.backbones",
    "load_image": "impasto.image",
    "pack_style": "impasto.api",
    "read_settings": "impasto.image",
    "save_image": "impasto.image",
    "stylize": "impasto.api",
}

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
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
