"""Distances of Gram matrices."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

from impasto.losses.statistics import EPS, Moments


class Gram:
    """Compares moments of an image with a style's by ``gram_loss``.

    Args:
        style: Moments of the style, before the head.
        head: ``(K, C)``, a linear map of the channels that the maps of both have still to go
            through.
    """

    def __init__(self, style: Moments, head: Tensor | None = None) -> None:
        self.style = style
        self.head = None if head is None else head.to(style.mean)
        # One product with it stands for the two with the head.
        self.metric = None if self.head is None else self.head.T @ self.head
        self.size = self._squares(style.second) + EPS

    def __call__(self, image: Moments) -> Tensor:
        """Return the distance, a scalar."""
        return (self._squares(image.second - self.style.second) / self.size).mean()

    def _squares(self, matrix: Tensor) -> Tensor:
        """``(B,)``, the sums of squares of H S H^T for symmetric S ``(B, C, C)``, H the head."""
        squares: Tensor = _Squares.apply(matrix, self.metric)  # type: ignore[no-untyped-call]
        return squares


class _Squares(torch.autograd.Function):
    """With a hand-written gradient: one product, where autograd makes many small steps."""

    @staticmethod
    def forward(ctx: Any, matrix: Tensor, metric: Tensor | None) -> Tensor:
        half = matrix if metric is None else metric @ matrix
        ctx.save_for_backward(half, metric)
        return (half * half.mT).sum(dim=(1, 2))

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        half, metric = ctx.saved_tensors
        whole = half if metric is None else half @ metric
        return 2 * grad[:, None, None] * whole, None


class ClassicGram(Gram):
    """Compares them by ``gram_loss_classic``."""

    def __call__(self, image: Moments) -> Tensor:
        """Return the distance, a scalar."""
        both = image, self.style
        if self.head is not None:
            both = image.through(self.head), self.style.through(self.head)
        return gram_loss_classic(*both)


def gram_loss(image: Moments, style: Moments) -> Tensor:
    """Squared distance of Gram matrices over the square of the style's (Gatys et al. 2016, eq. 4).

    Args:
        image: Moments of the image, ``B`` of them.
        style: Moments of the style, ``B`` or one of them.

    Returns:
        A scalar, the mean over the batch: 0 for equal statistics, 1 for an image without any.
    """
    return Gram(style)(image)


def gram_loss_classic(image: Moments, style: Moments) -> Tensor:
    """Mean squared error of Gram matrices over C * h * w, as in most scripts after Gatys et al.

    Args:
        image: Moments of the image, ``B`` of them.
        style: Moments of the style, ``B`` or one of them.
    """
    return F.mse_loss(image.second, style.second.expand_as(image.second)) / style.mean.shape[1] ** 2
