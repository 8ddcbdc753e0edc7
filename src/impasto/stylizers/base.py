"""The contract of a stylizer, and all that the three do alike.

A style is set once; then photos are painted in it, one after the other. Loading, masks, regions,
colours, transparency, settings and errors are the same whatever paints.
"""

from __future__ import annotations

import dataclasses
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from impasto.callbacks import Record
from impasto.color import prepare_style
from impasto.errors import InputError, torch_needed
from impasto.events import Callback
from impasto.image import ImageSource, Picture, as_list, load_image, load_mask
from impasto.image.masks import load_grey, must_be_seen, name_of, open_mask, weighted
from impasto.image.picture import Floats
from impasto.image.wrapping import UNIT, found_around, snapped
from impasto.names import must_be_known
from impasto.options import OFF_OR_AUTO, check_weights, names
from impasto.palette import Palette, load_palette
from impasto.result import Result
from impasto.stylizers.body import StylePack, is_pooled
from impasto.stylizers.maps import SIZES, fading, find_strokes
from impasto.stylizers.order import Order, check_parts, load_masks
from impasto.version import __version__

if TYPE_CHECKING:
    from torch import Tensor

    from impasto.stylizers.pairing import Pairing

logger = logging.getLogger(__name__)

Options = TypeVar("Options")
Self = TypeVar("Self", bound="Stylizer[Any]")


@dataclass(frozen=True)
class Painted:
    """A stylizer's answer to an order.

    Attributes:
        picture: The finished picture.
        settings: What the stylizer itself adds to the settings: device, versions, steps.
        losses: The losses over the run, where there are any.
        stopped: Why the run ended before its last step; None if it did not.
    """

    picture: Picture
    settings: Mapping[str, object]
    losses: Sequence[Record] = ()
    stopped: str | None = None


