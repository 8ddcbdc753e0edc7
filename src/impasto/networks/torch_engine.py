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
from impasto.networks.codes import StyleCode, blend
from impasto.networks.engines import Code, Floats, Style
from impasto.networks.files import load_model
from impasto.networks.options import FastOptions
from impasto.networks.runtime import paint
from impasto.networks.transformer import Norm, instance_norm

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
    def __init__(self, model: Path, options: FastOptions) -> None:
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

    def paint(self, image: Floats, style: Style, norm: Norm = instance_norm) -> Floats:
        """See ``Engine``; ``norm`` is that of ``apply``."""
        painted: Floats = self.apply(torch.from_numpy(image), style, norm=norm).cpu().numpy()
        return painted

    @own_state()
    @torch.inference_mode()
    def encode(self, image: Floats, weights: Floats | None = None) -> Code:
        """See ``Engine``; pixels may count by weights ``(1, 1, h, w)``."""
        shares = None if weights is None else torch.from_numpy(weights).to(self.device)
        with self._autocast():
            code = self.network.encode_style(torch.from_numpy(image).to(self.device), shares)
        return StyleCode(code.mean.cpu().numpy(), code.square.cpu().numpy())

    @own_state()
    @torch.inference_mode()
    def apply(
        self,
        images: Tensor,
        style: Style,
        own: float = 0.0,
        own_side: int = 512,
        norm: Norm = instance_norm,
    ) -> Tensor:
        """Repaint a batch.

        Args:
            images: ``(B, 3, H, W)``, RGB in [0, 1], on any device.
            style: The style.
            own: The share of the pictures' own style in it, from 0 to 1; for any-style networks.
            own_side: Longer side at which that is looked at.
            norm: Normalises the maps.

        Returns:
            ``(B, 3, H, W)``, RGB in [0, 1], float32, on the engine's device.

        Raises:
            ImpastoError: If memory runs out.
        """
        images = images.to(self.device, torch.float32)
        try:
            with self._autocast():
                modulation = self._modulation(images, style, own, own_side)
                side = self.options.tile_side
                return paint(self.network.painter, images, modulation, side, norm)
        except (torch.OutOfMemoryError, RuntimeError) as error:
            # On a CPU torch raises a plain RuntimeError.
            if not isinstance(error, torch.OutOfMemoryError) and "allocate" not in str(error):
                raise
            raise ImpastoError(
                f"not enough memory for {images.shape[3]} x {images.shape[2]} px: "
                "lower --max-size or --tile"
            ) from error

    def _modulation(self, images: Tensor, style: Style, own: float, side: int) -> Tensor:
        parts = [torch.from_numpy(part).to(self.device) for part in style]
        if self.description.kind == "fast":
            modulation: Tensor = self.network.modulation(*parts)
            return modulation
        code = StyleCode(*parts)
        if own:
            mine = self.network.encode_style(_reduced(images, side))
            code = blend([mine, code], [own, 1 - own])
        modulation = self.network.modulation(code)
        return modulation

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
