"""The stylizers that paint with a network: ``Fast`` (per style) and ``Arbitrary`` (any style).

Both are made once, given a style, and called for many photos.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

from impasto.color import keep_colors, match_linear, prepare_style
from impasto.errors import InputError
from impasto.image import ImageSource, Picture, as_list, fit, load_image, load_mask
from impasto.image.masks import composite, name_of
from impasto.names import must_be_known
from impasto.networks.codes import blend
from impasto.networks.description import Kind, describe
from impasto.networks.engines import (
    Code,
    Engine,
    Floats,
    Style,
    onnx_engine,
    torch_engine,
)
from impasto.networks.gallery import shipped, style_index
from impasto.networks.options import ArbitraryOptions, FastOptions
from impasto.options import check_weights
from impasto.result import Result
from impasto.version import __version__

if TYPE_CHECKING:
    from torch import Tensor

    from impasto.events import Callback
    from impasto.networks.torch_engine import TorchEngine
    from impasto.networks.transformer import Norm

logger = logging.getLogger(__name__)

Options = TypeVar("Options", bound=FastOptions)
Wanted = TypeVar("Wanted")


class _NetworkStylizer(ABC, Generic[Options, Wanted]):
    """What both stylizers do alike: options, engine, from picture to picture."""

    kind: Kind
    options_type: type[Options]

    def __init__(self, options: Options | None = None, **overrides: Any) -> None:
        if options is not None and overrides:
            raise InputError(f"give options or {', '.join(overrides)}, not both")
        known = [item.name for item in dataclasses.fields(self.options_type)]
        for name in overrides:
            must_be_known(f"option of the method {self.kind}", name, known)
        self.options = options or self.options_type(**overrides)
        self.path = Path(self.options.model or shipped(self.kind)).expanduser()
        self.description = describe(self.path)
        if self.description.kind != self.kind:
            found = self.description.kind
            raise InputError(f"{self.path} holds a model for --method {found}, not {self.kind}")
        self._style_settings: dict[str, object] | None = None
        onnx = onnx_engine(self.path, self.options)
        if onnx:
            logger.info("painting with %s in ONNX Runtime on cpu", self.path.name)
        self.engine: Engine = onnx or self.torch

    @functools.cached_property
    def torch(self) -> TorchEngine:
        """The torch engine, made when it is needed: it can do what ONNX files cannot."""
        return torch_engine(self.path, self.options)

    def __call__(
        self,
        content: ImageSource,
        styles: Wanted | Sequence[Wanted] | None = None,
        *,
        style_weights: Sequence[float] | None = None,
        mask: ImageSource | None = None,
    ) -> Result:
        """Repaint a picture in a style, and keep the style.

        Arguments, result and errors are those of ``set_style`` and ``stylize``.
        """
        self.set_style(styles, style_weights=style_weights)
        return self.stylize(content, mask=mask)

    @abstractmethod
    def set_style(
        self,
        styles: Wanted | Sequence[Wanted] | None = None,
        *,
        style_weights: Sequence[float] | None = None,
    ) -> None:
        """Set the style for the calls of ``stylize`` and ``apply`` that follow."""

    @abstractmethod
    def _style(self, photo: Picture) -> Style:
        """The style that was set, as the engine takes it, for a photo."""

    def stylize(
        self,
        content: ImageSource,
        *,
        mask: ImageSource | None = None,
        callbacks: Sequence[Callback] = (),
        norm: Norm | None = None,
    ) -> Result:
        """Repaint a picture in the style that was set.

        Args:
            content: The photo: a path, Pillow image, array, tensor or Picture.
            mask: Where to paint (``load_mask``); elsewhere the photo stays as it is.
            callbacks: Taken as all stylizers take them; a network has no steps to tell of.
            norm: Normalises the maps in torch, in place of the statistics of this picture alone.

        Returns:
            The picture, at most ``max_size`` pixels long, with the alpha of the photo.

        Raises:
            InputError: If no style was set, or the photo or the mask cannot be used.
            ImpastoError: If memory runs out.
        """
        began = time.perf_counter()
        photo = load_image(content, long_side=self.options.max_size)
        where = None if mask is None else load_mask(mask, photo)
        self._must_have_style()
        engine = self.engine
        side = self.options.tile_side
        if side and math.prod(photo.size) > side**2:
            engine = self.torch  # ONNX files do not paint in tiles
        planes, style = _planes(photo.rgb), self._style(photo)
        if norm is None:
            painted = engine.paint(planes, style)
        else:
            engine = self.torch
            painted = engine.paint(planes, style, norm)
        rgb = np.ascontiguousarray(painted[0].transpose(1, 2, 0))
        picture = Picture(rgb, photo.alpha, name="result", bits=photo.bits)
        picture = composite(self._recolored(picture, photo), photo, where)
        seconds = time.perf_counter() - began
        settings = self._settings(photo, engine, seconds)
        if mask is not None:
            settings["mask"] = name_of(mask)
        return Result(picture, settings, seconds=seconds)

    def _must_have_style(self) -> None:
        if self._style_settings is None:
            raise InputError("no style yet: call set_style first")

    def _recolored(self, picture: Picture, photo: Picture) -> Picture:
        """The finished picture with the photo's colours, as far as that was asked for."""
        options = self.options
        if options.preserve_color == "luminance":
            picture = keep_colors(picture, photo, options.color_strength)
        if options.match_result == "content":
            picture = match_linear(picture, photo, options.color_strength)
        return picture

    def apply(self, images: Tensor) -> Tensor:
        """Repaint a batch of tensors in torch in the style that was set, colours as they come.

        Args:
            images: ``(B, 3, H, W)``, RGB in [0, 1], painted at this size.

        Returns:
            ``(B, 3, H, W)``, RGB in [0, 1], float32, on the stylizer's device.

        Raises:
            InputError: If no style was set, or the shape is another one.
            ImpastoError: If memory runs out.
        """
        self._must_have_style()
        if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
            raise InputError(f"images have to be (B, 3, H, W), not {tuple(images.shape)}")
        return self._apply(images)

    @abstractmethod
    def _apply(self, images: Tensor) -> Tensor:
        """Repaint ``(B, 3, H, W)`` in torch."""

    def _settings(self, photo: Picture, engine: Engine, seconds: float) -> dict[str, object]:
        return {
            "impasto": __version__,
            "method": self.kind,
            "content": photo.name,
            **(self._style_settings or {}),
            **dataclasses.asdict(self.options),
            "model": self.path.name,
            **engine.settings,
            "seconds": round(seconds, 3),
        }


