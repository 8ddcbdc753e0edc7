"""The codes of style images. No heavy import here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Array = TypeVar("Array", bound=Any)


@dataclass(frozen=True)
class StyleCode(Generic[Array]):
    """Moments of the style image's colours and feature maps, as tensors or NumPy arrays.

    Attributes:
        mean: ``(B, M)``, the means of the colours and of all channels of all depths.
        square: ``(B, N)``, the mean products of colours, mean squares of all channels, and mean
            products of the deepest channels.
    """

    mean: Array
    square: Array


def blend(codes: Sequence[StyleCode[Array]], weights: Sequence[float]) -> StyleCode[Array]:
    """The code of several styles, as if their pixels were mixed in these shares.

    Moments are blended, not deviations: those of mixed pixels are greater than the mean of
    deviations.

    Args:
        codes: At least one.
        weights: The share of each; only their ratios count.
    """
    shares = [weight / sum(weights) for weight in weights]
    return StyleCode(
        _mixed([code.mean for code in codes], shares),
        _mixed([code.square for code in codes], shares),
    )


def _mixed(values: Sequence[Array], shares: Sequence[float]) -> Array:
    mixed: Array = sum(share * value for share, value in zip(shares, values, strict=True))  # type: ignore[assignment, misc]
    return mixed
