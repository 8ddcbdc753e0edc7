"""The interface of engines, which run networks: torch, or ONNX Runtime without importing torch.

Both take and give NumPy arrays. The form of a style depends on the kind of the network, as in its
ONNX files: the shares of a per-style network's styles, or the two moments of a style image.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from impasto.stylizers.networks.codes import StyleCode

Floats = NDArray[np.float32]
Style = tuple[Floats, ...]
Code = StyleCode[Floats]


class Engine(Protocol):
    """Runs the networks of one model file."""

    @property
    def settings(self) -> dict[str, object]:
        """Engine, device, precision and version, for the settings stored with a picture."""

    def paint(self, image: Floats, style: Style, weights: Floats | None = None) -> Floats:
        """Repaint ``(1, 3, H, W)``, RGB in [0, 1], in a style.

        Args:
            image: The picture.
            style: The style.
            weights: ``(1, 1, H, W)``, how much each pixel counts; all alike if left out.

        Raises:
            ImpastoError: If memory runs out.
        """

    def encode(self, image: Floats, weights: Floats | None = None) -> Code:
        """Encode a style image ``(1, 3, h, w)``, RGB in [0, 1]; for any-style networks."""
