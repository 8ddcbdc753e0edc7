"""A body of work as a style: the pooled statistics of many pictures, and packs of them."""

from impasto.stylizers.body.folder import load_pooled
from impasto.stylizers.body.pack import StylePack, Works, colors_of, is_pooled

__all__ = ["StylePack", "Works", "colors_of", "is_pooled", "load_pooled"]
