"""The stylizer that optimises the image itself (Gatys, Ecker and Bethge 2016)."""

from impasto.stylizers.optimize.objective import Guide
from impasto.stylizers.optimize.stylizer import Optimize

__all__ = ["Guide", "Optimize"]
