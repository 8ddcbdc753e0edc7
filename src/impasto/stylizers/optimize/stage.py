"""One scale of a run: its pictures, what is minimised, where it starts and how it is finished."""

from __future__ import annotations

import math
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.devices import release_memory
from impasto.image import Picture, fit, load_image
from impasto.image.picture import Floats
from impasto.image.wrapping import around, resized_wrapped
from impasto.losses import Source, Tones, moments, sqrtm
from impasto.options import OptimizeOptions
from impasto.stylizers.body.pack import StylePack, artwork_size, colors_of
from impasto.stylizers.optimize.colors import AT_THE_END, with_style_colors
from impasto.stylizers.optimize.directions import turned
from impasto.stylizers.optimize.eye import BackboneEye
from impasto.stylizers.optimize.memory import Planner
from impasto.stylizers.optimize.objective import Guide, Measured, Objective
from impasto.stylizers.optimize.optimizers import resize
from impasto.stylizers.optimize.pyramid import Scale
from impasto.stylizers.optimize.striking import Artwork
from impasto.stylizers.order import Order

# On a blank canvas all places are alike but for their distance from the borders, and a picture of
# lines parallel to them would come of it: so blank parts start from a trace of noise. Its range,
# and the difference of neighbours up to which a part is blank: less than a level of 8 bits.
TRACE = 0.07
BLANK = 1 / 255
# The longer side of the content of which tones are taken, in pixels: large areas need no more.
TONED = 128


class Stage:
    """One scale of a run.

    Args:
        order: What is to be painted.
        options: The options of the run.
        backbone: Looks at the pictures.
        device: Where it runs.
        scale: Size and steps.
        planner: Says how the scale is to be computed.
        tones: What large areas are to be like, at all scales (``tones_of``).
        eye: What the backbone sees, for styles that are packs.

    Raises:
        InputError: If there is too little memory for this size.
    """

    def __init__(
        self,
        order: Order,
        options: OptimizeOptions,
        backbone: Backbone,
        device: torch.device,
        scale: Scale,
        planner: Planner,
        tones: Tones | None = None,
        eye: BackboneEye | None = None,
    ) -> None:
        self.order, self.options = order.resized(scale.size, options.wrapped), options
        self.scale = scale
        self.backbone, self.device, self.tones, self.eye = backbone, device, tones, eye
        content = resized_wrapped(order.content, scale.size, options.wrapped)
        self.content = content.tensor(device)
        self.guide: Guide | None = self.order.before
        self.detailed = self.guide.image if self.guide else self.content
        self._copies: dict[tuple[Picture, float], list[list[Picture]]] = {}
        self.layout = planner.layout(scale, self._style_sizes())

    def objective(self) -> Objective:
        """The objective of this scale.

        Raises:
            ImpastoError: If memory runs out.
        """
        # What the scale before has freed lies in pieces too small for the maps of this one.
        release_memory()
        order, device = self.order, self.device
        objective = Objective(
            self.backbone,
            Source(self.content, order.painted.alpha_tensor(device)),
            [] if order.strokes_by_kind else [self._style(artwork) for artwork in order.styles],
            order.weights,
            self.options,
            None if order.regions is None else [_plane(each, device) for each in order.regions],
            mask=None if order.mask is None else _plane(order.mask, device),
            keep=None if order.keep is None else _plane(order.keep, device),
            strength=None if order.strength is None else _plane(order.strength, device),
            strokes=[
                (_plane(where, device), [self._style(each, size, along) for each in order.styles])
                for size, along, where in order.strokes_by_kind
            ],
            tones=self.tones,
            guide=self.guide,
            tile=self.layout.tile,
            keep_maps=self.layout.keep_maps,
        )
        self._copies.clear()
        return objective

    def start(self) -> Tensor:
        """The image to start from where this is the first scale."""
        if self.guide:
            return self.guide.image
        content, init = self.content, self.options.init
        noise = torch.rand(
            content.shape, generator=torch.Generator().manual_seed(self.options.seed)
        )
        if init == "content":
            started = content + _blank(content) * (noise.to(content) - 0.5) * TRACE
            return with_style_colors(started, self.order, self.options) if self.tones else started
        if init == "gray":
            return self._held(torch.full_like(content, 0.5))
        if init == "noise":
            return self._held(noise.to(self.device))
        if init == "style":
            colors = colors_of(self.order.whole[0])
            return self._held(_with_colors_of(self._source(colors), noise.to(self.device)))
        return load_image(init).resized(*self.scale.size).tensor(self.device)

    def _held(self, start: Tensor) -> Tensor:
        """A start that is the content where there is no style."""
        strength = self.order.strength
        if strength is None:
            return start
        return torch.lerp(self.content, start, _plane(strength, self.device))

    def refine(self, image: Tensor, before: Stage) -> Tensor:
        """The image to start from after another scale: that scale's, enlarged, with more detail.

        What the coarser scale could not show comes from the content (as in the Laplacian
        pyramids of Kolkin et al. 2019 and 2022), in a video from the frame before; without it
        fine structure is lost for good.
        """
        if not self.guide:  # it has the colours of the frame before
            image = with_style_colors(image, before.order, self.options)
        image = self._enlarged(image)
        if self.guide or self.options.init == "content":
            coarse = self._enlarged(before.detailed)
            image += self.options.detail * (self.detailed - coarse)
        return image.clamp_(0, 1)

    def _enlarged(self, image: Tensor) -> Tensor:
        """An image of the scale before at the size of this one."""
        wrapped, size = self.options.wrapped, self.scale.size
        if not any(wrapped):
            return resize(image, size)
        rows, columns = around((image.shape[2], image.shape[3]), wrapped)
        image = F.pad(image, (columns, columns, rows, rows), mode="circular")
        rows, columns = around(size, wrapped)
        image = resize(image, (size[0] + 2 * rows, size[1] + 2 * columns))
        return image[..., rows : rows + size[0], columns : columns + size[1]].contiguous()

    def finish(self, image: Tensor) -> Picture:
        """The picture of an image tensor, with the photo's alpha and, if asked for, colours."""
        photo = self.order.photo
        alpha = photo.alpha_tensor()
        image = with_style_colors(image, self.order, self.options, AT_THE_END)
        picture = Picture.from_tensor(image, alpha, name="result", bits=photo.bits)
        return self.order.finish(self.order.muted(picture), self.options)

    def _style(
        self, artwork: Picture | StylePack, strokes: float = 1.0, direction: int | None = None
    ) -> Source | Measured:
        """An artwork at the size that suits this scale, or what is known of it.

        Args:
            artwork: The artwork.
            strokes: The size of its strokes, as a multiple of what the options ask for.
            direction: Which of its strokes are looked at; None: all of them.
        """
        if isinstance(artwork, StylePack):
            assert self.eye
            return self.eye.measured(artwork, round(strokes * self.style_side))
        if direction is not None:
            assert self.eye
            return self.eye.pooled(self._turned(artwork, strokes)[direction])
        return self._source(artwork, strokes)

    def _turned(self, artwork: Picture, strokes: float) -> list[list[Picture]]:
        """An artwork as ``turned`` gives it, once for all directions."""
        key = artwork, strokes
        if key not in self._copies:
            seen = self._source(artwork, strokes).deeply
            self._copies[key] = turned(Picture.from_tensor(seen.image, seen.alpha))
        return self._copies[key]

    def _source(self, artwork: Picture, strokes: float = 1.0) -> Source:
        sized = artwork.resized(*self._sized(artwork.size, strokes))
        image, alpha = sized.tensor(self.device), sized.alpha_tensor(self.device)
        if not isinstance(sized, Artwork):
            return Source(image, alpha)
        manner = F.interpolate(_plane(sized.manner, self.device), sized.size, mode="area")
        deep = manner if alpha is None else alpha * manner
        # All that a mask leaves may be something to recognise.
        return Source(image, alpha, deep if deep.any() else None)

    @property
    def style_side(self) -> float:
        """The longer side of artworks that suits this scale, in pixels."""
        return max(self.scale.size) * self.options.style_scale

    def _sized(self, artwork: tuple[int, int], strokes: float = 1.0) -> tuple[int, int]:
        """The (height, width) of an artwork of another that suits this scale.

        It is enlarged for strokes of more than its own size alone: where a map asks for them, and
        beyond the preview, so that they grow with the picture.
        """
        preview, side = self.options.preview_size, max(self.scale.size)
        if 0 < preview < side:
            share = min(self.options.style_scale, max(artwork) / preview)
            return fit(artwork, round(strokes * side * share), enlarge=True)
        wanted = round(strokes * min(self.style_side, max(artwork)))
        if wanted > max(artwork):
            return fit(artwork, wanted, enlarge=True)
        return artwork_size(artwork, wanted, self.backbone.min_size)

    def _style_sizes(self) -> list[tuple[int, int]]:
        """(height, width) of the artworks that have to be looked at."""
        strokes = {size for size, _, _ in self.order.strokes_by_kind} or {1.0}
        artworks = [each.size for each in self.order.styles if isinstance(each, Picture)]
        sizes = [self._sized(each, size) for each in artworks for size in strokes]
        if self.order.directions:
            # Turned by half a right angle a picture takes a square of both of its sides' sum.
            sizes = [(math.ceil(sum(size) / 2**0.5),) * 2 for size in sizes]
        return sizes


