"""The stylizers that paint with a network: ``Fast`` (per style) and ``Arbitrary`` (any style)."""

from __future__ import annotations

import dataclasses
import logging
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor

from impasto import __version__
from impasto.devices import describe as describe_device
from impasto.devices import keep_memory, pick_device, pick_dtype
from impasto.errors import ImpastoError, InputError
from impasto.image import ImageSource, Picture, load_image, load_mask
from impasto.image.masks import composite, name_of
from impasto.networks.arbitrary import ArbitraryNetwork, StyleCode, blend
from impasto.networks.files import Kind, load_model
from impasto.networks.gallery import shipped, style_index
from impasto.networks.options import ArbitraryOptions, FastOptions
from impasto.networks.runtime import paint
from impasto.networks.transformer import Painter, TransformerNetwork
from impasto.result import Result

logger = logging.getLogger(__name__)

Options = TypeVar("Options", bound=FastOptions)


class Fast:
    """Repaints pictures in the styles that a network has learnt (Johnson et al. 2016).

    Make it once and call it for many pictures: the model is loaded only once.

    Args:
        options: The options.
        **overrides: Options by name, where ``options`` is left out.

    Attributes:
        styles: Names of the styles that the model knows.

    Raises:
        InputError: If an option, the device or the model cannot be used.
    """

    def __init__(self, options: FastOptions | None = None, **overrides: Any) -> None:
        self.options = _resolved(FastOptions, options, overrides)
        self._runner = _Runner(self.options, "fast")
        network = self._runner.network
        assert isinstance(network, TransformerNetwork)
        self.network = network
        self.styles = self._runner.description.styles

    def __call__(
        self,
        content: ImageSource,
        styles: str | Sequence[str] | None = None,
        *,
        style_weights: Sequence[float] | None = None,
        mask: ImageSource | None = None,
    ) -> Result:
        """Repaint a picture.

        Args:
            content: The photo: a path, Pillow image, array, tensor or Picture.
            styles: The name of a style, or of several that are mixed; may be left out where the
                model knows only one.
            style_weights: How much each style counts; all alike if left out.
            mask: Where to paint (``load_mask``); elsewhere the photo stays as it is.

        Returns:
            The picture, at most ``max_size`` pixels long, with the alpha of the photo.

        Raises:
            InputError: If the photo, the mask, a style or a weight cannot be used.
            ImpastoError: If memory runs out.
        """
        names, weights = self._mix(styles, style_weights)
        modulation = self._modulation(names, weights)
        settings = {"styles": names, "style_weights": weights}
        return self._runner.stylize(content, lambda _: modulation, settings, mask)

    def apply(
        self,
        images: Tensor,
        styles: str | Sequence[str] | None = None,
        *,
        style_weights: Sequence[float] | None = None,
    ) -> Tensor:
        """Repaint a batch of tensors ``(B, 3, H, W)``, RGB in [0, 1], as they are.

        Styles and errors are those of calling the object.
        """
        modulation = self._modulation(*self._mix(styles, style_weights))
        return self._runner.paint(images, lambda _: modulation)

    def _mix(
        self, styles: str | Sequence[str] | None, weights: Sequence[float] | None
    ) -> tuple[list[str], list[float]]:
        if styles is None:
            if len(self.styles) > 1:
                raise InputError(f"which style? The model knows {', '.join(self.styles)}")
            styles = self.styles
        names = [styles] if isinstance(styles, str) else list(styles)
        shares = _shares(weights, len(names))
        return [self.styles[style_index(name, self.styles)] for name in names], shares

    @torch.inference_mode()
    def _modulation(self, names: Sequence[str], shares: Sequence[float]) -> Tensor:
        mix = torch.zeros(1, len(self.styles), device=self._runner.device)
        for name, share in zip(names, shares, strict=True):
            mix[0, self.styles.index(name)] += share
        return self.network.modulation(mix)


