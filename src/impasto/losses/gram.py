"""Distances of Gram matrices."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from impasto.losses.statistics import EPS, Moments


class Gram:
    """Compares moments of an image with a style's by ``gram_loss``."""

    def __init__(self, style: Moments) -> None:
        self.style = style

    def __call__(self, image: Moments) -> Tensor:
        """Return the distance, a scalar."""
        return gram_loss(image, self.style)


class ClassicGram(Gram):
    """Compares them by ``gram_loss_classic``."""

    def __call__(self, image: Moments) -> Tensor:
        """Return the distance, a scalar."""
        return gram_loss_classic(image, self.style)


def gram_loss(image: Moments, style: Moments) -> Tensor:
    """Squared distance of Gram matrices over the square of the style's (Gatys et al. 2016, eq. 4).

    Args:
        image: Moments of the image, ``B`` of them.
        style: Moments of the style, ``B`` or one of them.

    Returns:
        A scalar, the mean over the batch: 0 for equal statistics, 1 for an image without any.
    """
    error = (image.second - style.second).square().sum(dim=(1, 2))
    return (error / (style.second.square().sum(dim=(1, 2)) + EPS)).mean()


def gram_loss_classic(image: Moments, style: Moments) -> Tensor:
    """Mean squared error of Gram matrices over C * h * w, as in most scripts after Gatys et al.

    Args:
        image: Moments of the image, ``B`` of them.
        style: Moments of the style, ``B`` or one of them.
    """
    return F.mse_loss(image.second, style.second.expand_as(image.second)) / style.mean.shape[1] ** 2
