"""Moments of colours and feature maps: what the networks take of a picture as a whole."""

from __future__ import annotations

from torch import Tensor

EPS = 1e-6

#: Mean ``(B, C)`` with variance ``(B, C)``, or with covariance ``(B, C, C)``.
Moments = tuple[Tensor, Tensor]


def average(maps: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean of ``(B, C, h, w)`` over positions, weighted by ``(B or R, 1, h, w)``: ``(B, C)``."""
    if weights is None:
        return maps.mean(dim=(2, 3))
    counts = weights.flatten(2)
    sums = maps.flatten(2) @ counts.mT
    return sums[:, :, 0] / counts.sum(dim=2).clamp_min(EPS)


def map_moments(maps: Tensor, weights: Tensor | None = None) -> Moments:
    """Mean and variance ``(B, C)`` of maps ``(B, C, h, w)``."""
    return covariance((average(maps, weights), average(maps.square(), weights)))


def second_moments(maps: Tensor, weights: Tensor | None = None) -> Moments:
    """Mean ``(B, C)`` and mean products ``(B, C, C)`` of maps or colours ``(B, C, h, w)``."""
    rows = maps.flatten(2)
    if weights is None:
        return rows.mean(dim=2), rows @ rows.mT / rows.shape[2]
    shares = weights.flatten(2) / weights.flatten(2).sum(dim=2, keepdim=True).clamp_min(EPS)
    weighted = rows * shares
    return weighted.sum(dim=2), weighted @ rows.mT


def covariance(moments: Moments) -> Moments:
    """Mean and covariance of mean and mean products; or variance, of mean squares."""
    mean, second = moments
    return mean, second - _products(mean, second)


def uncentred(moments: Moments) -> Moments:
    """Mean and mean products, or squares, of what ``covariance`` gives: these can be averaged."""
    mean, spread = moments
    return mean, spread + _products(mean, spread)


def _products(mean: Tensor, like: Tensor) -> Tensor:
    return mean.square() if like.ndim == mean.ndim else mean[:, :, None] * mean[:, None]
