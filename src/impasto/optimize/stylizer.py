"""The stylizer that optimises the image: prepares pictures and targets, then runs the loop."""

from __future__ import annotations

import copy
import dataclasses
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import torch

from impasto.backbones import load_backbone
from impasto.backbones.base import Backbone
from impasto.callbacks import History
from impasto.color import prepare_style
from impasto.devices import describe, keep_memory, own_state, pick_device, pick_dtype
from impasto.errors import ImpastoError, InputError
from impasto.events import Callback
from impasto.image import ImageSource, Picture, as_list, load_image, load_mask
from impasto.image.masks import name_of, weighted
from impasto.optimize.guidance import Guidance, load_guidance
from impasto.optimize.loop import Loop, Outcome
from impasto.optimize.memory import Costs, Planner, measure
from impasto.optimize.objective import Guide
from impasto.optimize.optimizers import make_optimizer
from impasto.optimize.pyramid import plan
from impasto.optimize.stage import Order, Stage
from impasto.options import OptimizeOptions, check_weights
from impasto.result import Result
from impasto.version import __version__

logger = logging.getLogger(__name__)

# A frame that follows another takes this share of the steps, at so many of the finest scales.
GUIDED_STEPS = 0.3
GUIDED_SCALES = 2


class Optimize:
    """Repaints pictures by optimising the image (Gatys, Ecker and Bethge 2016).

    Make it once and call it for many pictures, or ``set_style`` once and ``stylize`` many: the
    backbone is loaded only once.

    Args:
        options: The options, for example ``OptimizeOptions.preset("draft")``.
        backbone: A backbone of one's own (``Backbone.from_module``), instead of the named one.
        progress: Told of the bytes of a download, done and in all, if the weights need one.
        **overrides: Options by name, where ``options`` is left out.

    Raises:
        InputError: If an option, the device, the backbone or one of its layers does not exist.
    """

    @own_state()
    def __init__(
        self,
        options: OptimizeOptions | None = None,
        *,
        backbone: Backbone | None = None,
        progress: Callable[[int, int], None] | None = None,
        **overrides: Any,
    ) -> None:
        if options is not None and overrides:
            raise InputError(f"give options or {', '.join(overrides)}, not both")
        self.options = options or OptimizeOptions.preset("default", **overrides)
        self.device = pick_device(self.options.device)
        self.dtype = pick_dtype(self.options.precision, self.device)
        if self.device.type == "cpu":
            keep_memory()
        if backbone is None:
            backbone = load_backbone(
                self.options.backbone,
                weights=self.options.weights,
                pooling=self.options.pooling,
                progress=progress,
            )
        else:
            backbone = copy.deepcopy(backbone)
        backbone.check([*self.options.content_layers, *self.options.style_layers])
        self.backbone = backbone.to(self.device, self.dtype).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._artworks: list[Picture] = []
        self._weights: Sequence[float] | None = None
        self._style_masks: Sequence[ImageSource | None] | None = None
        logger.info(
            "optimising with %s in %s on %s",
            backbone.name,
            str(self.dtype).removeprefix("torch."),
            describe(self.device),
        )

    @cached_property
    def costs(self) -> Costs:
        """What a step costs in memory; measured when the first picture asks for it."""
        return measure(self.backbone, self.options, self.device)

    def __call__(
        self,
        content: ImageSource,
        styles: ImageSource | Sequence[ImageSource],
        *,
        style_weights: Sequence[float] | None = None,
        mask: ImageSource | None = None,
        content_masks: Sequence[ImageSource] | None = None,
        style_masks: Sequence[ImageSource | None] | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> Result:
        """Repaint a picture in the manner of one or several artworks, and keep the style.

        Arguments, result and errors are those of ``set_style`` and ``stylize``.
        """
        self.set_style(styles, style_weights=style_weights, style_masks=style_masks)
        return self.stylize(content, mask=mask, content_masks=content_masks, callbacks=callbacks)

    def set_style(
        self,
        styles: ImageSource | Sequence[ImageSource],
        *,
        style_weights: Sequence[float] | None = None,
        style_masks: Sequence[ImageSource | None] | None = None,
    ) -> None:
        """Set the style for the calls of ``stylize`` that follow.

        Args:
            styles: The artwork, or several of them: blended, or each in its own region.
            style_weights: How much each artwork counts; all alike if left out.
            style_masks: For each artwork the part whose style is taken; None: all of it.

        Raises:
            InputError: If an artwork cannot be used.
        """
        self._artworks = [load_image(style) for style in as_list(styles)]
        if not self._artworks:
            raise InputError("no style image: give at least one")
        self._weights = style_weights
        self._style_masks = None if style_masks is None else as_list(style_masks)

    @own_state()
    def stylize(
        self,
        content: ImageSource,
        *,
        mask: ImageSource | None = None,
        content_masks: Sequence[ImageSource] | None = None,
        callbacks: Sequence[Callback] = (),
        guide: Guide | None = None,
    ) -> Result:
        """Repaint a picture in the style that was set.

        Masks are images of the shape of their picture, or boolean arrays: white belongs to them,
        grey does in part (``load_mask``).

        Args:
            content: The photo: a path, Pillow image, array, tensor or Picture.
            mask: Where to paint; elsewhere the photo stays as it is.
            content_masks: For each artwork the region of the photo that is to have its style.
                One artwork serves for all of them. What is in no region keeps to the photo.
            callbacks: Called with a Step after each step.
            guide: The stylized frame before, in a video: start and target of this one.

        Returns:
            The picture, at most ``max_size`` pixels long, with settings and losses. After Ctrl-C,
            a callback's stop or a loss that is no longer finite it is the best one so far, and
            ``stopped`` says why.

        Raises:
            InputError: If no style was set, or a picture, a mask or a weight cannot be used.
            ImpastoError: If memory runs out or the loss is not finite from the start.
        """
        if not self._artworks:
            raise InputError("no style yet: call set_style first")
        photo = load_image(content, long_side=self.options.max_size)
        self._check_picture(photo)
        artworks = self._artworks
        content_masks = None if content_masks is None else as_list(content_masks)
        if len(artworks) == 1 and content_masks:
            artworks = artworks * len(content_masks)
        weights = check_weights(self._weights, len(artworks))
        guidance = load_guidance(photo, mask, content_masks, len(artworks))
        artworks = self._prepared(artworks, photo, guidance)
        for artwork in artworks:
            self._check_picture(artwork)
        order = Order(photo, artworks, weights, guidance, guide)
        history = History()
        loop = self._loop(order, [history, *callbacks])
        with _memory_errors(loop):
            outcome = loop.run()
        seconds = history.records[-1].seconds if history.records else 0.0
        if outcome.stopped:
            logger.warning("%s after %d steps", outcome.stopped, outcome.steps)
        settings = self._settings(photo, artworks, weights, outcome, seconds)
        settings |= _mask_settings(mask, content_masks, self._style_masks)
        picture = outcome.stage.finish(outcome.image)
        return Result(picture, settings, tuple(history.records), seconds, outcome.stopped)

    def _loop(self, order: Order, callbacks: Sequence[Callback]) -> Loop:
        """The run that paints an order: its scales, and what goes through them.

        Raises:
            InputError: If a scale does not fit into memory.
        """
        options, backbone, device = self.options, self.backbone, self.device
        steps, count = options.steps, options.scales
        if order.guide:
            # The frame before has done most of the work, and all of the coarse scales'.
            steps, count = max(1, round(GUIDED_STEPS * steps)), GUIDED_SCALES
        optimizer = make_optimizer(options)
        planner = Planner(backbone, options, device, self.costs, optimizer.history)
        stages = [
            Stage(order, options, backbone, device, scale, planner)
            for scale in plan(order.photo.size, steps, count, backbone.min_size)
        ]
        logger.info(planner.describe(stages[-1].scale, stages[-1].layout))
        return Loop(
            stages,
            optimizer,
            averaging=options.averaging,
            tolerance=options.tolerance,
            callbacks=callbacks,
        )

    def _prepared(
        self, artworks: Sequence[Picture], photo: Picture, guidance: Guidance
    ) -> list[Picture]:
        """The artworks, visible within their masks, in the colours to be painted with."""
        options, masks = self.options, self._style_masks
        masks = [None] * len(artworks) if masks is None else masks
        if len(masks) != len(artworks):
            raise InputError(f"{len(masks)} style masks for {len(artworks)} styles: one for each")
        prepared = []
        for index, (artwork, mask) in enumerate(zip(artworks, masks, strict=True)):
            if mask is not None:
                artwork = weighted(artwork, load_mask(mask, artwork))
            part = guidance.part(photo, index)
            prepared.append(
                prepare_style(options.preserve_color, artwork, part, options.color_strength)
            )
        return prepared

    def _check_picture(self, picture: Picture) -> None:
        smallest = self.backbone.min_size
        height, width = picture.size
        if min(height, width) < smallest:
            raise InputError(
                f"{picture.name} is {width} x {height} px here, too small: the backbone "
                f"{self.backbone.name} needs at least {smallest} px on each side"
            )
        if picture.alpha is not None and not picture.alpha.any():
            raise InputError(f"{picture.name} is fully transparent: there is nothing to see")

    def _settings(
        self,
        photo: Picture,
        artworks: Sequence[Picture],
        weights: Sequence[float],
        outcome: Outcome,
        seconds: float,
    ) -> dict[str, object]:
        return {
            "impasto": __version__,
            "method": "optimize",
            "content": photo.name,
            "styles": [artwork.name for artwork in artworks],
            "style_weights": list(weights),
            **dataclasses.asdict(self.options),
            "backbone": self.backbone.name,
            "device": str(self.device),
            "precision": str(self.dtype).removeprefix("torch."),
            "torch": torch.__version__,
            "steps_done": outcome.steps,
            "seconds": round(seconds, 2),
            "stopped": outcome.stopped,
        }


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


def _mask_settings(
    mask: ImageSource | None,
    content_masks: Sequence[ImageSource] | None,
    style_masks: Sequence[ImageSource | None] | None,
) -> dict[str, object]:
    """The names of the masks that were given."""
    settings: dict[str, object] = {}
    if mask is not None:
        settings["mask"] = name_of(mask)
    if content_masks is not None:
        settings["content_masks"] = [name_of(one) for one in content_masks]
    if style_masks is not None:
        settings["style_masks"] = [one if one is None else name_of(one) for one in style_masks]
    return settings
