"""The moments of feature maps: all that Gram and Wasserstein-2 losses have to know of an image.

Moments are means over positions. So several images blend by averaging their moments, and tiles of
one image by adding them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

EPS = 1e-8
# Positions at the top, the bottom, the left and the right.
Rim = tuple[int, int, int, int]
NO_RIM: Rim = (0, 0, 0, 0)
# Positions that are converted to float32 at a time: small enough for the processor's cache.
CHUNK = 4096


@dataclass(frozen=True)
class Moments:
    """First and second moments of a feature map over its positions.

    Attributes:
        mean: ``(B, C)``, the mean of each channel.
        second: ``(B, C, C)``, the mean products of channels (uncentred): the Gram matrix
            divided by the number of positions. float32 or wider.
    """

    mean: Tensor
    second: Tensor

    def __add__(self, other: Moments) -> Moments:
        """The sums of both."""
        return Moments(self.mean + other.mean, self.second + other.second)

    def __rmul__(self, share: Tensor | float) -> Moments:
        """The moments times a share, to be added to others."""
        return Moments(share * self.mean, share * self.second)

    @property
    def covariance(self) -> Tensor:
        """``(B, C, C)``, the covariance of the channels."""
        return self.second - self.mean[:, :, None] * self.mean[:, None, :]

    def double(self) -> Moments:
        """The same in float64, on the CPU where the device has none (Apple's GPUs)."""
        device = "cpu" if self.mean.device.type == "mps" else self.mean.device
        return Moments(self.mean.to(device, torch.float64), self.second.to(device, torch.float64))

    def through(self, matrix: Tensor) -> Moments:
        """The moments of the maps after a linear map ``(K, C)`` of their channels.

        Without the mapped maps: W x has the mean W m and the second moment W S W^T.
        """
        matrix = matrix.to(self.mean.dtype)
        return Moments(self.mean @ matrix.T, matrix @ self.second @ matrix.T)

    @property
    def spread(self) -> Tensor:
        """``(B,)``, the variances of the channels, added up."""
        return trace(self.covariance)


class _MomentsFunction(torch.autograd.Function):
    """Moments with a hand-written gradient.

    Autograd would keep a float32 copy of each map and multiply in float32 on the way back. Here
    the statistics are accumulated in float32 from small pieces, and the gradient, which only has
    to be as precise as the map, is one product in the map's own dtype: three times faster with
    bfloat16 on a CPU, and half of the memory.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weights: Tensor | None, rim: Rim) -> tuple[Tensor, Tensor]:
        rows = rows_of(_within(maps, rim))
        wide = torch.promote_types(maps.dtype, torch.float32)
        batch, _, channels = rows.shape
        mean = rows.new_zeros((batch, channels), dtype=wide)
        second = rows.new_zeros((batch, channels, channels), dtype=wide)
        for start in range(0, rows.shape[1], CHUNK):
            piece = rows[:, start : start + CHUNK].to(wide)
            weighted = piece if weights is None else piece * weights[:, start : start + CHUNK]
            mean += weighted.sum(dim=1)
            second.baddbmm_(weighted.mT, piece)
        total = _total_weight(rows, weights)
        ctx.save_for_backward(maps, weights, total)
        ctx.rim = rim
        return mean / total, second / total[..., None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_mean: Tensor, grad_second: Tensor) -> tuple[Tensor, None, None]:
        maps, weights, total = ctx.saved_tensors
        grad = Moments(grad_mean / total, grad_second / total[..., None])
        result = _pull_back(maps, weights, grad)
        for axis, (first, last) in ((2, ctx.rim[:2]), (3, ctx.rim[2:])):
            result.narrow(axis, 0, first).zero_()
            result.narrow(axis, maps.shape[axis] - last, last).zero_()
        return result, None, None


def _within(maps: Tensor, rim: Rim) -> Tensor:
    """Maps without their rim."""
    top, bottom, left, right = rim
    height, width = maps.shape[2:]
    return maps[:, :, top : height - bottom, left : width - right]


def _pull_back(maps: Tensor, weights: Tensor | None, grad: Moments) -> Tensor:
    """The gradient of feature maps from that of their moments' sums over positions."""
    matrix = (grad.second + grad.second.mT).to(maps.dtype)
    vector = grad.mean[:, None, :].to(maps.dtype)
    rows = torch.baddbmm(vector, rows_of(maps), matrix)
    if weights is not None:
        rows *= weights.to(rows.dtype)
    height, width = maps.shape[2:]
    return rows.view(rows.shape[0], height, width, -1).permute(0, 3, 1, 2)


def rows_of(maps: Tensor) -> Tensor:
    """``(B, C, h, w)`` to ``(B, h * w, C)``: no copy where the map is channels-last."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)


def _total_weight(rows: Tensor, weights: Tensor | None) -> Tensor:
    """The number of positions, or the sum of their weights: ``(1 or B, 1)``."""
    if weights is None:
        return torch.full((1, 1), max(1, rows.shape[1]), device=rows.device)
    return weights.sum(dim=1).clamp_min(EPS)


def moments(maps: Tensor, weights: Tensor | None = None, rim: Rim = NO_RIM) -> Moments:
    """Return the moments of feature maps over their positions.

    Args:
        maps: ``(B, C, h, w)``.
        weights: ``(B, 1, h, w)`` or ``(1, 1, h, w)``, how much each position counts, for
            example the share of it that is not transparent; all alike if left out.
        rim: Where there are no weights: how many positions at the top, the bottom, the left and the
            right do not count. (As weights they would be a multiplication of whole maps.)

    Returns:
        Mean ``(B, C)`` and second moment ``(B, C, C)``, in float32 or wider.
    """
    at = _row_weights(maps, weights)
    mean, second = _MomentsFunction.apply(maps, at, rim)  # type: ignore[no-untyped-call]
    return Moments(mean, second)


def _row_weights(maps: Tensor, weights: Tensor | None) -> Tensor | None:
    """Weights of positions ``(1 or B, 1, h, w)`` as ``(B, h * w, 1)``."""
    if weights is None:
        return None
    weights = weights.expand(maps.shape[0], -1, -1, -1)
    return rows_of(weights).to(torch.promote_types(maps.dtype, torch.float32))


def trace(matrix: Tensor) -> Tensor:
    """The sums of the diagonals of matrices ``(B, C, C)``."""
    return matrix.diagonal(dim1=-2, dim2=-1).sum(dim=-1)


def total(terms: Iterable[Tensor]) -> Tensor:
    """The sum of scalar terms."""
    return torch.stack(list(terms)).sum(dim=0)
