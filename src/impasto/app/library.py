"""The example photos and artworks and the gallery's styles, as pictures to choose from."""

from __future__ import annotations

from impasto.pictures import ARTWORKS, FOLDER, PHOTOS, artwork_path
from impasto.stylizers.networks.gallery import gallery


def photos() -> dict[str, str]:
    """The files of the photos by name."""
    return {name: str(path) for name, path in PHOTOS.items()}


def artworks() -> dict[str, str]:
    """The files of the artworks by name."""
    return {name: str(artwork_path(name)) for name in ARTWORKS}


def gallery_styles() -> dict[str, str]:
    """Files that show the portrait in each of the gallery's styles, by name.

    Raises:
        InputError: If this installation has no gallery.
    """
    return {name: str(FOLDER / "styles" / f"{name}.webp") for name in gallery().styles}


def title(name: str) -> str:
    """A name as it stands on the page: "Great wave" for "great-wave"."""
    return name.replace("-", " ").capitalize()
