from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from impasto.errors import InputError
from impasto.image import Picture, fit

RGB = np.random.default_rng(0).random((5, 7, 3), dtype=np.float32)
ALPHA = np.random.default_rng(1).random((5, 7), dtype=np.float32)


def test_tensors_have_the_layout_and_range_of_the_picture() -> None:
    picture = Picture(RGB, ALPHA)
    tensor, alpha = picture.tensor(), picture.alpha_tensor(dtype=torch.float64)
    assert picture.size == (5, 7)
    assert tensor.shape == (1, 3, 5, 7) and tensor.dtype == torch.float32
    assert tensor[0, 2, 4, 6] == RGB[4, 6, 2]
    assert alpha is not None and alpha.shape == (1, 1, 5, 7) and alpha.dtype == torch.float64
    assert Picture(RGB).alpha_tensor() is None


def test_a_tensor_never_shares_memory_with_its_picture() -> None:
    picture = Picture(np.ones((1, 1, 3), np.float32), np.ones((1, 1), np.float32))
    alpha = picture.alpha_tensor()
    assert alpha is not None
    alpha.zero_()
    picture.tensor().zero_()
    assert picture.rgb.min() == 1 and picture.alpha == 1
    tensor = torch.ones(1, 3, 1, 1)
    kept = Picture.from_tensor(tensor)
    tensor.zero_()
    assert kept.rgb.min() == 1


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_from_tensor_clamps(dtype: torch.dtype) -> None:
    tensor = torch.tensor([-0.5, 0.25, 1.5], dtype=dtype).view(1, 3, 1, 1).requires_grad_()
    picture = Picture.from_tensor(tensor, torch.full((1, 1, 1, 1), 0.5), name="x", bits=16)
    assert picture.rgb.ravel().tolist() == [0, 0.25, 1]
    assert picture.alpha is not None and picture.alpha.tolist() == [[0.5]]
    assert (picture.name, picture.bits) == ("x", 16)


def test_from_tensor_round_trips() -> None:
    picture = Picture(RGB, ALPHA)
    again = Picture.from_tensor(picture.tensor()[0], picture.alpha_tensor())
    assert np.array_equal(again.rgb, RGB)
    assert again.alpha is not None and np.array_equal(again.alpha, ALPHA)


@pytest.mark.parametrize(
    "tensor",
    [
        torch.zeros(2, 3, 4, 4),
        torch.zeros(1, 1, 4, 4),
        torch.zeros(4, 4),
        torch.full((1, 3, 4, 4), torch.nan),
        torch.full((1, 3, 4, 4), torch.inf),
    ],
)
def test_from_tensor_refuses(tensor: torch.Tensor) -> None:
    with pytest.raises(InputError):
        Picture.from_tensor(tensor)


@pytest.mark.parametrize("alpha", [torch.zeros(1, 1, 4, 5), torch.zeros(2, 1, 4, 4)])
def test_from_tensor_refuses_an_alpha_of_another_size(alpha: torch.Tensor) -> None:
    with pytest.raises(InputError):
        Picture.from_tensor(torch.zeros(1, 3, 4, 4), alpha)


@pytest.mark.parametrize(
    ("rgb", "alpha"),
    [
        (RGB.astype(np.float64), None),
        (RGB[..., :2], None),
        (RGB[:0], None),
        (RGB, ALPHA[:3]),
        (RGB, ALPHA.astype(np.float64)),
    ],
)
def test_pictures_of_other_shapes_or_types_are_refused(
    rgb: NDArray[Any], alpha: NDArray[Any] | None
) -> None:
    with pytest.raises(InputError):
        Picture(rgb, alpha)


def cubic(distance: float) -> float:
    """The kernel of Keys (1981) with a = -0.5."""
    x = abs(distance)
    if x < 1:
        return (1.5 * x - 2.5) * x * x + 1
    return ((-0.5 * x + 2.5) * x - 4) * x + 2 if x < 2 else 0.0