class Fast(_NetworkStylizer[FastOptions, str]):
    """Repaints pictures in the styles that a network has learnt (Johnson et al. 2016).

    Either call it with photo and style, or ``set_style`` once and ``stylize`` many photos.

    Args:
        options: The options.
        **overrides: Options by name, where ``options`` is left out.

    Attributes:
        styles: Names of the styles that the model knows.

    Raises:
        InputError: If an option, the device or the model cannot be used.
    """

    kind = "fast"
    options_type = FastOptions

    @property
    def styles(self) -> tuple[str, ...]:
        """Names of the styles that the model knows."""
        return self.description.styles

    def set_style(
        self,
        styles: str | Sequence[str] | None = None,
        *,
        style_weights: Sequence[float] | None = None,
    ) -> None:
        """Set the style for the calls of ``stylize`` and ``apply`` that follow.

        Args:
            styles: The name of a style, or of several that are mixed; may be left out where the
                model knows only one.
            style_weights: How much each style counts; all alike if left out.

        Raises:
            InputError: If a style or a weight cannot be used.
        """
        if styles is None:
            if len(self.styles) > 1:
                raise InputError(f"which style? The model knows {', '.join(self.styles)}")
            styles = self.styles
        names = as_list(styles)
        shares = _shares(style_weights, len(names))
        numbers = [style_index(name, self.styles) for name in names]
        self._mix = np.zeros((1, len(self.styles)), np.float32)
        for number, share in zip(numbers, shares, strict=True):
            self._mix[0, number] += share
        known = [self.styles[number] for number in numbers]
        self._style_settings = {"styles": known, "style_weights": shares}

    def _style(self, photo: Picture) -> Style:
        return (self._mix,)

    def _apply(self, images: Tensor) -> Tensor:
        return self.torch.apply(images, (self._mix,))


