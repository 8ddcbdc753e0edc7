"""The example artworks and the gallery's styles, as pictures to choose from."""

from __future__ import annotations

from pathlib import Path

from impasto.artworks import names
from impasto.networks.gallery import gallery

# Drawing some of the artworks takes half a minute, so they come along as files, made with
# ``impasto.artworks`` and the shipped networks.
FOLDER = Path(__file__).parent / "pictures"


def artworks() -> dict[str, str]:
    """The files of the artworks by name."""
    return {name: str(FOLDER / "artworks" / f"{name}.webp") for name in names()}


def gallery_styles() -> dict[str, str]:
    """Files that show the portrait in each of the gallery's styles, by name.

    Raises:
        InputError: If this installation has no gallery.
    """
    return {name: str(FOLDER / "styles" / f"{name}.webp") for name in gallery().styles}


def title(name: str) -> str:
    """A name as it stands on the page: "Great wave" for "great-wave"."""
    return name.replace("-", " ").capitalize()
