"""The stylizer that optimises the image: prepares pictures and targets, then runs the loop."""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor

from impasto.backbones import load_backbone, pick_backbone
from impasto.backbones.base import Backbone
from impasto.callbacks import History
from impasto.cores import free_cores
from impasto.devices import describe, fewer_threads, keep_memory, own_state, pick_device, pick_dtype
from impasto.errors import ImpastoError, InputError
from impasto.events import Callback
from impasto.image import ImageSource, Picture
from impasto.image.masks import load_grey
from impasto.image.picture import Floats
from impasto.image.wrapping import around, padded, snapped, unpadded
from impasto.options import OptimizeOptions
from impasto.stylizers.base import Painted, Stylizer
from impasto.stylizers.body import StylePack, load_pooled
from impasto.stylizers.optimize.directions import find_directions
from impasto.stylizers.optimize.eye import BackboneEye
from impasto.stylizers.optimize.loop import Loop
from impasto.stylizers.optimize.memory import Costs, Planner, measure
from impasto.stylizers.optimize.objective import NEIGHBORS
from impasto.stylizers.optimize.optimizers import make_optimizer
from impasto.stylizers.optimize.pyramid import Scale, plan_enlarged
from impasto.stylizers.optimize.stage import Stage, tones_of
from impasto.stylizers.optimize.striking import Artwork, find_striking
from impasto.stylizers.order import Order

logger = logging.getLogger(__name__)

# A frame that follows another takes this share of the steps, at so many of the finest scales.
GUIDED_STEPS = 0.3
GUIDED_SCALES = 2
# How many times the content counts where a mask keeps all of it.
KEPT = 5.0
# The same where a photo is found to have nothing to recognise, for bold skies, and where it is
# striking: more, and faces are photos in a painting.
PLAIN, STRIKING = 0.65, 1.7


