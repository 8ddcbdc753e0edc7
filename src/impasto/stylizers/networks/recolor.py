"""Linear maps that bring means and covariances to others: of colours, and of deep maps.

The photo's colours are brought to the artwork's before a network sees it, by the map that moves
them as little as it can: optimal transport between normal distributions. So a network has only
strokes to learn, and starts with the right palette and a whole photo.
"""

from __future__ import annotations

import torch
from torch import Tensor

RIDGE = 1e-3  # variance that every direction has: a grey photo's colours are not torn apart
# Rounds of the iteration for roots, after which float32 is exact: of covariances of colours, and of
# deep maps, whose ridge is wide.
ROUNDS = 20
DEEP_ROUNDS = 14


def transport(own: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
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


def whiten_and_colour(
    own: tuple[Tensor, Tensor], wanted: tuple[Tensor, Tensor], ridge: float
) -> tuple[Tensor, Tensor]:
    """The linear map from maps with some mean and covariance to others (Li et al. 2017).

    By symmetric roots. Not optimal transport: the root of a product of two covariances is beyond
    float32 here.

    Args:
        own: Mean ``(B, C)`` and covariance ``(B, C, C)``.
        wanted: The same of the result.
        ridge: Variance that every direction has: those nearly empty are not blown up.

    Returns:
        Matrices ``(B, C, C)`` and shifts ``(B, C)``.
    """
    floor = ridge * torch.eye(own[0].shape[1], device=own[0].device)
    _, whitening = roots(own[1] + floor, DEEP_ROUNDS)
    colouring, _ = roots(wanted[1] + floor, DEEP_ROUNDS)
    matrix = colouring @ whitening
    return matrix, wanted[0] - (matrix @ own[0][:, :, None])[:, :, 0]


def roots(matrix: Tensor, rounds: int = ROUNDS) -> tuple[Tensor, Tensor]:
    """Roots, and their inverses, of symmetric positive matrices ``(B, C, C)``.

    By Newton and Schulz's iteration, of products alone: runtimes have no eigendecomposition.
    """
    size = matrix.diagonal(dim1=-2, dim2=-1).sum(dim=-1)[:, None, None]
    identity = torch.eye(matrix.shape[-1], device=matrix.device, dtype=matrix.dtype)
    root, inverse = matrix / size, identity.expand_as(matrix)
    for _ in range(rounds):
        step = 1.5 * identity - 0.5 * inverse @ root
        root, inverse = root @ step, step @ inverse
    return root * size.sqrt(), inverse / size.sqrt()
