"""The stylizers that paint with a network: ``Fast`` (per style) and ``Arbitrary`` (any style).

Both are made once, given a style, and called for many photos.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor

from impasto import __version__
from impasto.color import keep_colors, match_linear, prepare_style
from impasto.devices import describe as describe_device
from impasto.devices import keep_memory, pick_device, pick_dtype
from impasto.errors import ImpastoError, InputError
from impasto.events import Callback
from impasto.image import ImageSource, Picture, load_image
from impasto.names import must_be_known
from impasto.networks.arbitrary import StyleCode, blend
from impasto.networks.description import Kind
from impasto.networks.files import load_model
from impasto.networks.gallery import shipped, style_index
from impasto.networks.options import ArbitraryOptions, FastOptions
from impasto.networks.runtime import paint
from impasto.networks.transformer import Norm, instance_norm
from impasto.result import Result

logger = logging.getLogger(__name__)

Options = TypeVar("Options", bound=FastOptions)
Style = TypeVar("Style")


class _NetworkStylizer(ABC, Generic[Options, Style]):
    """What both stylizers do alike: device, model, from picture to picture."""

    kind: Kind
    options_type: type[Options]

    def __init__(self, options: Options | None = None, **overrides: Any) -> None:
        if options is not None and overrides:
            raise InputError(f"give options or {', '.join(overrides)}, not both")
        known = [item.name for item in dataclasses.fields(self.options_type)]
        for name in overrides:
            must_be_known(f"option of the method {self.kind}", name, known)
        self.options = options or self.options_type(**overrides)
        self.device = pick_device(self.options.device)
        self.dtype = pick_dtype(self.options.precision, self.device)
        if self.device.type == "cpu":
            keep_memory()
        self.path = Path(self.options.model or shipped(self.kind)).expanduser()
        network, self.description = load_model(self.path, self.kind)
        self.network: Any = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self._style_settings: dict[str, object] | None = None
        logger.info("painting with %s on %s", self.path.name, describe_device(self.device))

    def __call__(
        self,
        content: ImageSource,
        styles: Style | Sequence[Style] | None = None,
        *,
        style_weights: Sequence[float] | None = None,
    ) -> Result:
        """Repaint a picture in a style, and keep the style.

        Arguments, result and errors are those of ``set_style`` and ``stylize``.
        """
        self.set_style(styles, style_weights=style_weights)
        return self.stylize(content)

    @abstractmethod
    def set_style(
        self,
        styles: Style | Sequence[Style] | None = None,
        *,
        style_weights: Sequence[float] | None = None,
    ) -> None:
        """Set the style for the calls of ``stylize`` and ``apply`` that follow."""

    @abstractmethod
    def _modulation(self, images: Tensor) -> Tensor:
        """The modulation for content images ``(B, 3, H, W)`` in the style that was set."""

    def stylize(
        self,
        content: ImageSource,
        *,
        callbacks: Sequence[Callback] = (),
        norm: Norm = instance_norm,
    ) -> Result:
        """Repaint a picture in the style that was set.

        Args:
            content: The photo: a path, Pillow image, array, tensor or Picture.
            callbacks: Taken as all stylizers take them; a network has no steps to tell of.
            norm: Normalises the maps, in place of the statistics of this picture alone.

        Returns:
            The picture, at most ``max_size`` pixels long, with the alpha of the photo.

        Raises:
            InputError: If no style was set, or the photo cannot be used.
            ImpastoError: If memory runs out.
        """
        began = time.perf_counter()
        photo = load_image(content, long_side=self.options.max_size)
        painted = self._paint_photo(photo, norm)
        picture = Picture.from_tensor(painted, photo.alpha_tensor(), name="result", bits=photo.bits)
        picture = self._recolored(picture, photo)
        seconds = time.perf_counter() - began
        return Result(picture, self._settings(photo, seconds), seconds=seconds)

    def _paint_photo(self, photo: Picture, norm: Norm) -> Tensor:
        return self.apply(photo.tensor(self.device), norm=norm)

    def _recolored(self, picture: Picture, photo: Picture) -> Picture:
        """The finished picture with the photo's colours, as far as that was asked for."""
        options = self.options
        if options.preserve_color == "luminance":
            picture = keep_colors(picture, photo, options.color_strength)
        if options.match_result == "content":
            picture = match_linear(picture, photo, options.color_strength)
        return picture

    @torch.inference_mode()
    def apply(self, images: Tensor, *, norm: Norm = instance_norm) -> Tensor:
        """Repaint a batch of tensors in the style that was set, without colour control.

        Args:
            images: ``(B, 3, H, W)``, RGB in [0, 1], painted at this size.
            norm: As for ``stylize``.

        Returns:
            ``(B, 3, H, W)``, RGB in [0, 1], float32, on the stylizer's device.

        Raises:
            InputError: If no style was set, or the shape is another one.
            ImpastoError: If memory runs out.
        """
        if self._style_settings is None:
            raise InputError("no style yet: call set_style first")
        if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
            raise InputError(f"images have to be (B, 3, H, W), not {tuple(images.shape)}")
        images = images.to(self.device, torch.float32)
        try:
            with self._autocast():
                modulation = self._modulation(images)
                return paint(self.network.painter, images, modulation, self.options.tile, norm)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            # On a CPU torch raises a plain RuntimeError.
            if not isinstance(error, torch.OutOfMemoryError) and "allocate" not in str(error):
                raise
            raise ImpastoError(
                f"not enough memory for {images.shape[3]} x {images.shape[2]} px: "
                "lower --max-size or --tile"
            ) from error

    def _autocast(self) -> AbstractContextManager[None]:
        """Convolutions in bfloat16 where that was asked for."""
        enabled = self.dtype != torch.float32
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    def _settings(self, photo: Picture, seconds: float) -> dict[str, object]:
        return {
            "impasto": __version__,
            "method": self.kind,
            "content": photo.name,
            **(self._style_settings or {}),
            **dataclasses.asdict(self.options),
            "model": self.path.name,
            "device": str(self.device),
            "precision": str(self.dtype).removeprefix("torch."),
            "torch": torch.__version__,
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
        names = [styles] if isinstance(styles, str) else list(styles)
        shares = _shares(style_weights, len(names))
        numbers = [style_index(name, self.styles) for name in names]
        mix = torch.zeros(1, len(self.styles), device=self.device)
        for number, share in zip(numbers, shares, strict=True):
            mix[0, number] += share
        with torch.inference_mode():
            self._mixed: Tensor = self.network.modulation(mix)
        known = [self.styles[number] for number in numbers]
        self._style_settings = {"styles": known, "style_weights": shares}

    def _modulation(self, images: Tensor) -> Tensor:
        return self._mixed


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
        several = isinstance(styles, (list, tuple))
        sources: list[Any] = list(styles) if several else [styles]  # type: ignore[arg-type]
        if sources == [None]:
            raise InputError("no style: give at least one")
        self._shares = _shares(style_weights, len(sources))
        side = self.options.style_size
        self._artworks = [load_image(source, long_side=side) for source in sources]
        self._code = self._encode(self._artworks)
        names = [artwork.name for artwork in self._artworks]
        self._style_settings = {"styles": names, "style_weights": self._shares}

    def _paint_photo(self, photo: Picture, norm: Norm) -> Tensor:
        options = self.options
        if options.preserve_color in ("linear", "histogram") and self._style_settings is not None:
            # The artworks take the colours of this very photo.
            mode, strength = options.preserve_color, options.color_strength
            tuned = [prepare_style(mode, each, photo, strength) for each in self._artworks]
            self._code = self._encode(tuned)
        return super()._paint_photo(photo, norm)

    def _recolored(self, picture: Picture, photo: Picture) -> Picture:
        picture = super()._recolored(picture, photo)
        if self.options.match_result == "style":
            return match_linear(picture, self._artworks[0], self.options.color_strength)
        return picture

    @torch.inference_mode()
    def _encode(self, artworks: Sequence[Picture]) -> StyleCode:
        for artwork in artworks:
            if artwork.alpha is not None and not artwork.alpha.any():
                raise InputError(f"{artwork.name} is fully transparent: there is nothing to see")
        with self._autocast():
            codes = [
                self.network.encode_style(
                    artwork.tensor(self.device), artwork.alpha_tensor(self.device)
                )
                for artwork in artworks
            ]
        return blend(codes, self._shares)

    def _modulation(self, images: Tensor) -> Tensor:
        """The modulation for content images, which enter where the strength is below 1."""
        strength, code = self.options.strength, self._code
        if strength < 1:
            own = self.network.encode_style(_reduced(images, self.options.style_size))
            code = blend([own, code], [1 - strength, strength])
        modulation: Tensor = self.network.modulation(code)
        return modulation


def _reduced(images: Tensor, long_side: int) -> Tensor:
    """Images at the size at which styles are looked at."""
    longest = max(images.shape[2:])
    if longest <= long_side:
        return images
    size = [max(1, round(side * long_side / longest)) for side in images.shape[2:]]
    return torch.nn.functional.interpolate(images, size=size, mode="bilinear", antialias=True)


def _shares(weights: Sequence[float] | None, count: int) -> list[float]:
    """Style weights that add up to 1."""
    if not count:
        raise InputError("no style: give at least one")
    weights = [1.0] * count if weights is None else list(weights)
    if len(weights) != count:
        raise InputError(f"{len(weights)} style weights for {count} styles: give one for each")
    if not all(map(math.isfinite, weights)) or min(weights) < 0 or sum(weights) <= 0:
        raise InputError(f"style weights {weights}: none below 0, and not all 0")
    return [weight / sum(weights) for weight in weights]
