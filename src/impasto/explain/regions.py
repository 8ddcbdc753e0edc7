"""The regions that are found in a photo and an artwork, drawn side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from impasto.explain.plots import MUTED, check_plot, new_figure, save_figure
from impasto.image import Picture
from impasto.image.picture import Floats
from impasto.stylizers.pairing import Pairing

# As many as there can be regions; told apart by all kinds of eyes (Tol 2021, "bright" and "muted").
COLORS = (
    "#4477aa",
    "#ee6677",
    "#228833",
    "#ccbb44",
    "#66ccee",
    "#aa3377",
    "#bbbbbb",
    "#882255",
)
# Regions in a line of the legend.
LEGEND = 2
# Of the colour in what is drawn; the rest is the picture in grey.
TINT = 0.6


def plot_regions(photo: Picture, pairing: Pairing, path: str | Path) -> None:
    """Draw photo and artwork, each beside its regions; those that are paired have one colour.

    Args:
        photo: The photo.
        pairing: Its regions and the artwork's.
        path: A file ending in .png, .svg or .pdf, written whole or not at all.

    Raises:
        InputError: If the suffix is another one.
        MissingExtraError: If matplotlib is not installed.
    """
    check_plot(path)
    regions, artwork = pairing.regions(photo), pairing.artwork
    drawn = {
        "photo": photo.rgb,
        "its regions": tinted(photo, regions),
        "the artwork's": tinted(artwork, pairing.parts),
        "artwork": artwork.rgb,
    }
    widths = [pixels.shape[1] / pixels.shape[0] for pixels in drawn.values()]
    rows = -(-len(regions) // LEGEND)
    figure = new_figure(2.2 * sum(widths) + 0.4, 2.6 + 0.2 * rows)
    cells = figure.subplots(1, len(drawn), width_ratios=widths)
    for cell, (name, pixels) in zip(cells, drawn.items(), strict=True):
        cell.imshow(np.clip(pixels, 0, 1))
        cell.set_title(name, fontsize=9, color=MUTED)
        cell.set_axis_off()
    from matplotlib.patches import Patch

    shares = zip(COLORS, regions, pairing.parts, strict=False)
    patches = [
        Patch(
            color=color, label=f"{here.mean():.0%} of the photo, {there.mean():.0%} of the artwork"
        )
        for color, here, there in shares
    ]
    figure.legend(
        handles=patches, loc="outside lower center", ncols=LEGEND, fontsize=8, frameon=False
    )
    save_figure(figure, path)


def tinted(picture: Picture, masks: Sequence[Floats]) -> Floats:
    """A picture in grey with its regions in their colours, ``(H, W, 3)``."""
    colors = [[int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)] for color in COLORS]
    tint = np.tensordot(np.stack(masks, axis=2), np.array(colors[: len(masks)], np.float32), 1)
    grey = picture.rgb.mean(axis=2, keepdims=True)
    mixed: Floats = TINT * tint + (1 - TINT) * grey
    return mixed
