"""Files to pictures and back: load, resize and save images."""

from impasto.image.kinds import suffixes
from impasto.image.masks import load_mask
from impasto.image.picture import Picture, fit
from impasto.image.reading import ImageSource, as_list, load_image, read_settings
from impasto.image.saving import check_writable, save_image

__all__ = [
    "ImageSource",
    "Picture",
    "as_list",
    "check_writable",
    "fit",
    "load_image",
    "load_mask",
    "read_settings",
    "save_image",
    "suffixes",
]