class Stylizer(ABC, Generic[Options]):
    """Repaints pictures in a style that is set.

    Attributes:
        method: "optimize", "fast" or "arbitrary".
        options: The options.
    """

    method: str
    options_type: type[Options]
    options: Any
    _styles: list[Any]
    _strength_map: Picture | None = None
    _stroke_map: Picture | str = "off"
    _stroke_direction: Picture | str = "off"
    _keep_map: Picture | str = "off"

    def _take(self, options: Options | None, overrides: Mapping[str, Any]) -> Options:
        """The options: those given, or the defaults with some of them changed."""
        if options is not None and overrides:
            raise InputError(f"give options or {', '.join(overrides)}, not both")
        for name in overrides:
            must_be_known(f"option of the method {self.method}", name, names(self.options_type))
        return options or self.options_type(**overrides)

    def set_style(
        self: Self,
        styles: Any = None,
        *,
        weights: float | Sequence[float] | None = None,
        masks: ImageSource | Sequence[ImageSource | None] | None = None,
    ) -> Self:
        """Set the style for all that is painted from now on.

        Args:
            styles: The artwork, or several: paths, Pillow images, arrays, tensors or Pictures; a
                folder of artworks or a style pack, which count as one; for ``Fast`` names. They
                are blended, or each has its own region (``content_masks``).
            weights: How much each style counts; all alike if left out.
            masks: For each artwork the part whose style is taken; None: all of it.

        Returns:
            The stylizer itself.

        Raises:
            InputError: If a style, weight or mask cannot be used.
        """
        _ = self.palette  # what is wrong with it is told first
        sources = [] if styles is None else as_list(styles)
        if self._matches and (len(sources) > 1 or any(map(is_pooled, sources))):
            raise InputError(
                "match auto pairs regions of the photo with those of one artwork: give one, and no "
                "folder or style pack"
            )
        self._styles = self._load_styles(sources)
        self._style_masks = None if masks is None else as_list(masks)
        self._weights = weights
        return self

    def set_maps(
        self: Self,
        strength_map: ImageSource | None = None,
        stroke_map: ImageSource = "off",
        keep: ImageSource | None = None,
        stroke_direction: ImageSource = "off",
    ) -> Self:
        """Set the maps for all that is painted from now on, in place of those of the options.

        They are images of the shape of the photos, at any size.

        Args:
            strength_map: How much style where: white all of it, black the photo itself.
            stroke_map: The size of strokes: black half, middle grey as without a map, white twice
                as large; "auto": fine where the photo has detail; or "off".
            keep: How much the photo has to stay recognisable: white most, black no more than
                without it; "auto": found in the photo, and all else less; or "off". None: as the
                options say.
            stroke_direction: A drawing along whose lines strokes run; "auto": those of the photo;
                or "off".

        Returns:
            The stylizer itself.

        Raises:
            InputError: If a map cannot be read, or the method cannot follow it.
        """
        words_or_maps = (stroke_map, "off" if keep is None else keep, stroke_direction)
        strokes, kept, along = map(_word_or_map, words_or_maps)
        for name, given in (
            ("strength_map", strength_map is not None),
            ("stroke_map", strokes != "off"),
            ("keep", kept != "off"),
            ("stroke_direction", along != "off"),
        ):
            if given:
                must_be_known(f"option of the method {self.method}", name, names(self.options_type))
        self._strength_map = None if strength_map is None else open_mask(strength_map)
        self._stroke_map, self._keep_map, self._stroke_direction = strokes, kept, along
        return self

    @property
    def maps(self) -> dict[str, Any]:
        """The maps that are set, as ``set_maps`` takes them."""
        return {
            "strength_map": self._strength_map,
            "stroke_map": self._stroke_map,
            "keep": self._keep_map,
            "stroke_direction": self._stroke_direction,
        }

    def check_maps(self, photo: Picture) -> None:
        """Refuse maps that are not of the shape of a photo, before anything is painted.

        Raises:
            InputError: If there is one.
        """
        for source, what in (
            (self._strength_map, "map"),
            (self._stroke_map, "map"),
            (self._stroke_direction, "drawing"),
            (self._keep_map, "mask"),
        ):
            if isinstance(source, Picture):
                load_grey(source, photo, what)

    def __call__(
        self,
        content: ImageSource,
        *,
        mask: ImageSource | None = None,
        content_masks: ImageSource | Sequence[ImageSource] | None = None,
        callback: Callback | Sequence[Callback] | None = None,
    ) -> Result:
        """Repaint a picture in the style that was set.

        Masks are images of the shape of their picture, or boolean arrays: white belongs to them,
        grey does in part (``load_mask``).

        Args:
            content: The photo: a path, Pillow image, array, tensor or Picture.
            mask: Where to paint; elsewhere the photo stays as it is.
            content_masks: For each style the region of the photo that is to have it. One style
                serves for all of them. What is in no region keeps to the photo.
            callback: Called with a Step after each step of an optimisation; or several.

        Returns:
            The picture, at most ``max_size`` pixels long, with settings and losses. After Ctrl-C,
            a callback's stop or a loss that is no longer finite it is the best one so far, and
            ``stopped`` says why.

        Raises:
            InputError: If no style was set, or a picture, a mask or a weight cannot be used.
            ImpastoError: If memory runs out or the loss is not finite from the start.
        """
        order = self.order(content, mask=mask, content_masks=content_masks)
        result = self.paint(order, callbacks_of(callback))
        named = {"mask": mask, "content_masks": content_masks, "style_masks": self._style_masks}
        masks = {name: _names(source) for name, source in named.items() if source is not None}
        return dataclasses.replace(result, settings={**result.settings, **masks})

    def map(
        self,
        contents: Iterable[ImageSource],
        *,
        callback: Callback | Sequence[Callback] | None = None,
    ) -> Iterator[Result]:
        """Repaint pictures one after the other, each when it is asked for; the next is read ahead.

        Raises:
            InputError: When the picture that cannot be used is asked for.
        """
        with ThreadPoolExecutor(1) as pool:
            side = self.options.max_size
            ahead = (pool.submit(load_image, each, long_side=side) for each in contents)
            coming = next(ahead, None)
            while coming is not None:
                photo, coming = coming.result(), next(ahead, None)
                yield self(photo, callback=callback)

    def apply(self, images: Tensor) -> Tensor:
        """Repaint tensors, at their own size.

        Args:
            images: ``(B, 3, H, W)``, RGB in [0, 1].

        Returns:
            ``(B, 3, H, W)``, RGB in [0, 1], float32.

        Raises:
            InputError: If no style was set, or the shape is another one.
            ImpastoError: If memory runs out.
        """
        self._must_have_style()
        if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
            raise InputError(f"images have to be (B, 3, H, W), not {tuple(images.shape)}")
        size = (images.shape[2], images.shape[3])
        if size != snapped(size, self.options.wrapped):
            raise InputError(f"sides that repeat have to be multiples of {UNIT} px")
        return self._apply(images)

    def order(
        self,
        content: ImageSource,
        *,
        mask: ImageSource | None = None,
        content_masks: ImageSource | Sequence[ImageSource] | None = None,
        pairing: Pairing | None = None,
    ) -> Order:
        """Load a picture and its masks, as ``__call__`` takes them.

        Args:
            content: The photo.
            mask: Where to paint.
            content_masks: The regions.
            pairing: Of an earlier frame of the same scene, where regions are found.
        """
        self._must_have_style()
        if self._matches and content_masks is not None:
            raise InputError("match auto finds the regions itself: give no content masks")
        photo = load_image(content, long_side=self.options.max_size)
        size = snapped(photo.size, self.options.wrapped)
        if size != photo.size:
            logger.info("%d x %d px, so that it can repeat", *reversed(size))
            photo = photo.resized(*size)
        return self._ordered(photo, mask, content_masks, pairing)

    def _ordered(
        self,
        photo: Picture,
        mask: Any = None,
        content_masks: Any = None,
        pairing: Pairing | None = None,
    ) -> Order:
        """An order for a photo at its own size."""
        regions = None if content_masks is None else as_list(content_masks)
        styles = self._styles * len(regions) if len(self._styles) == 1 and regions else self._styles
        weights = check_weights(self._weights, len(styles))
        styles = self._visible(styles)
        masks = load_masks(photo, mask, regions, len(styles))
        # Only artworks can be recoloured beforehand.
        palette = None if all(isinstance(each, Picture) for each in styles) else self.palette
        order = Order(photo, styles, weights, *masks, palette=palette)
        if self._matches:
            order = order.paired(pairing or self._pair(order))
        check_parts(order)
        return self._mapped(dataclasses.replace(order, styles=self._coloured(order)))

    @property
    def _largest(self) -> float:
        """The largest strokes, as a multiple of what they are without a map."""
        return 1.0 if self._stroke_map == "off" else SIZES[-1]

    def _mapped(self, order: Order) -> Order:
        """An order with what the maps say of its photo."""
        strength = strokes = None
        if self._strength_map:
            strength = load_grey(self._strength_map, order.photo, "map")
        if isinstance(self._stroke_map, Picture):
            strokes = load_grey(self._stroke_map, order.photo, "map")
        elif self._stroke_map == "auto":
            strokes = found_around(find_strokes, order.photo, self.options.wrapped)
        share = None if strength is None else self._fading(strength)
        return order.following(strength, strokes, share)

    def _fading(self, strength: Floats) -> Floats:
        """How far a picture of this strength is other than the photo: 0 at 0, 1 at 1."""
        return fading(strength)

    def paint(self, order: Order, callbacks: Sequence[Callback] = ()) -> Result:
        """Paint an order; see ``__call__``."""
        began = time.perf_counter()
        painted = self._paint(order, callbacks) if order.paints else _unpainted(order)
        seconds = time.perf_counter() - began
        settings = {
            "impasto": __version__,
            "method": self.method,
            "content": order.photo.name,
            "styles": [getattr(style, "name", style) for style in order.whole],
            "style_weights": list(order.weights)[: len(order.whole)],
            **dataclasses.asdict(self.options),
            "strength_map": self._strength_map and self._strength_map.name,
            "stroke_map": getattr(self._stroke_map, "name", self._stroke_map),
            **painted.settings,
            "seconds": round(seconds, 3),
            "stopped": painted.stopped,
        }
        return Result(painted.picture, settings, painted.losses, seconds, painted.stopped)

    def _must_have_style(self) -> None:
        if not getattr(self, "_styles", None):
            raise InputError("no style yet: call set_style first")

    def _load_styles(self, sources: Sequence[Any]) -> list[Any]:
        """The styles as an order holds them."""
        if not sources:
            raise InputError("no style image: give at least one")
        return [self._load_style(source) for source in sources]

    def _load_style(self, source: Any) -> Picture | StylePack:
        """An artwork, or what is known of a folder of artworks or a style pack."""
        if not is_pooled(source):
            picture = self._load_artwork(source)
            must_be_seen(picture)
            palette, strength = self.palette, self.options.color_strength
            return picture if palette is None else palette.apply(picture, strength)
        mode = self.options.preserve_color
        if mode in ("linear", "histogram"):
            raise InputError(
                f"preserve_color {mode} recolours artworks, and of a folder or a style pack only "
                "statistics are known: use luminance, or match_result content"
            )
        return self._load_pooled(source)

    @property
    def _matches(self) -> bool:
        """Whether regions are to be found; what has learnt its styles has no such option."""
        return getattr(self.options, "match", "off") == "auto"

    def _pair(self, order: Order) -> Pairing:
        """The regions of a photo and its artwork."""
        with torch_needed():
            from impasto.stylizers.pairing import pair

        (artwork,) = order.styles
        pairing = pair(order.painted, artwork, self.options.regions, self.options.wrapped)
        logger.info("painting %d regions, found in both pictures", len(pairing.parts))
        return pairing

    @cached_property
    def palette(self) -> Palette | None:
        """The colours that artworks are brought to before painting."""
        return None if self.options.palette is None else load_palette(self.options.palette)

    def _load_artwork(self, source: ImageSource) -> Picture:
        return load_image(source)

    def _load_pooled(self, source: Any) -> StylePack:
        """What is known of a folder of artworks or a style pack.

        Raises:
            InputError: If it cannot be used.
        """
        raise NotImplementedError

    def _visible(self, styles: list[Any]) -> list[Any]:
        """Artworks that are visible within their masks."""
        masks = self._style_masks
        if masks is None:
            return styles
        if len(masks) != len(styles):
            raise InputError(f"{len(masks)} style masks for {len(styles)} styles: one for each")
        return [
            style if mask is None else self._within(style, mask)
            for style, mask in zip(styles, masks, strict=True)
        ]

    @staticmethod
    def _within(style: Any, mask: ImageSource) -> Picture:
        """An artwork, visible within a mask."""
        if isinstance(style, StylePack):
            raise InputError(f"a style mask is for a single artwork, and {style.name} is many")
        return weighted(style, load_mask(mask, style))

    def _coloured(self, order: Order) -> Sequence[Any]:
        """The styles in the colours to be painted with."""
        mode, strength = self.options.preserve_color, self.options.color_strength
        return [
            style
            if isinstance(style, StylePack)  # nothing that it is known by could be recoloured
            else prepare_style(mode, style, order.part(index), strength)
            for index, style in enumerate(order.styles)
        ]

    @abstractmethod
    def _paint(self, order: Order, callbacks: Sequence[Callback]) -> Painted:
        """Paint an order."""

    @abstractmethod
    def _apply(self, images: Tensor) -> Tensor:
        """Repaint ``(B, 3, H, W)`` in torch."""


def _unpainted(order: Order) -> Painted:
    """The answer where there is no style anywhere: the photo itself."""
    return Painted(dataclasses.replace(order.photo, name="result"), {})


def callbacks_of(callback: Callback | Sequence[Callback] | None) -> list[Callback]:
    """One callback or several as a list.

    Raises:
        InputError: If one is no function.
    """
    callbacks: list[Callable[..., Any]] = [] if callback is None else as_list(callback)
    if not all(map(callable, callbacks)):
        raise InputError(f"a callback has to be a function, not {callback!r}")
    return callbacks


def _word_or_map(source: ImageSource) -> Picture | str:
    """A map, or what may be said in its place."""
    if isinstance(source, str) and source in OFF_OR_AUTO:
        return source
    return open_mask(source)


def _names(masks: Any) -> Any:
    """The name of a mask, or of several, as settings hold them."""
    if isinstance(masks, (list, tuple)):
        return [None if each is None else name_of(each) for each in masks]
    return name_of(masks)