class Arbitrary(_NetworkStylizer[ArbitraryOptions, ImageSource]):
    """Repaints pictures in the style of any image, with one network.

    Either call it with photo and style, or ``set_style`` once and ``stylize`` many photos.

    Args:
        options: The options.
        **overrides: Options by name, where ``options`` is left out.

    Raises:
        InputError: If an option, the device or the model cannot be used.
    """

    kind = "arbitrary"
    options_type = ArbitraryOptions

    def set_style(
        self,
        styles: ImageSource | Sequence[ImageSource] | None = None,
        *,
        style_weights: Sequence[float] | None = None,
    ) -> None:
        """Encode a style, or blend several, for the calls of ``stylize`` that follow.

        Args:
            styles: The artwork, or several: paths, Pillow images, arrays, tensors or Pictures.
                Transparent parts do not count.
            style_weights: How much each artwork counts; all alike if left out.

        Raises:
            InputError: If an artwork or a weight cannot be used.
        """
        sources = as_list(styles)
        if sources == [None]:
            raise InputError("no style: give at least one")
        self._shares = _shares(style_weights, len(sources))
        side = self.options.style_size
        self._artworks = [load_image(source, long_side=side) for source in sources]
        self._code = self._encode(self._artworks)
        names = [artwork.name for artwork in self._artworks]
        self._style_settings = {"styles": names, "style_weights": self._shares}

    def _style(self, photo: Picture) -> Style:
        options, code = self.options, self._code
        if options.preserve_color in ("linear", "histogram"):
            # The artworks take the colours of this very photo.
            mode, strength = options.preserve_color, options.color_strength
            code = self._encode(
                [prepare_style(mode, each, photo, strength) for each in self._artworks]
            )
        if options.strength < 1:
            small = photo.resized(*fit(photo.size, options.style_size))
            own = self.engine.encode(_planes(small.rgb))
            code = blend([own, code], [1 - options.strength, options.strength])
        return (code.mean, code.square)

    def _apply(self, images: Tensor) -> Tensor:
        code = self._code
        own, side = 1 - self.options.strength, self.options.style_size
        return self.torch.apply(images, (code.mean, code.square), own, side)

    def _recolored(self, picture: Picture, photo: Picture) -> Picture:
        picture = super()._recolored(picture, photo)
        if self.options.match_result == "style":
            return match_linear(picture, self._artworks[0], self.options.color_strength)
        return picture

    def _encode(self, artworks: Sequence[Picture]) -> Code:
        return blend([self._encode_one(artwork) for artwork in artworks], self._shares)

    def _encode_one(self, artwork: Picture) -> Code:
        if artwork.alpha is None:
            return self.engine.encode(_planes(artwork.rgb))
        if not artwork.alpha.any():
            raise InputError(f"{artwork.name} is fully transparent: there is nothing to see")
        return self.torch.encode(_planes(artwork.rgb), artwork.alpha[None, None])


def _planes(rgb: Floats) -> Floats:
    """``(H, W, 3)`` as ``(1, 3, H, W)``."""
    return np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])


def _shares(weights: Sequence[float] | None, count: int) -> list[float]:
    """Style weights that add up to 1."""
    if not count:
        raise InputError("no style: give at least one")
    checked = check_weights(weights, count)
    return [weight / sum(checked) for weight in checked]
