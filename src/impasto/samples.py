"""The photo that examples and demonstrations start from. No heavy import here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from impasto.errors import InputError

if TYPE_CHECKING:
    from impasto.image import Picture


def portrait() -> Picture:
    """Grace Hopper in 1984 (photo: United States Navy, public domain), from matplotlib's samples.

    Raises:
        InputError: If matplotlib was installed without its sample data.
    """
    from impasto.image import load_image

    return load_image(portrait_path())


def portrait_path() -> str:
    """The file of the portrait.

    Raises:
        InputError: If matplotlib was installed without its sample data.
    """
    from matplotlib.cbook import get_sample_data

    try:
        return str(get_sample_data("grace_hopper.jpg", asfileobj=False))
    except OSError:
        raise InputError("matplotlib came without its sample photo: install it from PyPI") from None
