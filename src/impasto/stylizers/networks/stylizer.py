"""The stylizers that paint with a network: ``Fast`` (per style) and ``Arbitrary`` (any style)."""

from __future__ import annotations

import dataclasses
import functools
import logging
import math
from abc import abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from impasto.errors import ImpastoError, InputError, torch_needed
from impasto.events import Callback
from impasto.image import ImageSource, Picture, fit, load_image
from impasto.options import MapOptions, check_weights
from impasto.stylizers.base import Painted, Stylizer
from impasto.stylizers.body import StylePack, load_pooled
from impasto.stylizers.networks.codes import blend
from impasto.stylizers.networks.description import Kind, describe
from impasto.stylizers.networks.engines import Code, Engine, Floats, Style
from impasto.stylizers.networks.eye import EncoderEye, planes
from impasto.stylizers.networks.gallery import shipped, style_index
from impasto.stylizers.networks.onnx_engine import chosen_onnx_engine
from impasto.stylizers.networks.options import ArbitraryOptions, FastOptions, NetworkOptions
from impasto.stylizers.order import Order

if TYPE_CHECKING:
    from torch import Tensor

    from impasto.stylizers.networks.torch_engine import TorchEngine

logger = logging.getLogger(__name__)

Options = TypeVar("Options", bound=NetworkOptions)


class NetworkStylizer(Stylizer[Options]):
    """The shared part of both: model and engine, from picture to picture.

    Args:
        options: The options.
        **overrides: Options by name, where ``options`` is left out.

    Raises:
        InputError: If an option, the device or the model cannot be used.
    """

    method: Kind

    def __init__(self, options: Options | None = None, **overrides: Any) -> None:
        self.options = self._take(options, overrides)
        if isinstance(self.options, MapOptions):
            self.set_maps(self.options.strength_map, self.options.stroke_map)
        self.path = Path(self.options.model or shipped(self.method)).expanduser()
        self.description = describe(self.path)
        if self.description.kind != self.method:
            found = self.description.kind
            raise InputError(f"{self.path} holds a model for --method {found}, not {self.method}")
        onnx = chosen_onnx_engine(self.path, self.options)
        if onnx:
            logger.info("painting with %s in ONNX Runtime on cpu", self.path.name)
        self.engine: Engine = onnx or self.torch

    @functools.cached_property
    def torch(self) -> TorchEngine:
        """The torch engine, which can do what ONNX files cannot; importing torch takes seconds."""
        with torch_needed():
            from impasto.stylizers.networks.torch_engine import TorchEngine

        return TorchEngine(self.path, self.options)

    def _paint(self, order: Order, _callbacks: Sequence[Callback]) -> Painted:
        photo, style = order.photo, self._style(order)
        side = self.options.tile_side
        in_tiles = side and math.prod(photo.size) > side**2
        engine = self.engine
        image, weights = planes(order.painted)
        masks, counting = _places(order)
        if counting is not None:
            weights = counting if weights is None else counting * weights
        if any(self.options.wrapped):
            engine = self.torch
            painted = self._paint_wrapped(image, style, weights, order.before, masks)
        elif masks is not None or order.before or in_tiles:
            engine = self.torch  # ONNX files do none of these
            painted = engine.paint(image, style, weights, order.before, masks)
        else:
            painted = engine.paint(image, style, weights)
        if not np.isfinite(painted).all():
            raise ImpastoError(f"{self.path} paints what is no picture: its training has failed")
        rgb = np.ascontiguousarray(painted[0].transpose(1, 2, 0))
        picture = Picture(rgb, photo.alpha, name="result", bits=photo.bits)
        return Painted(
            _within(order).finish(picture, self.options),
            {"model": self.path.name, **engine.settings},
        )

    def _paint_wrapped(
        self, image: Floats, style: Style, weights: Floats | None, before: Any, masks: Floats | None
    ) -> Floats:
        """Paint with as much of what repeats around it as the network sees, which counts not."""
        reach = self.torch.network.painter.reach
        rows, columns = (reach if wraps else 0 for wraps in self.options.wrapped)
        pads = ((0, 0), (0, 0), (rows, rows), (columns, columns))
        counting = np.pad(np.ones_like(image[:, :1]) if weights is None else weights, pads)
        around = None if masks is None else np.pad(masks, pads, mode="wrap")
        large = np.pad(image, pads, mode="wrap")
        painted = self.torch.paint(large, style, counting, before, around)
        height, width = image.shape[2:]
        return painted[..., rows : rows + height, columns : columns + width]

    def _must_not_finish(self) -> None:
        """Refuse tensors what whole pictures alone can have."""
        for name in ("wrap", "match", "preserve_color", "match_result"):
            if getattr(self.options, name, "off") != "off":
                raise InputError(f"{name} is for whole pictures: not with apply")
        if self._strength_map or self._stroke_map != "off":
            raise InputError("maps are for whole pictures: not with apply")
        if self.palette and not all(isinstance(each, Picture) for each in self._styles):
            raise InputError("these styles take a palette after painting: not with apply")

    @abstractmethod
    def _style(self, order: Order) -> Style:
        """The styles of an order as the engine takes them: a row for each of its places."""


