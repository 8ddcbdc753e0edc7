"""Between ComfyUI's tensors and Impasto's pictures: batches, masks, progress, films."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import comfy.model_management
import comfy.utils
import numpy as np
import torch
from torch import Tensor

from impasto import InputError, Picture, Step, load, load_image
from impasto.image import fit
from impasto.image.masks import load_grey
from impasto.stylizers.base import Stylizer
from impasto.stylizers.body import Works
from impasto.video.consistency import VideoPainter, frame_painter

# Parts that the bar of one picture has.
PARTS = 100
# Time between two previews: each makes a GPU wait and goes over the network.
PREVIEW_SECONDS = 0.5
PREVIEW_SIDE = 512


def pictures_of(images: Tensor, name: str) -> list[Picture]:
    """An IMAGE ``[B, H, W, C]`` as pictures; a fourth channel is alpha.

    What lies outside of [0, 1] is clamped, as ComfyUI does where it saves.

    Raises:
        InputError: If it has another shape or values that are not finite.
    """
    if images.ndim != 4 or images.shape[3] not in (3, 4) or not images.numel():
        raise InputError(f"{name} has to be [B, H, W, 3 or 4], not {list(images.shape)}")
    if not images.isfinite().all():
        raise InputError(f"{name} holds values that are not finite (NaN or infinity)")
    arrays = images.detach().float().clamp(0, 1).cpu().numpy()
    return [replace(load_image(array), name=name) for array in arrays]


def style_of(images: Tensor, name: str) -> Picture | Works:
    """An IMAGE as a style: one artwork, or a body of work.

    Raises:
        InputError: If ``pictures_of`` refuses it.
    """
    pictures = pictures_of(images, name)
    return pictures[0] if len(pictures) == 1 else Works(name, tuple(pictures))


def images_of(pictures: Sequence[Picture]) -> Tensor:
    """Pictures of one size as an IMAGE ``[B, H, W, C]``, with alpha where they have it."""
    arrays = [
        each.rgb if each.alpha is None else np.dstack([each.rgb, each.alpha]) for each in pictures
    ]
    return torch.from_numpy(np.stack(arrays))


def alike(items: Sequence[Any], count: int, name: str) -> list[Any]:
    """As many items as there are pictures: one serves for all of them.

    Raises:
        InputError: If there are neither one nor as many.
    """
    if len(items) not in (1, count):
        raise InputError(f"{name} holds {len(items)} images for {count}: give one or as many")
    return list(items) * count if len(items) == 1 else list(items)


@functools.lru_cache(maxsize=2)  # a workflow's own, and the one tried before
def _loaded(method: str, options: tuple[tuple[str, Any], ...]) -> Stylizer[Any]:
    return load(method, **dict(options))


def stylizer_of(method: str, **options: Any) -> Stylizer[Any]:
    """A stylizer on ComfyUI's device; it is kept for the next run with the same options."""
    device = str(comfy.model_management.get_torch_device())
    return _loaded(method, tuple(sorted({**options, "device": device}.items())))


class Progress:
    """Shows a batch as it is painted, and ends where it was cancelled.

    Args:
        count: How many pictures there are.
    """

    def __init__(self, count: int) -> None:
        self.bar = comfy.utils.ProgressBar(count * PARTS)
        self.done = 0
        self._shown = -math.inf

    def __call__(self, step: Step) -> None:
        """Take note of a step of an optimisation."""
        picture = None
        if step.last or step.seconds - self._shown >= PREVIEW_SECONDS:
            self._shown = step.seconds
            picture = step.picture()
        self._tell(round((self.done + step.progress) * PARTS), picture)

    def next(self, picture: Picture) -> None:
        """Take note of a picture that is finished."""
        self.done += 1
        self._shown = -math.inf
        self._tell(self.done * PARTS, picture)

    def _tell(self, parts: int, picture: Picture | None) -> None:
        comfy.model_management.throw_exception_if_processing_interrupted()
        preview = picture and ("JPEG", picture.pil().convert("RGB"), PREVIEW_SIDE)
        self.bar.update_absolute(parts, None, preview)


