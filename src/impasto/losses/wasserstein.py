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

    Roots are taken in float64: faint directions make the gradient by the moments sensitive to
    rounding. For the products around them float32 does.

    Args:
        style: Moments of the style, before the head.
        head: ``(K, C)``, a linear map of the channels that the maps of both have still to go
            through.
        root: A factor of the style's covariance behind the head, where known.
    """

    def __init__(
        self, style: Moments, head: Tensor | None = None, root: Tensor | None = None
    ) -> None:
        mapped = style if head is None else style.through(head)
        if root is None:
            root = factor(mapped.double().covariance).to(style.mean)
        if head is None:
            head = metric = _identity(style)
        else:
            head = head.to(style.mean)
            # With the head in it, the image's covariance need not go through it.
            root, metric = root @ head, head.T @ head
        self.known = mapped.mean, root, head, metric
        self.spread, self.size = mapped.spread, trace(mapped.second) + EPS

    def __call__(self, image: Moments) -> Tensor:
        """Return the distance, a scalar."""
        distance: Tensor = _Distance.apply(image.mean, image.second, *self.known)  # type: ignore[no-untyped-call]
        return ((distance + self.spread).clamp_min(0) / self.size).mean()


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
    return W2(style, root=sqrtm(style.covariance) if root is None else root)(image)


def _identity(moments: Moments) -> Tensor:
    mean = moments.mean
    return torch.eye(mean.shape[1], dtype=mean.dtype, device=mean.device)


class _Distance(torch.autograd.Function):
    """The distance of Gaussians ``(B,)`` but for the style's spread.

    The derivative of the trace of a square root is half of the inverse square root, so that one
    eigendecomposition gives both value and gradient. (Peers differentiate through an iterative
    square root instead.)
    """

    @staticmethod
    def forward(
        ctx: Any,
        mean: Tensor,
        second: Tensor,
        goal: Tensor,
        root: Tensor,
        head: Tensor,
        metric: Tensor,
    ) -> Tensor:
        covariance = torch.baddbmm(second, mean[:, :, None], mean[:, None, :], alpha=-1)
        values, vectors = _eigh(root @ covariance @ root.mT)
        roots = values.clamp_min(0).sqrt()
        # A direction without variance has an infinite derivative; it gets that of a small one.
        floor = 1e-3 * roots.amax(dim=-1, keepdim=True) + EPS
        gap = mean @ head.T - goal
        ctx.save_for_backward(mean, gap @ head, root, metric, vectors, roots.clamp_min(floor))
        spread = (metric * covariance).sum(dim=(1, 2))
        return gap.square().sum(dim=1) + spread - 2 * roots.sum(dim=-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        mean, gap, root, metric, vectors, roots = ctx.saved_tensors
        half = (vectors.mT @ root) / roots.sqrt()[:, :, None]
        by_covariance = metric - half.mT @ half
        by_mean = gap - (by_covariance @ mean[:, :, None])[..., 0]
        return 2 * grad[:, None] * by_mean, grad[:, None, None] * by_covariance, *4 * [None]


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
    """Eigenvalues and eigenvectors, found in float64.

    NaN for matrices that are not finite, where torch raises.
    """
    finite = torch.isfinite(matrix).all()
    safe = torch.where(finite, matrix, 0.0)
    # Apple's GPUs have no eigendecomposition in torch.
    safe = safe.cpu() if safe.device.type == "mps" else safe
    values, vectors = (found.to(matrix) for found in torch.linalg.eigh(safe.double()))
    return torch.where(finite, values, torch.nan), vectors
