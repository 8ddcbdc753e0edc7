"""One scale of a run: its pictures, what is minimised, where it starts and how it is finished."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.color import mute
from impasto.devices import release_memory
from impasto.image import Picture, fit, load_image
from impasto.image.picture import Floats
from impasto.losses import Source, moments, sqrtm
from impasto.options import OptimizeOptions
from impasto.stylizers.optimize.memory import Planner
from impasto.stylizers.optimize.objective import Guide, Objective
from impasto.stylizers.optimize.optimizers import resize
from impasto.stylizers.optimize.pyramid import Scale
from impasto.stylizers.order import Order

# On a blank canvas all places are alike but for their distance from the borders, and a picture of
# lines parallel to them would come of it: so blank parts start from a trace of noise. Its range,
# and the difference of neighbours up to which a part is blank: less than a level of 8 bits.
TRACE = 0.07
BLANK = 1 / 255


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
        self.order, self.options, self.scale = order.resized(scale.size), options, scale
        self.backbone, self.device, self.color = backbone, device, order.color
        self.content = order.content.resized(*scale.size).tensor(device)
        self.guide: Guide | None = self.order.before
        self.detailed = self.guide.image if self.guide else self.content
        self.layout = planner.layout(scale, [self._style_size(each) for each in order.styles])

    def objective(self) -> Objective:
        """The objective of this scale.

        Raises:
            ImpastoError: If memory runs out.
        """
        # What the scale before has freed lies in pieces too small for the maps of this one.
        release_memory()
        order, device = self.order, self.device
        return Objective(
            self.backbone,
            Source(self.content, order.painted.alpha_tensor(device)),
            [self._style(artwork) for artwork in order.styles],
            order.weights,
            self.options,
            None if order.regions is None else [_plane(each, device) for each in order.regions],
            mask=None if order.mask is None else _plane(order.mask, device),
            keep=None if order.keep is None else _plane(order.keep, device),
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
            return content + _blank(content) * (noise.to(content) - 0.5) * TRACE
        if init == "gray":
            return torch.full_like(content, 0.5)
        if init == "noise":
            return noise.to(self.device)
        if init == "style":
            return _with_colors_of(self._style(self.order.styles[0]), noise.to(self.device))
        return load_image(init).resized(*self.scale.size).tensor(self.device)

    def refine(self, image: Tensor, before: Stage) -> Tensor:
        """The image to start from after another scale: that scale's, enlarged, with more detail.

        What the coarser scale could not show comes from the content (as in the Laplacian
        pyramids of Kolkin et al. 2019 and 2022), in a video from the frame before; without it
        fine structure is lost for good.
        """
        image = resize(image, self.scale.size)
        if self.guide or self.options.init == "content":
            coarse = resize(before.detailed, self.scale.size)
            image += self.options.detail * (self.detailed - coarse)
        return image.clamp_(0, 1)

    def finish(self, image: Tensor) -> Picture:
        """The picture of an image tensor, with the photo's alpha and, if asked for, colours."""
        photo = self.order.photo
        alpha = photo.alpha_tensor()
        picture = Picture.from_tensor(image, alpha, name="result", bits=photo.bits)
        picture = mute(picture, self.color)
        return self.order.finish(picture, self.options)

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