def tones_of(order: Order, options: OptimizeOptions, device: torch.device) -> Tones | None:
    """The tones of the content in the artworks' colours; None where they have no weight."""
    if not options.keeps_tones:
        return None
    size = fit(order.photo.size, TONED)
    order = replace(order, before=None).resized(size, options.wrapped)
    toned = with_style_colors(order.content.tensor(device), order, options)
    return Tones(Source(toned, order.painted.alpha_tensor(device)))


def _blank(image: Tensor) -> Tensor:
    """Where an image ``(1, 3, H, W)`` is of one colour, ``(1, 1, H, W)``: 1 there, else 0."""
    most, least = (F.max_pool2d(sign * image, 5, stride=1, padding=2) for sign in (1, -1))
    return ((most + least).amax(dim=1, keepdim=True) < BLANK).to(image)


def _plane(mask: Floats, device: torch.device) -> Tensor:
    """A mask as ``(1, 1, H, W)``."""
    return torch.from_numpy(mask[None, None].copy()).to(device)


def _with_colors_of(style: Source, noise: Tensor) -> Tensor:
    """Noise ``(1, 3, H, W)`` with the mean and covariance of a style's colours."""
    colors = moments(style.image, style.alpha)
    deviations = (noise - 0.5) * 12**0.5
    mixed = sqrtm(colors.covariance)[0] @ deviations.flatten(2)[0]
    return (mixed.view_as(noise) + colors.mean[..., None, None]).clamp(0, 1)
