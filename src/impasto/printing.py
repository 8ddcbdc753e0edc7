"""Prints: a picture at the size of a sheet of paper that looks like its preview."""

from __future__ import annotations

import dataclasses

from impasto.errors import InputError
from impasto.image import Picture, fit
from impasto.image.prints import Print
from impasto.methods import OPTIONS
from impasto.result import Result


class PrintJob:
    """One photo on its way to a print.

    The optimisation goes on from the preview to the size of the print (``preview_size``). Networks
    paint strokes of a fixed size in pixels: they paint the preview, which is then enlarged.

    Args:
        page: The print.
        method: "optimize", "fast" or "arbitrary".
        photo: (height, width) of the photo.
        preview: The longer side of the preview, in pixels; the method's default if left out.

    Attributes:
        size: (height, width) of the print, in pixels.
        options: What to paint with: ``max_size``, and for "optimize" ``preview_size``.

    Raises:
        InputError: If the preview would be larger than the print.
    """

    def __init__(
        self, page: Print, method: str, photo: tuple[int, int], preview: int | None = None
    ) -> None:
        self.page, self.size = page, page.size(photo)
        longest = max(self.size)
        if preview is not None and not 1 <= preview <= longest:
            raise InputError(
                f"max_size, that of the preview of a print of {longest} px, has to be from 1 to as "
                f"many, not {preview}"
            )
        preview = min(OPTIONS[method].max_size, longest) if preview is None else preview
        self.options = {"max_size": preview}
        if method == "optimize":
            self.options = {"max_size": longest, "preview_size": preview}

    def enlarged(self, photo: Picture) -> Picture:
        """The photo at the size to be painted at."""
        return photo.resized(*fit(self.size, self.options["max_size"]))

    def describe(self) -> str:
        """Its size in pixels and on paper."""
        height, width = self.size
        inches = height / self.page.dpi, width / self.page.dpi
        return f"{width} x {height} px, {2.54 * inches[1]:.1f} x {2.54 * inches[0]:.1f} cm"

    def finished(self, result: Result, *, exif: bool = True) -> Result:
        """The result at the size of the print, whose file will tell the resolution.

        Args:
            result: What was painted.
            exif: Whether it also tells date and camera of the photo.
        """
        picture = self.page.marked(result.picture.resized(*self.size), exif=exif)
        settings = {**result.settings, "print": self.page.text, "dpi": self.page.dpi}
        return dataclasses.replace(result, picture=picture, settings=settings)
