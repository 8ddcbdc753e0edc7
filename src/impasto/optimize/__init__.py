"""The stylizer that optimises the image itself (Gatys, Ecker and Bethge 2016)."""

from impasto.optimize.objective import Guide
from impasto.optimize.stylizer import Optimize

__all__ = ["Guide", "Optimize"]