def _places(order: Order) -> tuple[Floats | None, Floats | None]:
    """Where in the photo each style is that a network paints with, and what it is measured by.

    What a map of strength takes from all of them has the photo's own style, that of all of it. A
    style whose strokes are of several sizes is one for the moments of the photo: else each size
    would bring the artwork's whole palette to its places.

    Returns:
        ``(R, 1, H, W)`` and, with a map, how much each pixel counts for each of the R; None where
        one style is everywhere.
    """
    if order.strength is None and order.strokes is None:
        return None if order.regions is None else np.stack(order.regions)[:, None], None
    everywhere = np.ones(order.photo.size, np.float32)
    regions = order.regions or (everywhere,)
    sizes = order.strokes_by_size or [(1.0, everywhere)]
    strength = everywhere if order.strength is None else order.strength
    places = [strength * where * region for _, where in sizes for region in regions]
    counting = [strength * region for _ in sizes for region in regions]
    if order.strength is not None:
        places.append(1 - strength)
        counting.append(everywhere)
    return np.stack(places)[:, None], np.stack(counting)[:, None]


def _within(order: Order) -> Order:
    """An order whose mask leaves out what is in no region."""
    if order.regions is None:
        return order
    total = np.sum(order.regions, axis=0)
    return dataclasses.replace(order, mask=total if order.mask is None else total * order.mask)


class Fast(NetworkStylizer[FastOptions]):
    """Repaints pictures in the styles that a network has learnt (Johnson et al. 2016)."""

    method = "fast"
    options_type = FastOptions

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the styles that the model knows."""
        return self.description.styles

    def _load_styles(self, sources: Sequence[Any]) -> list[Any]:
        if not sources and len(self.styles) > 1:
            raise InputError(f"no style: which style? The model knows {', '.join(self.styles)}")
        return [self.styles[style_index(name, self.styles)] for name in sources or self.styles]

    def _visible(self, styles: list[Any]) -> list[Any]:
        if self._style_masks is not None:
            raise InputError("masks of styles are for artworks, not for what --method fast learnt")
        return styles

    def _coloured(self, order: Order) -> Sequence[Any]:
        return order.styles

    def _style(self, order: Order) -> Style:
        rows = np.zeros((len(order.styles), len(self.styles)), np.float32)
        for row, name in zip(rows, order.styles, strict=True):
            row[self.styles.index(name)] = 1
        return (rows if order.regions else _shares(order.weights)[None] @ rows,)

    def _apply(self, images: Tensor) -> Tensor:
        self._must_not_finish()
        return self.torch.apply(images, self._style(self._ordered(Picture.from_tensor(images[0]))))


class Arbitrary(NetworkStylizer[ArbitraryOptions]):
    """Repaints pictures in the style of any image, with one network."""

    method = "arbitrary"
    options_type = ArbitraryOptions

    def _load_styles(self, sources: Sequence[Any]) -> list[Any]:
        # Codes by the identity of an artwork and its side: those that are set are looked at once.
        self._codes: dict[tuple[int, int], Code] = {}
        return super()._load_styles(sources)

    def _load_artwork(self, source: ImageSource) -> Picture:
        return load_image(source, long_side=round(self._largest * self.options.style_size))

    def _load_pooled(self, source: Any) -> StylePack:
        return load_pooled(source, self.eye, round(self._largest * self.options.style_size))

    @functools.cached_property
    def eye(self) -> EncoderEye:
        """The encoder as what looks at folders of artworks."""
        return EncoderEye(self.path, self.engine.encode)

    def _fading(self, strength: Floats) -> Floats:
        """A network paints its texture in the photo's own style as well, which has to fade."""
        return 1 - np.square(1 - strength)

    def _style(self, order: Order) -> Style:
        options, codes = self.options, []
        for strokes in [size for size, _ in order.strokes_by_size] or [1.0]:
            found = [self._encode(artwork, strokes) for artwork in order.styles]
            codes += found if order.regions else [blend(found, order.weights)]
        if options.strength < 1 or order.strength is not None:
            small = order.painted.resized(*fit(order.photo.size, options.style_size))
            own = self._encode(small)
            shares = [1 - options.strength, options.strength]
            codes = [blend([own, code], shares) for code in codes]
            if order.strength is not None:
                codes.append(own)
        mean = np.concatenate([code.mean for code in codes])
        return mean, np.concatenate([code.square for code in codes])

    def _apply(self, images: Tensor) -> Tensor:
        self._must_not_finish()
        weights = check_weights(self._weights, len(self._styles))
        code = blend([self._encode(each) for each in self._styles], weights)
        own, side = 1 - self.options.strength, self.options.style_size
        return self.torch.apply(images, (code.mean, code.square), own, side)

    def _encode(self, artwork: Picture | StylePack, strokes: float = 1.0) -> Code:
        """The code of an artwork.

        Args:
            artwork: The artwork.
            strokes: The size of its strokes, as a multiple of what the options ask for.
        """
        side = strokes * self.options.style_size
        if isinstance(artwork, StylePack):
            return self.eye.code(artwork, round(side))
        side = max(1, round(min(side, strokes * max(artwork.size))))
        if (id(artwork), side) in self._codes:
            return self._codes[id(artwork), side]
        code = self.engine.encode(*planes(artwork.fitted(side, enlarge=True)))
        if any(artwork is each for each in self._styles):
            self._codes[id(artwork), side] = code
        return code


def _shares(weights: Sequence[float]) -> Floats:
    """Style weights that add up to 1."""
    return np.array(weights, np.float32) / sum(weights)
