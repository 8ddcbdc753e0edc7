"""Temporal consistency: what a finished frame says about the next one, and painters that listen."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from impasto import flow
from impasto.color import match_linear
from impasto.errors import ImpastoError
from impasto.events import Callback
from impasto.flow import Pixels
from impasto.image import Picture
from impasto.image.picture import Floats
from impasto.stylizers.base import Stylizer
from impasto.stylizers.networks.runtime import Smoothed
from impasto.stylizers.optimize import Guide, Optimize
from impasto.stylizers.pairing import Pairing

# Ruder et al. weigh the temporal loss by 200 beside sums of squares; ours are relative.
TEMPORAL_WEIGHT = 60.0
# The share of the frame before in the blend of a network's frames, at full consistency. More than
# this washes out strokes where much moves: with 0.9, W2 grew by a tenth (benchmarks/video.py).
MOST_KEPT = 0.8
# Where the warped photo is off by this much (of 1), the frame before counts by half.
DOUBT = 0.04
# A frame less like the one before than this, on average, begins a scene even where a motion was
# found: a flash, or a plain frame after one of another colour. A fade of half a second stays above.
SAME_LIGHT = 0.03
# How much lighter or darker (of 1) a scene may become before it is optimised from its photo again.
MOST_LIGHT = 0.08
# By how much statistics may change from frame to frame, at full consistency.
LEAST_CHANGE = 0.1


@dataclass(frozen=True)
class Memory:
    """The frame before, brought to this one.

    Attributes:
        image: ``(1, 3, H, W)``, the stylized frame before, warped.
        visible: ``(1, 1, H, W)`` in [0, 1], where it shows the same.
        trust: ``(1, 1, H, W)`` in [0, 1], the same, less where the light has changed.
        light: ``(1, 3)``, by how much what is visible has become lighter, on average.
    """

    image: Tensor
    visible: Tensor
    trust: Tensor
    light: Tensor


# The mask of a frame and its maps, ``(H, W)`` in [0, 1], by the names that stylizers give them.
Shown = Mapping[str, Floats]
NOTHING: Shown = {}


class FollowsMaps(Protocol):
    """Takes the maps of each frame, by the names that stylizers give them."""

    def follow(self, maps: Shown) -> None:
        """Take the maps of the next frame."""


class FramePainter(Protocol):
    """Repaints the frames of a video in their order."""

    def __call__(self, frame: Picture, memory: Memory | None, mask: Floats | None) -> Tensor:
        """Repaint a frame to ``(1, 3, H, W)``, within a mask ``(H, W)``.

        Without memory it begins a scene.
        """


class OptimizingPainter:
    """Optimises each frame from the warped one before (Ruder, Dosovitskiy and Brox 2016).

    What was hidden there starts from the content in the colours of the rest, not from the content
    alone as in the paper: it would stay pale in the few steps that suffice for the rest.
    Where the light has changed much since the scene began, the scene begins anew: held to the
    frame before, a film that fades in would stay black.

    Args:
        optimize: The stylizer, its style set.
        consistency: 0 to 1: the temporal loss in proportion.
        callbacks: Called after each step of each frame.
    """

    def __init__(
        self, optimize: Optimize, consistency: float, callbacks: Sequence[Callback] = ()
    ) -> None:
        self.optimize = optimize
        self.callbacks = callbacks
        self.weight = TEMPORAL_WEIGHT * consistency
        self._lighter: Tensor | float = 0.0
        self._pairing: Pairing | None = None

    def __call__(self, frame: Picture, memory: Memory | None, mask: Floats | None) -> Tensor:
        """Repaint a frame."""
        guide = None
        if memory and (self._lighter + memory.light).abs().max() < MOST_LIGHT:
            self._lighter = self._lighter + memory.light
            device, start = self.optimize.device, _completed(memory, frame)
            guide = Guide(start.to(device), memory.visible.to(device), self.weight)
        else:
            self._lighter, self._pairing = 0.0, None
        order = self.optimize.order(frame, mask=mask, pairing=self._pairing)
        self._pairing = order.pairing
        order = dataclasses.replace(order, before=guide)
        result = self.optimize.paint(order, self.callbacks)
        if result.stopped == "interrupted":
            raise KeyboardInterrupt
        if result.stopped:
            raise ImpastoError(f"{frame.name}: {result.stopped}")
        return result.picture.tensor()


def _completed(memory: Memory, frame: Picture) -> Tensor:
    """The frame before, and where it is not visible this one in its colours, ``(1, 3, H, W)``."""
    shown = Picture.from_tensor(memory.image, memory.visible)
    return torch.lerp(match_linear(frame, shown).tensor(), memory.image, memory.visible)


class NetworkPainter:
    """Paints each frame with a network and blends it with the warped one before.

    Two causes of flicker, two remedies: the moments that a network goes by change with all
    that the frame shows, so they are smoothed over time; what remains is blended.

    Args:
        network: The stylizer, its style set.
        consistency: 0 to 1: how much of the frame before is kept where it can be trusted.
    """

    _pairing: Pairing | None

    def __init__(self, network: Stylizer[Any], consistency: float) -> None:
        self.network = network
        self.consistency = consistency
        self._start_scene()

    def __call__(self, frame: Picture, memory: Memory | None, mask: Floats | None) -> Tensor:
        """Repaint a frame."""
        if memory is None:
            self._start_scene()
        order = self.network.order(frame, mask=mask, pairing=self._pairing)
        self._pairing = order.pairing
        order = dataclasses.replace(order, before=self.moments)
        painted = self.network.paint(order).picture.tensor()
        if memory is None:
            return painted
        return torch.lerp(painted, memory.image, MOST_KEPT * self.consistency * memory.trust)

    def _start_scene(self) -> None:
        self.moments = Smoothed(1 - (1 - LEAST_CHANGE) * self.consistency)
        self._pairing = None


def frame_painter(
    stylizer: Stylizer[Any], consistency: float, callbacks: Sequence[Callback] = ()
) -> FramePainter:
    """The painter of a stylizer whose style is set.

    Args:
        stylizer: The stylizer.
        consistency: 0 to 1: how far a frame follows the one before.
        callbacks: Called after each step of an optimisation.
    """
    if isinstance(stylizer, Optimize):
        return OptimizingPainter(stylizer, consistency, callbacks)
    return NetworkPainter(stylizer, consistency)


class VideoPainter:
    """Repaints the frames of a video one after the other, each with what is known of the last.

    Args:
        painter: Repaints a frame.
        consistent: Whether frames are remembered; finding their motion takes time.
        maps: Takes the maps of a frame before it is painted, where maps move.
    """

    def __init__(
        self,
        painter: FramePainter,
        *,
        consistent: bool = True,
        maps: FollowsMaps | None = None,
    ) -> None:
        self.painter, self.consistent, self.maps = painter, consistent, maps
        self._before: tuple[Pixels, Tensor, Shown] | None = None

    def __call__(self, pixels: Pixels, name: str = "frame", shown: Shown = NOTHING) -> Tensor:
        """Repaint the next frame ``(H, W, 3)`` to ``(1, 3, H, W)``."""
        frame, mask = as_picture(pixels, name), shown.get("mask")
        if self.maps:
            self.maps.follow({name: each for name, each in shown.items() if name != "mask"})
        if mask is not None and not mask.any():
            painted = frame.tensor()
        else:
            painted = self.painter(frame, self._memory(pixels, shown), mask)
        self.keep(pixels, painted, shown)
        return painted

    def keep(self, pixels: Pixels, painted: Tensor, shown: Shown = NOTHING) -> None:
        """Take note of a frame that was painted already."""
        if self.consistent:
            self._before = pixels, painted, shown

    def _memory(self, pixels: Pixels, shown: Shown) -> Memory | None:
        """The state for the next frame; None at the start of a scene."""
        if self._before is None:
            return None
        before, painted, shown_before = self._before
        if flow.is_plain(before) != flow.is_plain(pixels):
            return None
        motion = flow.estimate(before, pixels)
        change = as_picture(pixels).tensor() - motion.warp(as_picture(before).tensor())
        likeness = _likeness(change)
        if not motion.same_scene or (motion.visible * likeness).mean() < SAME_LIGHT:
            return None
        light = (change * motion.visible).sum((2, 3)) / motion.visible.sum()
        visible = motion.visible
        for name, plane in shown.items():
            now, then = _plane(plane), motion.warp(_plane(shown_before[name]))
            # What was not painted, or by another map, is no example.
            visible = visible * (now * then if name == "mask" else 1 - (now - then).abs())
        if not visible.any():
            return None
        return Memory(motion.warp(painted), visible, visible * likeness, light)


def _plane(mask: Floats) -> Tensor:
    return torch.from_numpy(mask)[None, None]


def as_picture(pixels: Pixels, name: str = "frame") -> Picture:
    """A frame ``(H, W, 3)`` as a picture."""
    return Picture(pixels.astype(np.float32) / np.float32(255), name=name)


def _likeness(change: Tensor) -> Tensor:
    """How like a frame is to the warped one before, ``(1, 1, H, W)``: 1 the same, towards 0."""
    return 1 / (1 + change.square().mean(1, keepdim=True) / DOUBT**2)
