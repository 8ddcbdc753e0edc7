"""Feature maps, Gram matrices and receptive fields of a backbone.

Drawn on matplotlib's figure objects, without pyplot, so that no global state is touched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from impasto.backbones.base import Backbone, ReceptiveField
from impasto.errors import InputError
from impasto.explain.plots import INK, MUTED, check_plot, new_figure, save_figure
from impasto.image import Picture
from impasto.losses import moments

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# More channels than these make a Gram matrix too fine to be read.
GRAM_CHANNELS = 32
# Maps of taller pictures are drawn narrower than their cell, or the figure would have no end.
TALLEST = 4


def receptive_field(backbone: Backbone, layer: str) -> ReceptiveField:
    """The receptive field of a layer.

    Raises:
        InputError: If the layer is unknown, or the backbone is no VGG.
    """
    backbone.check([layer])
    field = backbone.receptive_field(layer)
    if field is None:
        raise InputError(f"the receptive fields of {backbone.name} are not known: it is no VGG")
    return field


@torch.no_grad()
def feature_maps(backbone: Backbone, picture: Picture, layers: Sequence[str]) -> dict[str, Tensor]:
    """The feature maps ``(C, h, w)`` of a picture by layer, in the order given.

    Raises:
        InputError: If a layer is unknown or the picture too small.
    """
    maps = backbone(picture.tensor(), layers)
    return {layer: maps[layer][0] for layer in layers}


def strongest(maps: Tensor, count: int) -> list[int]:
    """The channels of ``(C, h, w)`` that vary most over the picture, the strongest first."""
    spread = maps.flatten(1).var(dim=1, correction=0)
    return [int(i) for i in spread.argsort(descending=True)[:count]]


def plot_maps(maps: Mapping[str, Tensor], path: str | Path, channels: int = 8) -> None:
    """Draw the strongest channels of each layer: a row a layer, captioned with their numbers.

    Maps of ReLUs, never below 0, run from black to light; signed ones (those before a ReLU, and
    all of ``lite``) from blue over white at 0 to red. Each map is stretched to its own range.

    Args:
        maps: Feature maps ``(C, h, w)`` by layer.
        path: A file ending in .png, .svg or .pdf, written whole or not at all.
        channels: How many of each layer.

    Raises:
        InputError: If the suffix is another one or ``channels`` is less than 1.
        MissingExtraError: If matplotlib is not installed.
    """
    check_plot(path)
    if channels < 1:
        raise InputError(f"channels has to be at least 1, not {channels}")
    height, width = next(iter(maps.values())).shape[1:]
    across = min(channels, max(len(layer) for layer in maps.values()))
    aspect = min(height / width, TALLEST)
    figure = new_figure(1.3 * across + 1.2, (1.3 * aspect + 0.25) * len(maps))
    axes = figure.subplots(len(maps), across, squeeze=False)
    for row, (layer, planes) in zip(axes, maps.items(), strict=True):
        chosen, signed = strongest(planes, across), bool(planes.min() < 0)
        for cell in row:
            cell.set(xticks=[], yticks=[])
            cell.set_frame_on(False)
        for cell, channel in zip(row, chosen, strict=False):
            _draw_map(cell, planes[channel], signed)
            cell.set_title(str(channel), fontsize=7, color=MUTED, pad=2)
        count, h, w = planes.shape
        _label(row[0], layer, f"{count} channels\n{w} \N{MULTIPLICATION SIGN} {h}")
    save_figure(figure, path)


def plot_grams(maps: Mapping[str, Tensor], path: str | Path) -> None:
    """Draw the Gram matrix of each layer as a heat map.

    Red: two features that occur together; blue (signed maps only): one occurs where the other
    is negative. Of many channels only the strongest are drawn, sorted by strength. Colours
    follow the square root of the entries, or the diagonal would hide all others.

    Args:
        maps: Feature maps ``(C, h, w)`` by layer.
        path: A file ending in .png, .svg or .pdf, written whole or not at all.

    Raises:
        InputError: If the suffix is another one.
        MissingExtraError: If matplotlib is not installed.
    """
    check_plot(path)
    figure = new_figure(2.3 * len(maps) + 0.4, 2.7)
    axes = figure.subplots(1, len(maps), squeeze=False)[0]
    image = None
    for cell, (layer, planes) in zip(axes, maps.items(), strict=True):
        gram = moments(planes[None].float()).second[0]
        order = gram.diagonal().argsort(descending=True)[:GRAM_CHANNELS]
        shown = gram[order][:, order]
        rooted = shown.sign() * (shown.abs() / shown.abs().amax().clamp_min(1e-12)).sqrt()
        image = cell.imshow(rooted.numpy(), cmap="RdBu_r", vmin=-1, vmax=1)
        cell.set(xticks=[], yticks=[])
        cell.set_title(layer, fontsize=10, color=INK)
        count = len(planes)
        which = f"{len(order)} strongest of {count}" if len(order) < count else f"all {count}"
        cell.set_xlabel(f"{which} channels", fontsize=8, color=MUTED)
        cell.spines[:].set_visible(False)
    assert image is not None
    bar = figure.colorbar(image, ax=list(axes), shrink=0.75, ticks=[-1, 0, 1], pad=0.01)
    bar.ax.tick_params(labelsize=8, colors=MUTED, length=0)
    bar.set_label("root of the share of the largest", fontsize=8, color=MUTED)
    bar.outline.set_visible(False)
    save_figure(figure, path)


def _draw_map(cell: Axes, plane: Tensor, signed: bool) -> None:
    values = plane.float().numpy()
    if signed:
        limit = abs(values).max()
        cell.imshow(values, cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
    else:
        cell.imshow(values, cmap="magma", interpolation="nearest")


def _label(cell: Axes, layer: str, details: str) -> None:
    place: dict[str, Any] = {
        "xycoords": "axes fraction",
        "textcoords": "offset points",
        "ha": "right",
    }
    cell.annotate(layer, (0, 0.5), xytext=(-8, 4), fontsize=10, color=INK, **place)
    cell.annotate(details, (0, 0.5), xytext=(-8, -2), fontsize=7.5, color=MUTED, va="top", **place)