def paint(
    stylizer: Stylizer[Any],
    photo: Tensor,
    *,
    mask: Tensor | None = None,
    regions: Sequence[Tensor] | None = None,
    maps: Mapping[str, Tensor | None] | None = None,
    consistency: float = 0.0,
) -> Tensor:
    """Repaint a batch in the style that is set.

    Args:
        stylizer: The stylizer.
        photo: ``[B, H, W, C]``.
        mask: ``[B, H, W]`` or one for all; where to paint.
        regions: The same for each style.
        maps: The same for each map of the stylizer (``set_maps``) that is there; black is no error.
        consistency: Above 0 the batch is a film, and a frame follows the one before.

    Returns:
        ``[B, H, W, C]``, at most ``max_size`` pixels long.

    Raises:
        InputError: If the photo or a mask cannot be used.
    """
    # ComfyUI runs nodes in inference mode, whose tensors no optimisation can take.
    with torch.inference_mode(False):
        side = stylizer.options.max_size
        photos = [each.resized(*fit(each.size, side)) for each in pictures_of(photo, "photo")]
        count = len(photos)
        masks = [None] * count if mask is None else _masks_of(mask, count, "mask")
        parts = [_masks_of(each, count, f"region_{i}") for i, each in enumerate(regions or (), 1)]
        given = {name: each for name, each in (maps or {}).items() if each is not None}
        followed = {name: _planes_of(each, count, name) for name, each in given.items()}
        progress = Progress(count)
        film = _Film(stylizer, consistency, progress) if consistency and count > 1 else None
        painted = []
        for index, (each, where) in enumerate(zip(photos, masks, strict=True)):
            stylizer.set_maps(**{name: planes[index] for name, planes in followed.items()})
            if film:
                picture = film(each, where)
            elif where is not None and not where.rgb.any():
                picture = each
            else:
                within = [planes[index] for planes in parts] or None
                result = stylizer(each, mask=where, content_masks=within, callback=progress)
                picture = result.picture
            painted.append(picture)
            progress.next(picture)
        return images_of(painted)


def _masks_of(mask: Tensor, count: int, name: str) -> list[Picture]:
    """A MASK as a picture for each photo: white is painted, black stays as it is.

    Raises:
        InputError: If it is black all over, or ``_planes_of`` refuses it.
    """
    if not mask.any():
        raise InputError(f"{name} is black all over: white says where")
    return _planes_of(mask, count, name)


def _planes_of(mask: Tensor, count: int, name: str) -> list[Picture]:
    """A MASK as a picture for each photo.

    Raises:
        InputError: If it has another shape, or holds neither one nor as many.
    """
    planes = mask[None] if mask.ndim == 2 else mask
    if planes.ndim != 3 or not planes.numel() or not planes.isfinite().all():
        raise InputError(f"{name} has to be [B, H, W] from 0 to 1, not {list(mask.shape)}")
    arrays = planes.detach().float().clamp(0, 1).cpu().numpy()
    return alike([replace(load_image(each), name=name) for each in arrays], count, name)


class _Film:
    """Paints frames one after the other, each with what is known of the one before."""

    def __init__(self, stylizer: Stylizer[Any], consistency: float, progress: Progress) -> None:
        painter = frame_painter(stylizer, consistency, callbacks=[progress])
        self.painter = VideoPainter(painter)

    def __call__(self, frame: Picture, mask: Picture | None) -> Picture:
        if frame.alpha is not None:
            raise InputError("frames of a film have no alpha: remove it, or set consistency to 0")
        shown = {} if mask is None else {"mask": load_grey(mask, frame)}
        # Motion is found in 8 bits; frames of films have no more.
        pixels: Any = frame.integers(8)
        painted = self.painter(pixels, frame.name, shown)
        return Picture.from_tensor(painted)
