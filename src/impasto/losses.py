"""What is compared: content, Gram matrices, Wasserstein-2 distances, neighbours, total variation.

Pure functions of feature maps and their statistics. Gram and Wasserstein-2 losses are functions
of the first two moments of a feature map over its positions, so moments are all that has to be
kept of a style image, several images blend by averaging moments, and tiles of one image by adding
them. The nearest-neighbour loss is a mean over positions, each compared with one of the style's.

The losses are *relative*: a difference is divided by the size of its target. One set of weights
therefore serves every image size, layer and backbone. (Departs from Gatys et al. 2016, whose
absolute sums make the weights depend on all three; ``gram_loss_classic`` keeps their objective.)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.autograd.function import once_differentiable

EPS = 1e-8
# Positions that are converted to float32 at a time: small enough for the processor's cache.
CHUNK = 4096
# Entries of the matrix of similarities that are computed at a time when neighbours are searched.
SIMILARITIES = 2**23
# Eigenvalues of a covariance below this share of the largest are rounding errors of its sums.
RANK = 1e-6


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
        return _trace(self.covariance)


class _Moments(torch.autograd.Function):
    """Moments with a hand-written gradient.

    Autograd would keep a float32 copy of each map and multiply in float32 on the way back. Here
    the statistics are accumulated in float32 from small pieces, and the gradient, which only has
    to be as precise as the map, is one product in the map's own dtype: three times faster with
    bfloat16 on a CPU, and half of the memory.
    """

    @staticmethod
    def forward(ctx: Any, maps: Tensor, weights: Tensor | None) -> tuple[Tensor, Tensor]:
        rows = _rows(maps)
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
        ctx.save_for_backward(maps, weights)
        return mean / total, second / total[..., None]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_mean: Tensor, grad_second: Tensor) -> tuple[Tensor, None]:
        maps, weights = ctx.saved_tensors
        total = _total_weight(_rows(maps), weights)
        grad = Moments(grad_mean / total, grad_second / total[..., None])
        return _pull_back(maps, weights, grad), None


def _pull_back(maps: Tensor, weights: Tensor | None, grad: Moments) -> Tensor:
    """The gradient of feature maps from that of their moments' sums over positions."""
    matrix = (grad.second + grad.second.mT).to(maps.dtype)
    vector = grad.mean[:, None, :].to(maps.dtype)
    rows = torch.baddbmm(vector, _rows(maps), matrix)
    if weights is not None:
        rows *= weights.to(rows.dtype)
    height, width = maps.shape[2:]
    return rows.view(rows.shape[0], height, width, -1).permute(0, 3, 1, 2)


def _rows(maps: Tensor) -> Tensor:
    """``(B, C, h, w)`` to ``(B, h * w, C)``: no copy where the map is channels-last."""
    return maps.permute(0, 2, 3, 1).flatten(1, 2)


def _total_weight(rows: Tensor, weights: Tensor | None) -> Tensor:
    """The number of positions, or the sum of their weights: ``(1 or B, 1)``."""
    if weights is None:
        return torch.full((1, 1), rows.shape[1], device=rows.device)
    return weights.sum(dim=1).clamp_min(EPS)


def moments(maps: Tensor, weights: Tensor | None = None) -> Moments:
    """Return the moments of feature maps over their positions.

    Args:
        maps: ``(B, C, h, w)``.
        weights: ``(B, 1, h, w)`` or ``(1, 1, h, w)``, how much each position counts, for
            example the share of it that is not transparent; all alike if left out.

    Returns:
        Mean ``(B, C)`` and second moment ``(B, C, C)``, in float32 or wider.
    """
    mean, second = _Moments.apply(maps, _row_weights(maps, weights))  # type: ignore[no-untyped-call]
    return Moments(mean, second)


def moments_gradient(maps: Tensor, weights: Tensor | None, grad: Moments) -> Tensor:
    """Return the gradient of feature maps of which only the gradient of their moments is known.

    For maps that are a part of larger ones, whose moments are the sums over all parts divided by
    the weight of all positions.

    Args:
        maps: ``(B, C, h, w)``.
        weights: ``(B, 1, h, w)`` or ``(1, 1, h, w)``, how much each position counts.
        grad: The gradient of the whole's moments, divided by the weight of its positions.

    Returns:
        ``(B, C, h, w)``, in the dtype of the maps.
    """
    return _pull_back(maps, _row_weights(maps, weights), grad)


def _row_weights(maps: Tensor, weights: Tensor | None) -> Tensor | None:
    """Weights of positions ``(1 or B, 1, h, w)`` as ``(B, h * w, 1)``."""
    if weights is None:
        return None
    weights = weights.expand(maps.shape[0], -1, -1, -1)
    return _rows(weights).to(torch.promote_types(maps.dtype, torch.float32))


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
        if weights is not None:
            difference *= weights.to(difference.dtype)
        return difference.mul_((2 * grad).to(difference.dtype)), None, None, None


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
    wide = torch.promote_types(maps.dtype, torch.float32)
    if weights is None:
        norm: Tensor = torch.linalg.vector_norm(maps, dtype=wide)
        return norm.square()
    return (maps.to(wide).square() * weights).sum()


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


