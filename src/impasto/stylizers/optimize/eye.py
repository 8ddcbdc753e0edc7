"""A backbone as what looks at a body of work."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.devices import own_state
from impasto.image import Picture
from impasto.losses import Moments, Source, band_energies
from impasto.losses.neighbors import places_of, sampled
from impasto.options import Pooling
from impasto.stylizers.body.pack import (
    MOST_PLACES,
    PLACES,
    Found,
    Pool,
    StylePack,
    shares,
    visible_area,
)
from impasto.stylizers.optimize.objective import Measured, add_moments, parts_of, tiles_of
from impasto.stylizers.optimize.tiles import Tile

# Pictures of more pixels than a square of this side are looked at in tiles, where that can be.
TILE = 1024
BANDS = "bands"


class BackboneEye:
    """Sees the moments of a backbone's layers and the energies of the finest octaves.

    Args:
        backbone: Looks at the pictures; it stays where it is, in its dtype.
        layers: Names of the layers.
        pooling: With which the backbone was loaded.
        device: Where it is.
    """

    def __init__(
        self, backbone: Backbone, layers: Sequence[str], pooling: Pooling, device: torch.device
    ) -> None:
        self.backbone, self.layers, self.device = backbone, tuple(layers), device
        self.name, self.smallest, self.pooling = backbone.name, backbone.min_size, pooling

    @cached_property
    def mark(self) -> str:
        """Of its weights and pooling."""
        return f"{_fingerprint(self.backbone)} {self.pooling}"

    @own_state()
    @torch.no_grad()
    def look(self, picture: Picture, places: int = 0) -> Found:
        """``<layer>.mean`` ``(C,)``, ``<layer>.second`` ``(C, C)`` and ``bands`` ``(BANDS, 3)``.

        Where places are asked for, ``<layer>.places`` ``(places, C)`` as well, each layer's part
        of the hypercolumns there. Without the heads of the layers, which are applied later.
        """
        source = Source(picture.tensor(self.device), picture.alpha_tensor(self.device))
        tile = TILE if math.prod(picture.size) > TILE**2 else 0
        heads = {layer for layer in self.layers if self.backbone.head(layer) is not None}
        pieces = tiles_of(self.backbone, source, self.layers, tile)
        sample = _Places(source, pieces.tiles, places)
        found: dict[str, Moments] = {}
        for at, layer, part in parts_of(self.backbone, source, self.layers, heads, pieces):
            add_moments(found, pieces, at, layer, part)
            sample.add(at, layer, part)
        parts = {f"{layer}.mean": it.mean[0] for layer, it in found.items()}
        # Rounding leaves the halves a little different, and packs keep only one.
        parts |= {f"{layer}.second": _symmetric(it.second[0]) for layer, it in found.items()}
        parts |= {f"{layer}{PLACES}": torch.cat(rows) for layer, rows in sample.rows.items()}
        parts[BANDS] = band_energies(source.image, source.alpha)[0]
        return {name: part.float().cpu().numpy() for name, part in parts.items()}

    def measured(self, pack: StylePack, side: int) -> Measured:
        """What a pack says of a style whose longer side is so many pixels."""
        return self._on_device(pack.at(self.name, side))

    def pooled(self, pictures: Sequence[Picture]) -> Measured:
        """What is seen of pictures that count as one style, each as far as it is visible."""
        areas = [visible_area(picture) for picture in pictures]
        pool = Pool()
        for picture, area, places in zip(pictures, areas, shares(MOST_PLACES, areas), strict=True):
            pool.add(self.look(picture, places), area)
        return self._on_device(pool.pooled())

    def _on_device(self, found: Found) -> Measured:
        def on_device(name: str) -> Tensor:
            return torch.from_numpy(found[name]).to(self.device, torch.float32)[None]

        moments = {
            layer: Moments(on_device(f"{layer}.mean"), on_device(f"{layer}.second"))
            for layer in self.layers
        }
        places = {layer: on_device(f"{layer}{PLACES}")[0] for layer in self.layers}
        return Measured(moments, places, on_device(BANDS))


class _Places:
    """Hypercolumns of a picture, evenly spread over what is visible of it.

    Args:
        source: The picture.
        tiles: In which it is looked at.
        count: How many are taken, at most.

    Attributes:
        rows: By layer its part of the hypercolumns, tile after tile: ``(M, C)``.
    """

    def __init__(self, source: Source, tiles: Sequence[Tile], count: int) -> None:
        own = [_own(source, tile) for tile in tiles]
        areas = [
            each.image[0, 0].numel() if each.alpha is None else float(each.alpha.sum())
            for each in own
        ]
        self.places = {
            tile: (each, places_of(each, share))
            for tile, each, share in zip(tiles, own, shares(count, areas), strict=True)
            if share
        }
        self.rows: dict[str, list[Tensor]] = {}

    def add(self, tile: Tile, layer: str, part: Tensor) -> None:
        """Take what is wanted of a tile's part of a map."""
        if tile in self.places:
            self.rows.setdefault(layer, []).append(sampled([part], *self.places[tile]))


def _own(source: Source, tile: Tile) -> Source:
    """A tile of a picture."""
    alpha = source.alpha
    return Source(tile.own(source.image), None if alpha is None else tile.own(alpha))


def _symmetric(matrix: Tensor) -> Tensor:
    """A matrix ``(C, C)`` with its upper half on both sides."""
    return matrix.triu() + matrix.triu(1).T


def _fingerprint(backbone: Backbone) -> str:
    """What tells weights apart, in any dtype that they are in."""
    digest = hashlib.sha256()
    for name, value in sorted(backbone.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.to("cpu", torch.bfloat16).contiguous().view(torch.int16).numpy())
    return digest.hexdigest()[:16]
