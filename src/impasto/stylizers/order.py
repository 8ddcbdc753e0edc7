"""The order of a stylizer: a photo, its styles, and the place of each."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from impasto.color import colorfulness, keep_colors, match_colors, mute
from impasto.errors import InputError
from impasto.image import ImageSource, Picture
from impasto.image.masks import composite, load_mask, load_painted, weighted
from impasto.image.picture import Floats
from impasto.image.wrapping import resized_plane, resized_wrapped
from impasto.palette import Palette
from impasto.stylizers.body import colors_of
from impasto.stylizers.maps import as_it_is, by_size

if TYPE_CHECKING:
    from impasto.stylizers.pairing import Pairing


@dataclass(frozen=True)
class Order:
    """A picture to be painted.

    Attributes:
        photo: The content image, at the size of the result.
        styles: The artworks or packs, in the colours to be painted with; or names of learnt styles.
        weights: How much each style counts.
        mask: ``(H, W)`` in [0, 1], where the photo is painted; None: everywhere.
        regions: ``(H, W)`` in [0, 1] for each style, where the photo is to have it. No pixel
            belongs to them more than once. None: the styles are blended everywhere.
        keep: ``(H, W)``, how many times the content counts at a place; None: once everywhere.
        strength: ``(H, W)`` in [0, 1], how much style a place is to have; None: all of it.
        strokes: ``(H, W)`` in [0, 1], the size of strokes: 1/2 as it is without a map.
        directions: For each direction ``(H, W)`` in [0, 1], where strokes have it, adding up to 1.
        before: What a video hands on from the frame before, in the terms of the stylizer.
        palette: Colours that the finished picture is brought to.
        pairing: How the regions were found, if not by a person: the styles are then parts of one
            artwork.
    """

    photo: Picture
    styles: Sequence[Any]
    weights: Sequence[float]
    mask: Floats | None = None
    regions: tuple[Floats, ...] | None = None
    keep: Floats | None = None
    strength: Floats | None = None
    strokes: Floats | None = None
    directions: tuple[Floats, ...] | None = None
    before: Any = None
    palette: Palette | None = None
    pairing: Pairing | None = None

    def paired(self, pairing: Pairing) -> Order:
        """An order of one artwork as one of its parts, each for its counterpart in the photo."""
        parts = pairing.parts
        return dataclasses.replace(
            self,
            styles=[weighted(pairing.artwork, part) for part in parts],
            weights=[1.0] * len(parts),
            regions=pairing.regions(self.photo),
            pairing=pairing,
        )

    def part(self, index: int) -> Picture:
        """The photo, visible only where it is painted in a style."""
        return weighted(self.painted, self.regions[index] if self.regions else None)

    @property
    def painted(self) -> Picture:
        """The photo, visible only where it is painted."""
        return weighted(self.photo, self.mask)

    @property
    def paints(self) -> bool:
        """Whether anything of the photo is painted at all."""
        return self.mask is None or bool(self.mask.any())

    def following(
        self, strength: Floats | None, strokes: Floats | None, share: Floats | None
    ) -> Order:
        """The same with maps; those that say nothing are left out.

        Args:
            strength: See ``Order``.
            strokes: See ``Order``.
            share: How far the picture is other than the photo at this strength.
        """
        if strokes is not None and as_it_is(strokes):
            strokes = None
        if strength is None or share is None or (strength == 1).all():
            return dataclasses.replace(self, strokes=strokes)
        mask = share if self.mask is None else self.mask * share
        return dataclasses.replace(self, mask=mask, strength=strength, strokes=strokes)

    @cached_property
    def strokes_by_size(self) -> list[tuple[float, Floats]]:
        """The sizes of strokes and where each is (``by_size``); none where there is no map."""
        return [] if self.strokes is None else by_size(self.strokes)

    @cached_property
    def strokes_by_kind(self) -> list[tuple[float, int | None, Floats]]:
        """The sizes and directions of strokes and where each is; none where no map says so."""
        if self.directions is None:
            return [(size, None, where) for size, where in self.strokes_by_size]
        kinds = [
            (size, direction, share * where)
            for size, where in self.strokes_by_size or [(1.0, np.ones(self.photo.size, np.float32))]
            for direction, share in enumerate(self.directions)
        ]
        return [kind for kind in kinds if kind[2].any()]

    @property
    def whole(self) -> Sequence[Any]:
        """The styles as they were given: an artwork and not its parts."""
        return [self.pairing.artwork] if self.pairing else self.styles

    @cached_property
    def color(self) -> float:
        """The colourfulness of the most colourful artwork."""
        return max(colorfulness(colors_of(artwork)) for artwork in self.whole)

    @cached_property
    def content(self) -> Picture:
        """The photo, muted where the artworks have hardly any colour."""
        return self.muted(self.photo)

    def muted(self, picture: Picture) -> Picture:
        """A picture of the photo, muted where the artworks have hardly any colour."""
        return self._as_strong(picture, mute(picture, self.color))

    def resized(self, size: tuple[int, int], wrapped: tuple[bool, bool]) -> Order:
        """The same at another (height, width), without seams where rows or columns repeat."""

        def plane(own: Floats | None) -> Floats | None:
            return None if own is None else resized_plane(own, size, wrapped)

        def planes(own: tuple[Floats, ...] | None) -> tuple[Floats, ...] | None:
            return own and tuple(resized_plane(each, size, wrapped) for each in own)

        return dataclasses.replace(
            self,
            photo=resized_wrapped(self.photo, size, wrapped),
            mask=plane(self.mask),
            regions=planes(self.regions),
            keep=plane(self.keep),
            strength=plane(self.strength),
            strokes=plane(self.strokes),
            directions=planes(self.directions),
            before=self.before.resized(size) if self.before else None,
        )

    def finish(self, picture: Picture, options: Any) -> Picture:
        """A painted picture with the colours that the options ask for, laid over the photo.

        Colours are those of what is painted: neither what is transparent nor what is outside the
        mask counts.

        Args:
            picture: At the size of the photo.
            options: ``ColorOptions``.
        """
        if options.preserve_color == "luminance":  # the other modes have recoloured the artwork
            picture = keep_colors(picture, self.photo, options.color_strength)
        before = picture
        if options.match_result != "off":
            goal = self.painted if options.match_result == "content" else colors_of(self.whole[0])
            seen, strength = weighted(picture, self.mask), options.color_strength
            matched = match_colors(options.match_mode, seen, goal, strength)
            picture = dataclasses.replace(matched, alpha=picture.alpha)
        if self.palette:
            brought = self.palette.apply(weighted(picture, self.mask), options.color_strength)
            picture = dataclasses.replace(brought, alpha=picture.alpha)
        return composite(self._as_strong(before, picture), self.photo, self.mask)

    def _as_strong(self, picture: Picture, changed: Picture) -> Picture:
        """A picture whose colours are changed as far as there is style."""
        if self.strength is None or changed is picture:
            return changed
        share = self.strength[..., None]
        return dataclasses.replace(changed, rgb=picture.rgb + share * (changed.rgb - picture.rgb))


def load_masks(
    photo: Picture,
    mask: ImageSource | None,
    content_masks: Sequence[ImageSource] | None,
    styles: int,
) -> tuple[Floats | None, tuple[Floats, ...] | None]:
    """Read the mask and the regions of a photo. Where content masks overlap, they share pixels.

    Raises:
        InputError: If a mask cannot be used, or there are not as many content masks as styles.
    """
    painted = load_painted(mask, photo)
    if content_masks is None:
        return painted, None
    if len(content_masks) != styles:
        raise InputError(
            f"{len(content_masks)} content masks for {styles} styles: give one for each"
        )
    masks = [load_mask(source, photo) for source in content_masks]
    total = np.maximum(1, np.sum(masks, axis=0))
    return painted, tuple(one / total for one in masks)


def check_parts(order: Order) -> None:
    """Refuse a photo of which nothing is left to paint in a style.

    Raises:
        InputError: If it is so.
    """
    for index in range(len(order.styles)):
        part = order.part(index)
        if part.alpha is not None and not part.alpha.any():
            raise InputError(
                f"nothing to paint in style {index + 1}: nothing of {order.photo.name} is visible "
                "within its masks"
            )