class Arbitrary:
    """Repaints pictures in the style of any image, with one network.

    Either call it with photo and style, or ``set_style`` once and ``stylize`` many photos.

    Args:
        options: The options.
        **overrides: Options by name, where ``options`` is left out.

    Raises:
        InputError: If an option, the device or the model cannot be used.
    """

    def __init__(self, options: ArbitraryOptions | None = None, **overrides: Any) -> None:
        self.options = _resolved(ArbitraryOptions, options, overrides)
        self._runner = _Runner(self.options, "arbitrary")
        network = self._runner.network
        assert isinstance(network, ArbitraryNetwork)
        self.network = network
        self._code: StyleCode | None = None
        self._settings: dict[str, object] = {}

    def __call__(
        self,
        content: ImageSource,
        styles: ImageSource | Sequence[ImageSource],
        *,
        style_weights: Sequence[float] | None = None,
        mask: ImageSource | None = None,
    ) -> Result:
        """Repaint a picture in the manner of one or several artworks; keeps the style.

        Arguments, result and errors are those of ``set_style`` and ``stylize``.
        """
        self.set_style(styles, style_weights=style_weights)
        return self.stylize(content, mask=mask)

    def set_style(
        self,
        styles: ImageSource | Sequence[ImageSource],
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
        sources: list[ImageSource] = list(styles) if several else [styles]  # type: ignore[arg-type, list-item]
        shares = _shares(style_weights, len(sources))
        artworks = [load_image(source, long_side=self.options.style_size) for source in sources]
        self._code = blend([self._encode(artwork) for artwork in artworks], shares)
        names = [artwork.name for artwork in artworks]
        self._settings = {"styles": names, "style_weights": shares}

    def stylize(self, content: ImageSource, *, mask: ImageSource | None = None) -> Result:
        """Repaint a picture in the style that was set.

        Args:
            content: The photo: a path, Pillow image, array, tensor or Picture.
            mask: Where to paint (``load_mask``); elsewhere the photo stays as it is.

        Returns:
            The picture, at most ``max_size`` pixels long, with the alpha of the photo.

        Raises:
            InputError: If no style was set, or the photo or the mask cannot be used.
            ImpastoError: If memory runs out.
        """
        return self._runner.stylize(content, self._modulation, self._settings, mask)

    def apply(self, images: Tensor) -> Tensor:
        """Repaint a batch of tensors ``(B, 3, H, W)``, RGB in [0, 1], in the style that was set."""
        return self._runner.paint(images, self._modulation)

    @torch.inference_mode()
    def _encode(self, artwork: Picture) -> StyleCode:
        if artwork.alpha is not None and not artwork.alpha.any():
            raise InputError(f"{artwork.name} is fully transparent: there is nothing to see")
        device = self._runner.device
        with self._runner.autocast():
            return self.network.encode_style(artwork.tensor(device), artwork.alpha_tensor(device))

    def _modulation(self, images: Tensor) -> Tensor:
        """The modulation for content images, which enter where the strength is below 1."""
        if self._code is None:
            raise InputError("no style yet: call set_style first")
        strength, code = self.options.strength, self._code
        if strength < 1:
            own = self.network.encode_style(_reduced(images, self.options.style_size))
            code = blend([own, code], [1 - strength, strength])
        return self.network.modulation(code)


class _Runner:
    """What both stylizers do alike: device, model, from picture to picture."""

    def __init__(self, options: FastOptions, kind: Kind) -> None:
        self.options = options
        self.device = pick_device(options.device)
        self.dtype = pick_dtype(options.precision, self.device)
        if self.device.type == "cpu":
            keep_memory()
        self.path = Path(options.model).expanduser() if options.model else shipped(kind)
        network, self.description = load_model(self.path, kind)
        self.network = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        logger.info("painting with %s on %s", self.path.name, describe_device(self.device))

    @property
    def painter(self) -> Painter:
        painter: Painter = self.network.painter
        return painter

    def autocast(self) -> AbstractContextManager[None]:
        """Convolutions in bfloat16 where that was asked for."""
        enabled = self.dtype != torch.float32
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)

    @torch.inference_mode()
    def paint(self, images: Tensor, modulate: Callable[[Tensor], Tensor]) -> Tensor:
        """Repaint ``(B, 3, H, W)`` with the modulation that ``modulate`` gives for it."""
        if images.ndim != 4 or images.shape[1] != 3 or 0 in images.shape:
            raise InputError(f"images have to be (B, 3, H, W), not {tuple(images.shape)}")
        images = images.to(self.device, torch.float32)
        try:
            with self.autocast():
                return paint(self.painter, images, modulate(images), self.options.tile)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            # On a CPU torch raises a plain RuntimeError.
            if not isinstance(error, torch.OutOfMemoryError) and "allocate" not in str(error):
                raise
            raise ImpastoError(
                f"not enough memory for {images.shape[3]} x {images.shape[2]} px: "
                "lower --max-size or --tile"
            ) from error

    def stylize(
        self,
        content: ImageSource,
        modulate: Callable[[Tensor], Tensor],
        settings: dict[str, object],
        mask: ImageSource | None,
    ) -> Result:
        """Repaint a picture."""
        began = time.perf_counter()
        photo = load_image(content, long_side=self.options.max_size)
        where = None if mask is None else load_mask(mask, photo)
        painted = self.paint(photo.tensor(self.device), modulate)
        picture = Picture.from_tensor(painted, photo.alpha_tensor(), name="result", bits=photo.bits)
        picture = composite(picture, photo, where)
        if mask is not None:
            settings = {**settings, "mask": name_of(mask)}
        seconds = time.perf_counter() - began
        return Result(picture, self._settings(photo, settings, seconds), seconds=seconds)

    def _settings(
        self, photo: Picture, settings: dict[str, object], seconds: float
    ) -> dict[str, object]:
        return {
            "impasto": __version__,
            "method": self.description.kind,
            "content": photo.name,
            **settings,
            **dataclasses.asdict(self.options),
            "model": self.path.name,
            "device": str(self.device),
            "precision": str(self.dtype).removeprefix("torch."),
            "torch": torch.__version__,
            "seconds": round(seconds, 3),
        }


def _resolved(kind: type[Options], options: Options | None, overrides: dict[str, Any]) -> Options:
    if options is not None and overrides:
        raise InputError(f"give options or {', '.join(overrides)}, not both")
    known = [item.name for item in dataclasses.fields(kind)]
    for name in overrides:
        if name not in known:
            raise InputError(f"there is no option '{name}': choose {', '.join(known)}")
    return options or kind(**overrides)


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
