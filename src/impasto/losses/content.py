"""The content loss: squared errors of feature maps."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from impasto.losses.statistics import EPS


class Content:
    """Compares a layer's feature maps with the content image's by ``content_loss``.

    The maps may come in pieces: the loss of the whole is the sum of what is returned for each.

    Args:
        head: ``(K, C)``, a linear map of the channels that the maps have still to go through.
    """

    def __init__(self, head: Tensor | None = None) -> None:
        self.head = head
        self.divisor: Tensor | float = EPS

    def measure(self, target: Tensor, weights: Tensor | None = None) -> None:
        """Take note of the content image's maps ``(1, C, h, w)``, or of a piece of them."""
        self.divisor = self.divisor + power(target, weights, self.head)

    def __call__(self, maps: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the loss of maps ``(1, C, h, w)``, a scalar.

        Args:
            maps: Of the image, or of a piece of it.
            target: Of the content image, or of the same piece.
            weights: ``(1, 1, h, w)``, how much each position counts; all alike if left out.
        """
        return squared_error(maps, target, weights, self.head) / self.divisor


class ClassicContent(Content):
    """The mean squared error of all positions, as in most scripts after Gatys et al."""

    def measure(self, target: Tensor, weights: Tensor | None = None) -> None:
        """Count the entries of the maps."""
        channels = target.shape[1] if self.head is None else self.head.shape[0]
        self.divisor += channels * target[:, :1].numel()

    def __call__(self, maps: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
        """Return the loss of maps ``(1, C, h, w)``, a scalar."""
        return super().__call__(maps, target)


def through_head(maps: Tensor, head: Tensor | None) -> Tensor:
    """Maps ``(B, C, h, w)`` after a linear map ``(K, C)`` of their channels, if there is one."""
    return maps if head is None else F.conv2d(maps, head[:, :, None, None])


class _SquaredError(torch.autograd.Function):
    """The weighted sum of squared differences ``(B, C, h, w)``, in float32 or wider.

    For its gradient, the difference, it keeps only what is there anyway: the map, which the
    network goes on with, and the target. Autograd would keep wide copies as large as the image.
    """

    @staticmethod
    def forward(
        ctx: Any, maps: Tensor, target: Tensor, weights: Tensor | None, head: Tensor | None
    ) -> Tensor:
        ctx.save_for_backward(maps, target, weights, head)
        return power(maps - target, weights, head)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None, None, None]:
        maps, target, weights, head = ctx.saved_tensors
        difference = through_head(maps - target, None if head is None else head.T @ head)
        share = 2 * grad if weights is None else 2 * grad * weights
        return difference.mul_(share.to(difference.dtype)), None, None, None


def content_loss(maps: Tensor, target: Tensor) -> Tensor:
    """Squared error of feature maps over the target's (Gatys et al. 2016, eq. 1).

    Args:
        maps: ``(B, C, h, w)``, of the image.
        target: ``(B, C, h, w)``, of the content image.

    Returns:
        A scalar: 0 for equal maps, about 1 for a map that shares nothing with the target.
    """
    return squared_error(maps, target) / (power(target) + EPS)


def power(maps: Tensor, weights: Tensor | None = None, head: Tensor | None = None) -> Tensor:
    """The weighted sum of squares of feature maps: a scalar, in float32 or wider.

    Args:
        maps: ``(B, C, h, w)``.
        weights: ``(B, 1, h, w)``, how much each position counts.
        head: ``(K, C)``, a linear map of the channels that the maps have still to go through.
    """
    maps = through_head(maps, head)
    if weights is not None:
        maps = maps * weights.sqrt().to(maps.dtype)
    wide = torch.promote_types(maps.dtype, torch.float32)
    norm: Tensor = torch.linalg.vector_norm(maps, dtype=wide)
    return norm.square()


def squared_error(
    maps: Tensor, target: Tensor, weights: Tensor | None = None, head: Tensor | None = None
) -> Tensor:
    """The weighted sum of squared differences of feature maps: a scalar.

    Args:
        maps: ``(B, C, h, w)``, of the image.
        target: ``(B, C, h, w)``, of the content image.
        weights: ``(B, 1, h, w)``, how much each position counts.
        head: ``(K, C)``, a linear map of the channels that both have still to go through.
    """
    error: Tensor = _SquaredError.apply(maps, target, weights, head)  # type: ignore[no-untyped-call]
    return error
