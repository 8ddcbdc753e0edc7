"""Wasserstein-2 distances of feature maps that are taken for normally distributed."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from impasto.losses.statistics import EPS, Moments, trace

# Eigenvalues of a covariance below this share of the largest are rounding errors of its sums.
RANK = 1e-6


class W2:
    """Compares moments of an image with a style's by ``wasserstein_loss``.

    The style's root is taken in float64, the rest in float32: faint directions make the gradient by
    the moments sensitive to rounding, but images hardly have any of them, so that the gradient by
    an image differs from that in float64 by 0.006 to 0.05 %.
    """

    def __init__(self, style: Moments) -> None:
        self.style = style
        self.root = factor(style.double().covariance).to(style.mean)

    def __call__(self, image: Moments) -> Tensor:
        """Return the distance, a scalar."""
        return wasserstein_loss(image, self.style, self.root)


def wasserstein_loss(image: Moments, style: Moments, root: Tensor | None = None) -> Tensor:
    """Squared Wasserstein-2 distance of Gaussians over the style's second moment.

    The distance between normal distributions with these means and covariances (Olkin and
    Pukelsheim 1982): |m - m_s|^2 + tr(C + C_s - 2 (C_s^1/2 C C_s^1/2)^1/2).

    Args:
        image: Moments of the image, ``B`` of them.
        style: Moments of the style, ``B`` or one of them.
        root: ``sqrtm(style.covariance)``, or its cheaper ``factor``, where known. (Any F with
            F^T F = C_s serves: F C F^T has the eigenvalues of the matrix above.)

    Returns:
        A scalar, the mean over the batch.
    """
    root = sqrtm(style.covariance) if root is None else root
    distance: Tensor = _Distance.apply(image.mean, image.second, style.mean, style.covariance, root)  # type: ignore[no-untyped-call]
    return (distance.clamp_min(0) / (trace(style.second) + EPS)).mean()


class _Distance(torch.autograd.Function):
    """The distance of Gaussians ``(B,)``, with a hand-written gradient.

    The derivative of the trace of a square root is half of the inverse square root, so that one
    eigendecomposition gives both value and gradient. (Peers differentiate through an iterative
    square root instead.)
    """

    @staticmethod
    def forward(
        ctx: Any, mean: Tensor, second: Tensor, goal: Tensor, covariance: Tensor, root: Tensor
    ) -> Tensor:
        own = torch.baddbmm(second, mean[:, :, None], mean[:, None, :], alpha=-1)
        values, vectors = _eigh(root @ own @ root.mT)
        roots = values.clamp_min(0).sqrt()
        # A direction without variance has an infinite derivative; it gets that of a small one.
        floor = 1e-3 * roots.amax(dim=-1, keepdim=True) + EPS
        ctx.save_for_backward(mean, goal, root, vectors, roots.clamp_min(floor))
        spread = trace(own) + trace(covariance) - 2 * roots.sum(dim=-1)
        return (mean - goal).square().sum(dim=1) + spread

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        mean, goal, root, vectors, roots = ctx.saved_tensors
        half = (vectors.mT @ root) / roots.sqrt()[:, :, None]
        by_covariance = half.mT @ -half
        by_covariance.diagonal(dim1=-2, dim2=-1).add_(1)
        by_mean = (mean - goal)[:, :, None] - by_covariance @ mean[:, :, None]
        by_second = grad[:, None, None] * by_covariance
        return 2 * grad[:, None] * by_mean[..., 0], by_second, None, None, None


def sqrtm(matrix: Tensor) -> Tensor:
    """The square root of symmetric positive semidefinite matrices ``(B, C, C)``."""
    values, vectors = _eigh(matrix)
    root: Tensor = (vectors * values.clamp_min(0).sqrt()[:, None, :]) @ vectors.mT
    return root


def factor(covariance: Tensor) -> Tensor:
    """Factors of symmetric positive semidefinite matrices ``(B, C, C)``, of as few rows as will do.

    A small feature map has fewer positions than channels, hence a covariance of low rank, and the
    cost of a Wasserstein distance grows with the cube of the rank.

    Returns:
        ``(B, k, C)``, F with F^T F = the matrix, k the rank: the largest of the batch.
    """
    values, vectors = _eigh(covariance)
    counting = values > RANK * values.amax(dim=-1, keepdim=True)
    rank = max(1, int(counting.sum(dim=-1).max()))
    roots = values[:, -rank:].clamp_min(0).sqrt()  # eigenvalues come in ascending order
    return roots[:, :, None] * vectors[:, :, -rank:].mT


def _eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors; NaN for matrices that are not finite, where torch raises."""
    finite = torch.isfinite(matrix).all()
    safe = torch.where(finite, matrix, 0.0)
    # Apple's GPUs have no eigendecomposition in torch.
    values, vectors = torch.linalg.eigh(safe.cpu() if safe.device.type == "mps" else safe)
    values, vectors = values.to(matrix.device), vectors.to(matrix.device)
    return torch.where(finite, values, torch.nan), vectors
