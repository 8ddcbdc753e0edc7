"""Running a network in torch, on any device."""

from __future__ import annotations

import logging
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from impasto.devices import describe as describe_device
from impasto.devices import keep_memory, own_state, pick_device, pick_dtype
from impasto.errors import ImpastoError
from impasto.image import fit
from impasto.stylizers.networks.codes import StyleCode, blend
from impasto.stylizers.networks.engines import Code, Floats, Style
from impasto.stylizers.networks.model_files import load_model
from impasto.stylizers.networks.options import NetworkOptions
from impasto.stylizers.networks.painter import Settle, as_measured
from impasto.stylizers.networks.painter import Style as PainterStyle
from impasto.stylizers.networks.runtime import paint

logger = logging.getLogger(__name__)


class TorchEngine:
    """Runs the network of a model file in torch.

    Args:
        model: The model file.
        options: Device, precision and tiles.

    Raises:
        InputError: If the device or the model cannot be used.
    """

    @own_state()
    def __init__(self, model: Path, options: NetworkOptions) -> None:
        self.options = options
        self.device = pick_device(options.device)
        self.dtype = pick_dtype(options.precision, self.device)
        if self.device.type == "cpu":
            keep_memory()
        network, self.description = load_model(model)
        self.network: Any = network.to(self.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        logger.info("painting with %s on %s", model.name, describe_device(self.device))

    @property
    def settings(self) -> dict[str, object]:
        """See ``Engine``."""
        return {
            "engine": "torch",
            "torch": torch.__version__,
            "device": str(self.device),
            "precision": str(self.dtype).removeprefix("torch."),
        }

    def paint(
        self,
        image: Floats,
        style: Style,
        weights: Floats | None = None,
        settle: Settle | None = None,
        masks: Floats | None = None,
    ) -> Floats:
        """See ``Engine``; ``settle``, ``masks`` and ``weights`` are those of ``runtime.paint``."""
        where = (None if each is None else torch.from_numpy(each) for each in (masks, weights))
        painted = self.apply(torch.from_numpy(image), style, 0.0, 512, settle, *where)
        found: Floats = painted.cpu().numpy()
        return found

    @own_state()
    @torch.inference_mode()
    def encode(self, image: Floats, weights: Floats | None = None) -> Code:
        """See ``Engine``; pixels may count by weights ``(1, 1, h, w)``."""
        shares = None if weights is None else torch.from_numpy(weights).to(self.device)
        with self._autocast():
            code = self.network.encode(torch.from_numpy(image).to(self.device), shares)
        return StyleCode(code.mean.cpu().numpy(), code.square.cpu().numpy())

    @own_state()
    @torch.inference_mode()
    def apply(
        self,
        images: Tensor,
        style: Style,
        own: float = 0.0,
        own_side: int = 512,
        settle: Settle | None = None,
        masks: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Repaint a batch.

        Args:
            images: ``(B, 3, H, W)``, RGB in [0, 1], on any device.
            style: The style.
            own: The share of the pictures' own style in it, from 0 to 1; for any-style networks.
            own_side: Longer side at which that is looked at.
            settle: Which moments of a picture to go by; its own if left out.
            masks: ``(R, 1, H, W)``, where in one picture each of ``R`` styles is.
            weights: ``(1 or R, 1, H, W)``, which of its pixels are looked at; all if left out.

        Returns:
            ``(B, 3, H, W)``, RGB in [0, 1], float32, on the engine's device.

        Raises:
            ImpastoError: If memory runs out.
        """
        images = images.to(self.device, torch.float32)
        try:
            with self._autocast():
                painter, laid = self.network.painter, self._style(images, style, own, own_side)
                order = painter, images, laid, self.options.tile_side
                masks = None if masks is None else masks.to(self.device)
                weights = None if weights is None else weights.to(self.device)
                return paint(*order, settle or as_measured, masks, weights)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            # On a CPU torch raises a plain RuntimeError.
            if not isinstance(error, torch.OutOfMemoryError) and "allocate" not in str(error):
                raise
            raise ImpastoError(
                f"not enough memory for {images.shape[3]} x {images.shape[2]} px: "
                "lower --max-size or --tile"
            ) from error

    def _style(self, images: Tensor, style: Style, own: float, side: int) -> PainterStyle:
        """A style as the network's painter takes it."""
        parts = [torch.from_numpy(part).to(self.device) for part in style]
        if self.description.kind == "fast":
            known: PainterStyle = self.network.style(*parts)
            return known
        code = StyleCode(*parts)
        if own:
            mine = self.network.encode(_reduced(images, side))
            code = blend([mine, code], [own, 1 - own])
        predicted: PainterStyle = self.network.style(code)
        return predicted

    def _autocast(self) -> AbstractContextManager[None]:
        """Convolutions in bfloat16 where that was asked for."""
        enabled = self.dtype != torch.float32
        return torch.autocast(self.device.type, torch.bfloat16, enabled=enabled)


def _reduced(images: Tensor, side: int) -> Tensor:
    """Images ``(B, 3, H, W)`` with at most this longer side."""
    if max(images.shape[2:]) <= side:
        return images
    size = fit((images.shape[2], images.shape[3]), side)
    return F.interpolate(images, size=size, mode="bilinear", antialias=True)
