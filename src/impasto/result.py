"""The result of a stylizer."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from impasto.image import Picture, save_image

if TYPE_CHECKING:
    import PIL.Image

    from impasto.callbacks import Record


@dataclass(frozen=True)
class Result:
    """A stylized picture and how it was made.

    Attributes:
        picture: The picture, RGB in [0, 1], with the alpha of the content image.
        settings: Everything needed to make it again, with versions and device.
        losses: The weighted loss terms over the run, where the method has any.
        seconds: How long it took.
        stopped: Why the run ended before its last step; None if it did not.
    """

    picture: Picture
    settings: Mapping[str, object]
    losses: Sequence[Record] = field(default=())
    seconds: float = 0.0
    stopped: str | None = None

    @property
    def image(self) -> PIL.Image.Image:
        """The picture as a Pillow image, RGB or RGBA with 8 bits per channel."""
        return self.picture.pil()

    def save(
        self,
        path: str | os.PathLike[str] | BinaryIO,
        *,
        quality: int = 95,
        bits: int = 8,
        format: str | None = None,
        exif: bool = True,
    ) -> None:
        """Write the picture with its settings in the metadata; see ``impasto.save_image``.

        Raises:
            InputError: If it cannot be written there or in this format.
        """
        save_image(
            self.picture,
            path,
            settings=self.settings,
            quality=quality,
            bits=bits,
            format=format,
            exif=exif,
        )