class Optimize(Stylizer[OptimizeOptions]):
    """Repaints pictures by optimising the image (Gatys, Ecker and Bethge 2016).

    Args:
        options: The options, for example ``OptimizeOptions.preset("quick")``.
        backbone: A backbone of one's own (``Backbone.from_module``), instead of the named one.
        progress: Told of the bytes of a download, done and in all, if the weights need one.
        **overrides: Options by name, where ``options`` is left out.

    Raises:
        InputError: If an option, the device, the backbone or one of its layers does not exist.
    """

    method = "optimize"
    options_type = OptimizeOptions

    @own_state()
    def __init__(
        self,
        options: OptimizeOptions | None = None,
        *,
        backbone: Backbone | None = None,
        progress: Callable[[int, int], None] | None = None,
        **overrides: Any,
    ) -> None:
        self.options = self._take(options, overrides)
        maps = (self.options.strength_map, self.options.stroke_map, self.options.keep)
        self.set_maps(*maps, self.options.stroke_direction)
        self.device = pick_device(self.options.device)
        self.dtype = pick_dtype(self.options.precision, self.device)
        if self.device.type == "cpu":
            keep_memory()
        if backbone is None:
            backbone = load_backbone(
                pick_backbone(self.options.backbone, self.device),
                weights=self.options.weights,
                pooling=self.options.pooling,
                progress=progress,
            )
        else:
            backbone = copy.deepcopy(backbone)
        self.backbone = backbone
        self._check_wrap()
        backbone.check([*self.options.content_layers, *self.options.style_layers])
        self.backbone = backbone.to(self.device, self.dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        logger.info(
            "optimising with %s in %s on %s",
            backbone.name,
            str(self.dtype).removeprefix("torch."),
            describe(self.device),
        )

    def set_maps(
        self,
        strength_map: ImageSource | None = None,
        stroke_map: ImageSource = "off",
        keep: ImageSource | None = None,
        stroke_direction: ImageSource = "off",
    ) -> Optimize:
        """Set the maps; see ``Stylizer``."""
        keep = self.options.keep if keep is None else keep
        super().set_maps(strength_map, stroke_map, keep, stroke_direction)
        if self._strength_map:
            self.options.check_content("strength_map")
        if isinstance(self._keep_map, Picture):
            self.options.check_content("keep")
        return self

    @cached_property
    def costs(self) -> Costs:
        """The memory that a step takes; measured when the first picture asks for it."""
        return measure(self.backbone, self.options, self.device)

    @cached_property
    def eye(self) -> BackboneEye:
        """The backbone as what looks at folders of artworks."""
        options = self.options
        return BackboneEye(self.backbone, [*options.style_layers], options.pooling, self.device)

    def _load_pooled(self, source: Any) -> StylePack:
        options = self.options
        if options.preview_size:
            raise InputError(
                f"preview_size enlarges the strokes of artworks, and of {source} only statistics "
                "are known: paint with single artworks"
            )
        self._must_show_strokes(source)
        side = options.max_size * options.style_scale
        return load_pooled(source, self.eye, round(self._largest * side))

    def _must_show_strokes(self, source: Any) -> None:
        """Refuse many pictures where strokes are to have a direction."""
        if self._stroke_direction != "off":
            raise InputError(
                f"stroke_direction looks for strokes in artworks, and of {source} only statistics "
                "are known: paint with single artworks"
            )

    def _mapped(self, order: Order) -> Order:
        photo = order.photo
        for style in order.styles:
            if isinstance(style, StylePack):
                self._must_show_strokes(style.name)
        mapped = super()._mapped(order)
        return dataclasses.replace(
            mapped, keep=self._keep(photo), directions=self._directions(photo)
        )

    def _directions(self, photo: Picture) -> tuple[Floats, ...] | None:
        """How far each place is to have strokes of each direction; None where nothing is said."""
        along = self._stroke_direction
        if along == "off":
            return None
        drawn = isinstance(along, Picture)
        lines = load_grey(along, photo, "drawing") if drawn else photo.rgb.mean(axis=2)
        margins = around(photo.size, self.options.wrapped)
        wide = padded(lines, margins)
        return tuple(unpadded(share, margins) for share in find_directions(wide))

    def _keep(self, photo: Picture) -> Floats | None:
        """How many times the content counts at each place; None: once everywhere."""
        if self._keep_map == "off" or not self.options.keeps_content:
            return None
        if isinstance(self._keep_map, Picture):
            least, most, found = 1.0, KEPT, load_grey(self._keep_map, photo)
        else:
            self._check_picture(photo)
            least, most = PLAIN, STRIKING
            found = self._striking(photo, self.options.wrapped)
        return least + (most - least) * found if found.any() else None

    def _load_artwork(self, source: ImageSource) -> Picture:
        """An artwork, of which what it shows counts less to deep layers than the rest."""
        found, motifs = super()._load_artwork(source), self.options.motifs
        if motifs == 1:
            return found
        manner = 1 - (1 - motifs) * self._striking(found)
        own = (found.rgb, found.alpha, found.name, found.bits, found.notices, found.origin)
        return Artwork(*own, manner=manner)

    @own_state()
    def _striking(self, picture: Picture, wrapped: tuple[bool, bool] = (False, False)) -> Floats:
        """How much there is to recognise in a picture, ``(H, W)`` in [0, 1]."""
        used = {*self.options.content_layers, *self.options.style_layers}
        return find_striking(picture, self.backbone, _deepest(used, self.backbone), wrapped)

    @own_state()
    def _paint(self, order: Order, callbacks: Sequence[Callback]) -> Painted:
        for picture in (order.photo, *order.styles):
            if isinstance(picture, Picture):
                self._check_picture(picture)
        history = History()
        loop = self._loop(order, [history, *callbacks])
        with _memory_errors(loop), fewer_threads(self.device, free_cores):
            outcome = loop.run()
        if outcome.stopped:
            logger.warning("%s after %d steps", outcome.stopped, outcome.steps)
        settings = {
            "keep": getattr(self._keep_map, "name", self._keep_map),
            "stroke_direction": getattr(self._stroke_direction, "name", self._stroke_direction),
            "backbone": self.backbone.name,
            "device": str(self.device),
            "precision": str(self.dtype).removeprefix("torch."),
            "torch": torch.__version__,
            "steps_done": outcome.steps,
        }
        picture = outcome.stage.finish(outcome.image)
        return Painted(picture, settings, tuple(history.records), outcome.stopped)

    def _apply(self, images: Tensor) -> Tensor:
        orders = (self._ordered(Picture.from_tensor(image)) for image in images)
        return torch.cat([self.paint(order).picture.tensor() for order in orders])

    def _loop(self, order: Order, callbacks: Sequence[Callback]) -> Loop:
        """The run that paints an order: its scales, and what goes through them."""
        options, backbone, device = self.options, self.backbone, self.device
        steps, count = options.steps, options.scales
        if order.before:
            # The frame before has done most of the work, and all of the coarse scales'.
            steps, count = max(1, round(GUIDED_STEPS * steps)), GUIDED_SCALES
        optimizer = make_optimizer(options)
        planner = Planner(backbone, options, device, self.costs, optimizer.history)
        tones = tones_of(order, options, device)
        stages = [
            Stage(order, options, backbone, device, self._snapped(scale), planner, tones, self.eye)
            for scale in plan_enlarged(
                order.photo.size, steps, count, backbone.min_size, options.preview_size
            )
        ]
        logger.info(planner.describe(stages[-1].scale, stages[-1].layout))
        return Loop(
            stages,
            optimizer,
            averaging=options.averaging,
            tolerance=options.tolerance,
            callbacks=callbacks,
        )

    def _snapped(self, scale: Scale) -> Scale:
        """A scale whose sides can repeat."""
        return replace(scale, size=snapped(scale.size, self.options.wrapped))

    def _check_wrap(self) -> None:
        """Refuse to wrap where it cannot be exact."""
        if self.options.wrap == "off":
            return
        if self.options.style_loss in NEIGHBORS:
            raise InputError(
                f"wrap does not go together with style_loss {self.options.style_loss}: use gram, "
                "w2 or gram+w2"
            )
        if self.backbone.receptive_field(next(iter(self.options.style_layers))) is None:
            raise InputError(f"wrap does not work with the backbone {self.backbone.name}")

    def _check_picture(self, picture: Picture) -> None:
        smallest = self.backbone.min_size
        height, width = picture.size
        if min(height, width) < smallest:
            raise InputError(
                f"{picture.name} is {width} x {height} px here, too small: the backbone "
                f"{self.backbone.name} needs at least {smallest} px on each side"
            )


def _deepest(layers: Collection[str], backbone: Backbone) -> list[str]:
    """The deepest layer and the one before it; twice the same where there is only one."""
    first, *rest = sorted(layers, key=backbone.layers.index, reverse=True)
    return [first, *(rest or [first])][:2]


@contextmanager
def _memory_errors(loop: Loop) -> Iterator[None]:
    """Turn torch's out-of-memory errors into one line that says which size would fit."""
    try:
        yield
    except (torch.OutOfMemoryError, RuntimeError) as error:
        if not isinstance(error, torch.OutOfMemoryError) and "allocate" not in str(error):
            raise
        height, width = loop.stages[loop.index].scale.size
        before = loop.stages[loop.index - 1].scale.size
        fits = max(before) if loop.index else max(height, width) // 2
        raise ImpastoError(
            f"out of memory at {width} x {height} px: max_size {fits} would fit"
            + ("" if loop.index else " perhaps")
        ) from error