def resize_rows(values: NDArray[Any], count: int) -> NDArray[Any]:
    """Antialiased bicubic resampling along the first axis, in float64."""
    scale = len(values) / count
    width = max(scale, 1)
    rows = []
    for row in range(count):
        centre = (row + 0.5) * scale
        weights = np.array([cubic((k + 0.5 - centre) / width) for k in range(len(values))])
        rows.append(np.tensordot(weights / weights.sum(), values, axes=1))
    return np.array(rows)


@pytest.mark.parametrize("size", [(3, 2), (9, 4), (11, 13), (1, 1)])
def test_resized_is_antialiased_bicubic(size: tuple[int, int]) -> None:
    smooth = np.clip(RGB.astype(np.float64) * 0.5 + 0.25, 0, 1)
    expected = resize_rows(resize_rows(smooth.swapaxes(0, 1), size[1]).swapaxes(0, 1), size[0])
    resized = Picture(smooth.astype(np.float32), bits=16, name="n").resized(*size)
    assert np.allclose(resized.rgb, expected, atol=1e-6)
    assert (resized.size, resized.bits, resized.name, resized.alpha) == (size, 16, "n", None)


def test_resized_never_rings_out_of_range() -> None:
    edge = np.zeros((8, 8, 3), np.float32)
    edge[:, 4:] = 1
    resized = Picture(edge).resized(32, 32)
    assert resized.rgb.min() == 0 and resized.rgb.max() == 1


def test_resized_keeps_transparent_colours_out() -> None:
    rgb = np.zeros((8, 8, 3), np.float32)
    rgb[:, :4], rgb[:, 4:] = (1, 0, 0), (0, 1, 0)
    alpha = np.ones((8, 8), np.float32)
    alpha[:, 4:] = 0
    resized = Picture(rgb, alpha).resized(3, 3)
    assert resized.alpha is not None
    visible = np.asarray(resized.alpha > 0.01)
    assert visible.any() and not visible.all()
    assert np.allclose(resized.rgb[visible], (1, 0, 0), atol=1e-5)


def test_resized_to_the_same_size_is_the_same_picture() -> None:
    picture = Picture(RGB)
    assert picture.resized(5, 7) is picture


@pytest.mark.parametrize("size", [(0, 3), (3, -1)])
def test_resized_refuses_an_empty_size(size: tuple[int, int]) -> None:
    with pytest.raises(InputError):
        Picture(RGB).resized(*size)


def test_pil_rounds_to_8_bits() -> None:
    values = np.array([[[0, 0.5, 1]]], np.float32)
    assert Picture(values).pil().getpixel((0, 0)) == (0, 128, 255)
    opaque = Picture(values, np.array([[0.2]], np.float32)).pil()
    assert (opaque.mode, opaque.getpixel((0, 0))) == ("RGBA", (0, 128, 255, 51))


@pytest.mark.parametrize(
    ("size", "long_side", "enlarge", "expected"),
    [
        ((300, 400), 200, False, (150, 200)),
        ((400, 300), 200, False, (200, 150)),
        ((300, 400), 400, False, (300, 400)),
        ((300, 400), 800, False, (300, 400)),
        ((300, 400), 800, True, (600, 800)),
        ((1, 10_000), 100, False, (1, 100)),
        ((1, 1), 1, False, (1, 1)),
    ],
)
def test_fit(
    size: tuple[int, int], long_side: int, enlarge: bool, expected: tuple[int, int]
) -> None:
    assert fit(size, long_side, enlarge=enlarge) == expected


@given(st.integers(1, 10**5), st.integers(1, 10**5), st.integers(1, 10**5), st.booleans())
def test_fit_keeps_the_aspect(height: int, width: int, long_side: int, enlarge: bool) -> None:
    new = fit((height, width), long_side, enlarge=enlarge)
    assert min(new) >= 1
    assert max(new) == (long_side if enlarge else min(long_side, max(height, width)))
    exact = min(height, width) * max(new) / max(height, width)
    assert abs(min(new) - max(exact, 1)) <= 0.5


def test_fit_refuses_nothing() -> None:
    with pytest.raises(InputError):
        fit((3, 4), 0)
