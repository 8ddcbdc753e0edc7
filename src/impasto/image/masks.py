"""Masks: where a picture is painted, and which of its pixels belong to a region."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np

from impasto.errors import InputError
from impasto.image.picture import Floats, Picture, resample
from impasto.image.reading import ImageSource, load_image

# A mask may be this much longer or shorter than the picture's aspect asks for.
_ASPECT_SLACK = 0.02


def load_mask(source: ImageSource, picture: Picture) -> Floats:
    """Read a mask for a picture from anything that holds an image, or a boolean array.

    White belongs to the mask, black does not, and shades of grey do in part. Transparent parts
    count as black.

    Args:
        source: The mask at any size, with the aspect of the picture.
        picture: What it is for.

    Returns:
        ``(H, W)`` float32 in [0, 1], at the size of the picture.

    Raises:
        InputError: If the source cannot be read, has another aspect or is black all over.
    """
    mask = load_grey(source, picture)
    if not mask.any():
        raise InputError(f"the mask {name_of(source)} is black all over: white says where")
    return mask


def load_grey(source: ImageSource, picture: Picture, what: str = "mask") -> Floats:
    """Read a mask, or a map, as ``load_mask`` does, but one that may be black all over.

    Args:
        source: As for ``load_mask``.
        picture: What it is for.
        what: How the message calls it.

    Raises:
        InputError: If the source cannot be read or has another aspect.
    """
    image = open_mask(source)
    (height, width), (rows, columns) = image.size, picture.size
    expected = rows * width / columns
    if abs(height - expected) > 1 + _ASPECT_SLACK * expected:
        raise InputError(
            f"the {what} {image.name} is {width} x {height} px, {picture.name} {columns} x {rows}: "
            f"a {what} has to have the shape of its picture"
        )
    brightness = image.rgb.mean(axis=2)
    return resized(brightness if image.alpha is None else brightness * image.alpha, rows, columns)


def open_mask(source: ImageSource) -> Picture:
    """Read the picture of a mask or a map at its own size; boolean arrays are 0 and 1.

    Raises:
        InputError: If it cannot be read.
    """
    if isinstance(source, np.ndarray) and source.dtype == bool:
        source = source.astype(np.float32)
    return load_image(source)


def load_painted(source: ImageSource | None, photo: Picture) -> Floats | None:
    """Read the mask that says where a photo is painted; None: everywhere.

    Raises:
        InputError: If the mask cannot be used, or nothing that is painted would be seen.
    """
    mask = None if source is None else load_mask(source, photo)
    must_be_seen(photo)
    if mask is None or (mask == 1).all():
        return None
    if photo.alpha is not None and not (photo.alpha * mask).any():
        raise InputError(f"nothing to paint: nothing of {photo.name} is visible within its mask")
    return mask


def must_be_seen(picture: Picture) -> None:
    """Raise InputError if a picture is fully transparent."""
    if picture.alpha is not None and not picture.alpha.any():
        raise InputError(f"{picture.name} is fully transparent: there is nothing to see")


def name_of(source: ImageSource) -> str:
    """How settings call a mask."""
    if isinstance(source, (str, os.PathLike)):
        return os.fspath(source)
    return str(getattr(source, "name", "image"))


def resized(mask: Floats, height: int, width: int) -> Floats:
    """Return a mask at another size, in pixels."""
    if mask.shape == (height, width):
        return mask
    return resample(mask[..., None], height, width)[..., 0]


def weighted(picture: Picture, mask: Floats | None) -> Picture:
    """Return a picture that is visible within a mask only: its alpha times the mask."""
    if mask is None:
        return picture
    return replace(picture, alpha=mask if picture.alpha is None else picture.alpha * mask)


def composite(painted: Picture, photo: Picture, mask: Floats | None) -> Picture:
    """Lay a painted picture over the photo where a mask says: mask 0 is the photo, exactly.

    Args:
        painted: At the size of the photo; its alpha is kept.
        photo: What stays where the mask is 0; the result has its origin.
        mask: ``(H, W)`` in [0, 1]; None is 1 everywhere.
    """
    painted = replace(painted, origin=photo.origin)
    if mask is None:
        return painted
    share = mask[..., None]
    return replace(painted, rgb=share * painted.rgb + (1 - share) * photo.rgb)