class _TraceSqrt(torch.autograd.Function):
    """The trace of the square root of symmetric positive matrices ``(B, C, C)``.

    The derivative is half of the inverse square root, so that one eigendecomposition gives both
    value and gradient. (Peers differentiate through an iterative square root instead.)
    """

    @staticmethod
    def forward(ctx: Any, matrix: Tensor) -> Tensor:
        values, vectors = _eigh(matrix)
        roots = values.clamp_min(0).sqrt()
        # A direction without variance has an infinite derivative; it gets that of a small one.
        floor = 1e-3 * roots.amax(dim=-1, keepdim=True) + EPS
        ctx.save_for_backward(vectors, roots.clamp_min(floor))
        return roots.sum(dim=-1)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tensor:
        vectors, roots = ctx.saved_tensors
        inverse: Tensor = (vectors / roots[:, None, :]) @ vectors.mT
        return 0.5 * grad[:, None, None] * inverse


def _eigh(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Eigenvalues and eigenvectors; NaN for matrices that are not finite, where torch raises."""
    finite = torch.isfinite(matrix).all()
    safe = torch.where(finite, matrix, 0.0)
    # Apple's GPUs have no eigendecomposition in torch.
    values, vectors = torch.linalg.eigh(safe.cpu() if safe.device.type == "mps" else safe)
    values, vectors = values.to(matrix.device), vectors.to(matrix.device)
    return torch.where(finite, values, torch.nan), vectors


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
    covariance = image.covariance
    spread = _trace(covariance) + _trace(style.covariance)
    distance = (image.mean - style.mean).square().sum(dim=1) + spread
    shared: Tensor = _TraceSqrt.apply(root @ covariance @ root.mT)  # type: ignore[no-untyped-call]
    return ((distance - 2 * shared).clamp_min(0) / (_trace(style.second) + EPS)).mean()


def _trace(matrix: Tensor) -> Tensor:
    return matrix.diagonal(dim1=-2, dim2=-1).sum(dim=-1)


def hypercolumns(
    maps: Sequence[Tensor], size: tuple[int, int], scales: Sequence[Tensor | float]
) -> Tensor:
    """Stack the feature maps of several layers over each position of a common grid.

    Finer maps are averaged over the cells of the grid, coarser ones interpolated. (Departs from
    Kolkin et al. 2022, who sample finer maps at points and so miss what lies between.)

    Args:
        maps: ``(1, C_i, h_i, w_i)`` each.
        size: (height, width) of the grid.
        scales: By how much each map is multiplied: numbers, or scalars as tensors.

    Returns:
        ``(h * w, sum of C_i)``, in float32 or wider.
    """
    rows = []
    for layer, scale in zip(maps, scales, strict=True):
        if layer.shape[2] > size[0] or layer.shape[3] > size[1]:
            layer = F.adaptive_avg_pool2d(layer, size)  # before it is widened, for the memory
        wide = layer.to(torch.promote_types(layer.dtype, torch.float32))
        if layer.shape[2:] != size:
            wide = F.interpolate(wide, size=size, mode="bilinear")
        rows.append(_rows(wide)[0] * scale)
    return torch.cat(rows, dim=1)


def nearest(rows: Tensor, bank: Tensor, dtype: torch.dtype | None = None) -> Tensor:
    """Find for each vector the one of a bank with the smallest cosine distance.

    The matrix of distances is computed in pieces and never kept.

    Args:
        rows: ``(N, C)``.
        bank: ``(M, C)``.
        dtype: In which the products are computed; that of ``rows`` if left out.

    Returns:
        ``(N,)``, indices into the bank.
    """
    rows, bank = (F.normalize(x, dim=1).to(dtype or x.dtype) for x in (rows, bank))
    pieces = torch.split(rows, max(1, SIMILARITIES // bank.shape[0]))
    return torch.cat([(piece @ bank.T).argmax(dim=1) for piece in pieces])


def neighbor_loss(rows: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
    """Mean squared distance of vectors to their matches.

    Args:
        rows: ``(N, C)``, hypercolumns of the image.
        targets: ``(N, C)``, the match of each in the style.
        weights: ``(N, 1)``, how much each position counts.

    Returns:
        A scalar. Where hypercolumns are divided by the spread of the style, about 1 for matches
        no better than the style's mean.
    """
    distances = (rows - targets).square().sum(dim=1, keepdim=True)
    if weights is None:
        return distances.mean()
    return (distances * weights).sum() / weights.sum().clamp_min(EPS)


def total_variation(image: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels, the two axes added.

    The classic smoothness term (Mahendran and Vedaldi 2015, with exponent 2).

    Args:
        image: ``(B, 3, H, W)``, RGB in [0, 1].

    Returns:
        A scalar; an axis of one pixel adds nothing.
    """
    loss = image.new_zeros(())
    for axis in (2, 3):
        if image.shape[axis] > 1:
            loss = loss + image.diff(dim=axis).square().mean()
    return loss
