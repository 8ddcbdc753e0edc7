"""One scale of a run: its pictures, what is minimised, where it starts and how it is finished."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.color import keep_colors, match_linear, srgb_to_oklab
from impasto.devices import release_memory
from impasto.image import Picture, fit, load_image
from impasto.image.masks import composite, weighted
from impasto.losses import Source, moments, sqrtm
from impasto.optimize.guidance import Guidance
from impasto.optimize.memory import Planner
from impasto.optimize.objective import Guide, Objective
from impasto.optimize.optimizers import resize
from impasto.optimize.pyramid import Scale
from impasto.options import OptimizeOptions

# A picture may be this much more colourful than its artworks.
CONTRAST = 3.0
# Pixels along the longer side of pictures whose colours are looked at.
THUMBNAIL = 128


@dataclass(frozen=True)
class Order:
    """What is to be painted.

    Attributes:
        photo: The photo, at the size of the result.
        artworks: The style images, in the colours to be painted with.
        weights: How much each artwork counts.
        guidance: The masks of the photo.
        guide: The finished frame before, in a video.
    """

    photo: Picture
    artworks: Sequence[Picture]
    weights: Sequence[float]
    guidance: Guidance
    guide: Guide | None = None

    @cached_property
    def color(self) -> float:
        """The colourfulness of the most colourful artwork."""
        return max(colorfulness(artwork) for artwork in self.artworks)

    @cached_property
    def content(self) -> Picture:
        """The content image: the photo, muted where the artworks have hardly any colour."""
        return mute(self.photo, self.color)


class Stage:
    """One scale of a run.

    Args:
        order: What is to be painted.
        options: The options of the run.
        backbone: Looks at the pictures.
        device: Where it runs.
        scale: Size and steps.
        planner: Says how the scale is to be computed.

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
    ) -> None:
        self.order, self.options, self.scale = order, options, scale
        self.backbone, self.device = backbone, device
        self.photo = order.photo.resized(*scale.size)
        self.content = order.content.resized(*scale.size).tensor(device)
        self.guidance = order.guidance.resized(*scale.size)
        self.guide = order.guide.resized(scale.size) if order.guide else None
        self._detail = self.guide.image if self.guide else self.content
        self.layout = planner.layout(scale, [self._style_size(each) for each in order.artworks])

    def objective(self) -> Objective:
        """What is minimised here.

        Raises:
            ImpastoError: If memory runs out.
        """
        # What the scale before has freed lies in pieces too small for the maps of this one.
        release_memory()
        painted = weighted(self.photo, self.guidance.mask)
        return Objective(
            self.backbone,
            Source(self.content, painted.alpha_tensor(self.device)),
            [self._style(artwork) for artwork in self.order.artworks],
            self.order.weights,
            self.options,
            self.guidance.guide_tensors(self.device),
            mask=self.guidance.mask_tensor(self.device),
            guide=self.guide,
            tile=self.layout.tile,
            keep_maps=self.layout.keep_maps,
        )

    def start(self) -> Tensor:
        """The image to start from where this is the first scale."""
        if self.guide:
            return self.guide.image
        content, init = self.content, self.options.init
        noise = torch.rand(
            content.shape, generator=torch.Generator().manual_seed(self.options.seed)
        )
        if init == "content":
            return content
        if init == "gray":
            return torch.full_like(content, 0.5)
        if init == "noise":
            return noise.to(self.device)
        if init == "style":
            return _with_colors_of(self._style(self.order.artworks[0]), noise.to(self.device))
        return load_image(init).resized(*self.scale.size).tensor(self.device)

    def refine(self, image: Tensor, before: Stage) -> Tensor:
        """The image to start from after another scale: that scale's, enlarged, with more detail.

        What the coarser scale could not show comes from the content (as in the Laplacian
        pyramids of Kolkin et al. 2019 and 2022), in a video from the frame before; without it
        fine structure is lost for good.
        """
        image = resize(image, self.scale.size)
        if self.guide or self.options.init == "content":
            fine, coarse = (
                each.guide.image if each.guide else each.content for each in (self, before)
            )
            image += self.options.detail * (fine - resize(coarse, self.scale.size))
        return image.clamp_(0, 1)

    def finish(self, image: Tensor) -> Picture:
        """The picture of an image tensor, with the photo's alpha and, if asked for, colours."""
        photo, options, mask = self.photo, self.options, self.guidance.mask
        alpha = photo.alpha_tensor()
        picture = Picture.from_tensor(image, alpha, name="result", bits=photo.bits)
        picture = mute(picture, self.order.color)
        if options.preserve_color == "luminance":  # the other modes have recoloured the artwork
            picture = keep_colors(picture, photo, options.color_strength)
        if options.match_result != "off":
            artwork = self.order.artworks[0]
            goal = weighted(photo, mask) if options.match_result == "content" else artwork
            matched = match_linear(weighted(picture, mask), goal, options.color_strength)
            picture = dataclasses.replace(matched, alpha=picture.alpha)
        return composite(picture, photo, mask)

    def _style(self, artwork: Picture) -> Source:
        """An artwork at the size that suits this scale."""
        sized = artwork.resized(*self._style_size(artwork))
        return Source(sized.tensor(self.device), sized.alpha_tensor(self.device))

    def _style_size(self, artwork: Picture) -> tuple[int, int]:
        """The size of an artwork that suits this scale: its own aspect, never enlarged."""
        side, smallest = round(max(self.scale.size) * self.options.style_scale), min(artwork.size)
        # A long, narrow artwork keeps enough pixels for the deepest layer.
        side = max(side, -(-self.backbone.min_size * max(artwork.size) // smallest))
        return fit(artwork.size, side)


def mute(picture: Picture, most: float) -> Picture:
    """A picture with no more colour than suits artworks of a colourfulness.

    Else the photo's colours show through: a drawing in black and white would come out tinted.
    """
    found = colorfulness(picture)
    if found <= CONTRAST * most:
        return picture
    grey = dataclasses.replace(picture, rgb=np.full_like(picture.rgb, 0.5))
    return keep_colors(picture, grey, 1 - CONTRAST * most / found)


def colorfulness(picture: Picture) -> float:
    """How far a picture is from greys: the root mean square of chroma in OkLab."""
    small = picture.resized(*fit(picture.size, THUMBNAIL))
    return float(np.sqrt(np.square(srgb_to_oklab(small.rgb)[..., 1:]).sum(axis=2).mean()))


def _with_colors_of(style: Source, noise: Tensor) -> Tensor:
    """Noise ``(1, 3, H, W)`` with the mean and covariance of a style's colours."""
    colors = moments(style.image, style.alpha)
    deviations = (noise - 0.5) * 12**0.5
    mixed = sqrtm(colors.covariance)[0] @ deviations.flatten(2)[0]
    return (mixed.view_as(noise) + colors.mean[..., None, None]).clamp(0, 1)
