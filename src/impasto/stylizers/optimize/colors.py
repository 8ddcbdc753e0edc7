"""The artworks' colours, whole distributions of them, brought to a picture as it is painted.

Mean and covariance of colours are all that style losses on feature maps hold on to. What is left
(a sky too green, a glow too orange) is settled on coarse scales, before strokes are laid over it.
So between scales the picture is given the distribution itself, and at the end half of what the
finest scale has moved away from it: all of it would tear smooth places apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.color import change_colors, histogram_change
from impasto.image import Picture
from impasto.losses.bands import blur
from impasto.options import OptimizeOptions
from impasto.stylizers.body.pack import colors_of
from impasto.stylizers.order import Order

# Share of the way to the artworks' colours that a finished picture goes.
AT_THE_END = 0.5
# Ratio of the weights of style and content from which on a picture goes all of the way.
WHOLLY = 2.0
# Nodes on a side of the cube of RGB at which a change is computed: between them it is smooth.
NODES = 17
# Rows that are changed at a time.
ROWS = 512


def with_style_colors(
    image: Tensor, order: Order, options: OptimizeOptions, share: float = 1.0
) -> Tensor:
    """An image with the distribution of the styles' colours, each region with that of its own.

    The classic recipe knows nothing of it, and without content style losses alone decide.

    Args:
        image: ``(1, 3, H, W)``, RGB in [0, 1], of the order's photo, and of its size.
        order: What is painted.
        options: The options of the run; where the content outweighs style, colours change less.
        share: Of their way that colours go.
    """
    if options.classic_losses or not (options.style_weight and options.content_weight):
        return image
    picture, strength = Picture.from_tensor(image), share * _strength(order, options)
    goals = [colors_of(style) for style in order.styles]
    if order.regions is None:
        goals = [_mixed(goals, order.weights)]
    start = image.cpu()
    changed = start.clone()
    for index, goal in enumerate(goals):
        where = order.part(index).alpha
        if where is None:
            changed += strength * _change(start, picture, goal, options.wrapped)
        elif where.any():
            seen = replace(picture, alpha=where)
            within = strength * torch.from_numpy(where)
            changed += within * _change(start, seen, goal, options.wrapped)
    return changed.clamp_(0, 1).to(image)


def _strength(order: Order, options: OptimizeOptions) -> Tensor:
    """How far each place takes on the colours, ``(H, W)``, or one number for all."""
    kept = torch.ones(()) if order.keep is None else torch.from_numpy(order.keep)
    outweighs = options.style_weight / options.content_weight / kept
    strength = (outweighs / WHOLLY).clamp_max(1)
    return strength if order.strength is None else strength * torch.from_numpy(order.strength)


def _mixed(pictures: Sequence[Picture], weights: Sequence[float]) -> Picture:
    """The pixels of several pictures, in these shares, as one."""
    if len(pictures) == 1:
        return pictures[0]
    planes = [
        np.ones(each.size, np.float32) if each.alpha is None else each.alpha for each in pictures
    ]
    shares = [weight / plane.sum() for plane, weight in zip(planes, weights, strict=True)]
    alpha = np.concatenate(
        [share / max(shares) * plane.ravel() for plane, share in zip(planes, shares, strict=True)]
    )
    rgb = np.concatenate([each.rgb.reshape(-1, 3) for each in pictures])
    return Picture(rgb[None], alpha.astype(np.float32)[None])


def _change(image: Tensor, seen: Picture, goal: Picture, wrapped: tuple[bool, bool]) -> Tensor:
    """How colours of an image ``(1, 3, H, W)`` move to make those seen the goal's.

    That of hue and saturation is smoothed: where the map is steep, specks of colour would come out
    of what is nearly flat.
    """
    steps = np.linspace(0, 1, NODES, dtype=np.float32)
    cube = np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=3)
    moved = change_colors(cube.reshape(NODES**2, NODES, 3), histogram_change(seen, goal))
    nodes = torch.from_numpy(moved.reshape(cube.shape))
    table = nodes.permute(3, 2, 1, 0)[None].contiguous()  # its last axis is red, as grids begin
    parts = [
        F.grid_sample(
            table, (2 * rows.permute(0, 2, 3, 1) - 1)[:, None], "bilinear", align_corners=True
        )[:, :, 0]
        for rows in torch.split(image, ROWS, dim=2)
    ]
    change = torch.cat(parts, dim=2).sub_(image)
    lightness = change.mean(dim=1, keepdim=True)
    for plane in change.unbind(1):
        plane.sub_(lightness[:, 0]).copy_(blur(plane[:, None], wrapped)[:, 0])
    return change.add_(lightness)
