"""Motion between two frames: dense optical flow, and where it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from impasto.errors import needs

Pixels = NDArray[np.uint8]

# A frame that shows less than this share of the one before begins a scene. Moving cameras and
# people leave half and more of a frame visible, cuts a tenth.
_SAME_SCENE = 0.3
# Grey levels (of 255, standard deviation) below which a frame shows nothing that could move.
_PLAIN = 2.0
# Below this side DIS finds no patch to compare.
_SMALLEST = 32


def load_cv2(purpose: str) -> Any:
    """The package cv2 (OpenCV).

    Raises:
        MissingExtraError: If it is not installed.
    """
    with needs("opencv-python-headless", "video", purpose):
        import cv2
    return cv2


@dataclass(frozen=True)
class Motion:
    """The place of each pixel of a frame in the frame before.

    Attributes:
        flow: ``(1, 2, H, W)`` in pixels, x and y: pixel p of this frame lay at p + flow(p).
        visible: ``(1, 1, H, W)``, 1 where the frame before shows the same, 0 where it was
            covered, outside, or the flow cannot be trusted.
    """

    flow: Tensor
    visible: Tensor

    @property
    def same_scene(self) -> bool:
        """Whether the frames belong together, and are not divided by a cut."""
        return bool(self.visible.mean() >= _SAME_SCENE)

    def warp(self, before: Tensor) -> Tensor:
        """Bring an image ``(1, C, H, W)`` of the frame before to this frame.

        Bicubic: frame after frame, bilinear interpolation would wash the picture out.
        """
        height, width = self.flow.shape[2:]
        grid = _positions(height, width, self.flow.device) + self.flow
        size = torch.tensor([width, height], device=grid.device).view(1, 2, 1, 1)
        grid = ((2 * grid + 1) / size - 1).permute(0, 2, 3, 1).to(before)
        warped = F.grid_sample(before, grid, "bicubic", "border", align_corners=False)
        return warped.clamp(0, 1)


def estimate(before: Pixels, after: Pixels) -> Motion:
    """Find the motion between two frames ``(H, W, 3)``, RGB.

    Dense inverse search (Kroeger et al. 2016, OpenCV's), once forward and once backward; what
    the two do not agree on is not visible.

    Raises:
        MissingExtraError: If OpenCV is not installed.
    """
    cv2 = load_cv2("optical flow")
    grays = [cv2.cvtColor(_at_least(frame), cv2.COLOR_RGB2GRAY) for frame in (before, after)]
    search = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    there, back = (
        torch.from_numpy(search.calc(*pair, None)).permute(2, 0, 1)[None]
        for pair in (grays, grays[::-1])
    )
    inner = np.s_[:, :, : after.shape[0], : after.shape[1]]
    return Motion(back[inner], visibility(there, back)[inner])


def is_plain(frame: Pixels) -> bool:
    """Whether a frame ``(H, W, 3)`` is of one colour, but for noise: no motion can be found."""
    return bool(frame.std(axis=(0, 1)).max() < _PLAIN)


def visibility(forward: Tensor, backward: Tensor) -> Tensor:
    """The reliable pixels of a flow (Sundaram et al. 2010, as used by Ruder et al. 2016, eq. 5-6).

    Args:
        forward: ``(1, 2, H, W)``, from the frame before to this one.
        backward: ``(1, 2, H, W)``, from this frame to the one before.

    Returns:
        ``(1, 1, H, W)``: 0 where going back and forth does not lead home (covered before), at
        edges of the motion, and where the way leads out of the picture; else 1.
    """
    height, width = backward.shape[2:]
    nowhere = torch.ones(1, 1, height, width)
    home = Motion(backward, nowhere)
    # warp() clamps, which suits colours: shift the flow into [0, 1] and back.
    low, high = forward.amin(), forward.amax()
    span = (high - low).clamp_min(1e-6)
    forward = home.warp((forward - low) / span) * span + low
    astray = (forward + backward).square().sum(1, keepdim=True)
    lengths = (forward.square() + backward.square()).sum(1, keepdim=True)
    covered = astray > 0.01 * lengths + 0.5
    edge = _steepness(backward) > 0.01 * backward.square().sum(1, keepdim=True) + 0.002
    origin = _positions(height, width, backward.device) + backward
    x, y = origin[:, :1], origin[:, 1:]
    outside = (x < -0.5) | (y < -0.5) | (x > width - 0.5) | (y > height - 0.5)
    return (~(covered | edge | outside)).float()


def _steepness(flow: Tensor) -> Tensor:
    """Squared length of the flow's gradients, ``(1, 1, H, W)``."""
    rows, columns = torch.gradient(flow, dim=(2, 3))
    return (rows.square() + columns.square()).sum(1, keepdim=True)


def _positions(height: int, width: int, device: torch.device) -> Tensor:
    y, x = torch.meshgrid(
        torch.arange(height, device=device), torch.arange(width, device=device), indexing="ij"
    )
    return torch.stack([x, y])[None].float()


def _at_least(frame: Pixels) -> Pixels:
    height, width = frame.shape[:2]
    pad = [(0, max(0, _SMALLEST - height)), (0, max(0, _SMALLEST - width)), (0, 0)]
    return np.ascontiguousarray(np.pad(frame, pad, mode="edge"))
