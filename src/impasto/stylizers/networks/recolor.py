"""The linear map that brings the mean and covariance of colours to others.

Of all that do, it is the one that moves colours least: optimal transport between normal
distributions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from impasto.stylizers.networks.moments import Moments

RIDGE = 1e-3  # variance that every direction has: the colours of a grey picture are not torn apart
ROUNDS = 20  # of the iteration for roots, after which float32 is exact


def transport(own: Moments, wanted: Moments) -> tuple[Tensor, Tensor]:
    """The linear map from colours with some mean and covariance to others.

    Args:
        own: Mean ``(B, 3)`` and covariance ``(B, 3, 3)``.
        wanted: The same of the result.

    Returns:
        Matrices ``(B, 3, 3)`` and shifts ``(B, 3)``.
    """
    ridge = RIDGE * torch.eye(3, device=own[1].device, dtype=own[1].dtype)
    root, _ = roots(wanted[1] + ridge)
    _, inverse = roots(root @ (own[1] + ridge) @ root)
    matrix = root @ inverse @ root
    return matrix, wanted[0] - (matrix @ own[0][:, :, None])[:, :, 0]


def roots(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Roots, and their inverses, of symmetric positive matrices ``(B, C, C)``.

    By Newton and Schulz's iteration, of products alone: runtimes have no eigendecomposition.
    """
    size = matrix.diagonal(dim1=-2, dim2=-1).sum(dim=-1)[:, None, None]
    identity = torch.eye(matrix.shape[-1], device=matrix.device, dtype=matrix.dtype)
    root, inverse = matrix / size, identity.expand_as(matrix)
    for _ in range(ROUNDS):
        step = 1.5 * identity - 0.5 * inverse @ root
        root, inverse = root @ step, step @ inverse
    return root * size.sqrt(), inverse / size.sqrt()
