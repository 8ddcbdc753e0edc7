"""L-BFGS and Adam on functions whose minimum is known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.stylizers.optimize.optimizers import LBFGS, Adam, Optimizer, resize

GOAL = torch.linspace(0.2, 0.8, 3 * 8 * 8).view(1, 3, 8, 8)
CURVATURES = torch.logspace(0, 2, 3 * 8 * 8).view(1, 3, 8, 8)


def bowl(image: Tensor) -> tuple[Tensor, Tensor]:
    """A long, narrow bowl and its gradient."""
    error = image - GOAL
    return (CURVATURES * error.square()).sum(), 2 * CURVATURES * error


def descend(optimizer: Optimizer, steps: int) -> Tensor:
    image = torch.full_like(GOAL, 0.5)
    for _ in range(steps):
        image = optimizer.update(image, *bowl(image))
    return image


def test_lbfgs_finds_the_minimum_of_a_narrow_bowl() -> None:
    assert (descend(LBFGS(), 60) - GOAL).abs().max() < 1e-3


def test_adam_finds_the_minimum_of_a_narrow_bowl() -> None:
    assert (descend(Adam(0.02), 300) - GOAL).abs().max() < 1e-2


def test_lbfgs_direction_is_that_of_the_dense_formula() -> None:
    """The two-loop recursion against BFGS' dense update of the inverse Hessian in float64."""
    generator = np.random.default_rng(0)
    size = 12
    root = generator.normal(size=(size, size))
    hessian = root @ root.T / size + np.eye(size)
    optimizer = LBFGS(by_band=False, clip=False)
    x = generator.normal(size=size)
    points: list[tuple[NDArray[np.float64], NDArray[np.float64]]] = []
    for _ in range(5):
        grad = hessian @ x
        points.append((x, grad))
        loss = torch.tensor(0.5 * x @ hessian @ x)
        image = torch.from_numpy(x).view(1, 3, 2, 2)
        following = optimizer.update(image, loss, torch.from_numpy(grad).view(1, 3, 2, 2))
        x = following.numpy().ravel()
    pairs = [(b[0] - a[0], b[1] - a[1]) for a, b in itertools.pairwise(points)]
    s, y = pairs[-1]
    inverse = np.eye(size) * (s @ y) / (y @ y)
    for s, y in pairs:
        rho = 1 / (s @ y)
        left = np.eye(size) - rho * np.outer(s, y)
        inverse = left @ inverse @ left.T + rho * np.outer(s, s)
    last, grad = points[-1]
    np.testing.assert_allclose(x, last - inverse @ grad, rtol=1e-8)


def test_images_stay_in_range() -> None:
    goal = torch.full((1, 3, 4, 4), 3.0)
    for optimizer in (LBFGS(), Adam(0.1)):
        image = torch.full((1, 3, 4, 4), 0.5)
        for _ in range(30):
            error = image - goal
            image = optimizer.update(image, error.square().sum(), 2 * error)
        assert image.max() <= 1
        assert image.min() >= 1 - 1e-4


def test_the_classic_lbfgs_may_leave_the_range() -> None:
    optimizer = LBFGS(clip=False)
    image = torch.full((1, 3, 4, 4), 0.5)
    for _ in range(10):
        error = image - 3.0
        image = optimizer.update(image, error.square().sum(), 2 * error)
    assert image.max() > 1


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), 1e9])
def test_lbfgs_takes_a_bad_step_back(bad: float) -> None:
    optimizer = LBFGS()
    first = torch.full_like(GOAL, 0.5)
    second = optimizer.update(first, *bowl(first))
    noise = torch.full_like(GOAL, float("nan"))
    third = optimizer.update(second, torch.tensor(bad), noise)
    torch.testing.assert_close(third - first, 0.25 * (second - first))
    image = third
    for _ in range(60):
        image = optimizer.update(image, *bowl(image))
    assert (image - GOAL).abs().max() < 1e-3


def test_a_zero_gradient_moves_nothing() -> None:
    for optimizer in (LBFGS(), Adam()):
        image = torch.full((1, 3, 4, 4), 0.5)
        zero = torch.zeros_like(image)
        for _ in range(3):
            image = optimizer.update(image, torch.tensor(1.0), zero)
        assert torch.equal(image, torch.full((1, 3, 4, 4), 0.5))


def test_adam_carries_its_momentum_to_another_size() -> None:
    optimizer = Adam(0.01)
    image = torch.full((1, 3, 8, 8), 0.5)
    grad = torch.ones_like(image)
    for _ in range(20):
        image = optimizer.update(image, torch.tensor(1.0), grad)
    optimizer.rescale((16, 16))
    assert optimizer.mean is not None
    # Four times as many pixels share the gradient of a mean.
    torch.testing.assert_close(
        optimizer.mean, torch.full((1, 3, 16, 16), (1 - 0.9**20) / 4), rtol=1e-4, atol=1e-6
    )
    large = torch.full((1, 3, 16, 16), 0.5)
    step = large - optimizer.update(large, torch.tensor(1.0), torch.full_like(large, 0.25))
    torch.testing.assert_close(step, torch.full_like(step, 0.01), rtol=1e-3, atol=1e-5)


def test_rescaling_before_the_first_step_does_nothing() -> None:
    for optimizer in (LBFGS(), Adam()):
        optimizer.rescale((16, 16))
        image = torch.full((1, 3, 16, 16), 0.5)
        assert (
            optimizer.update(image, torch.tensor(1.0), torch.ones_like(image)).shape == image.shape
        )


def test_lbfgs_works_after_rescaling() -> None:
    optimizer = LBFGS()
    small = torch.full((1, 3, 4, 4), 0.5)
    for _ in range(5):
        small = optimizer.update(small, small.square().sum(), 2 * small)
    optimizer.rescale((8, 8))
    image = torch.full_like(GOAL, 0.5)
    for _ in range(60):
        image = optimizer.update(image, *bowl(image))
    assert (image - GOAL).abs().max() < 1e-3


def test_resize_keeps_a_flat_image_flat() -> None:
    flat = torch.full((1, 3, 5, 7), 0.25)
    torch.testing.assert_close(resize(flat, (10, 3)), torch.full((1, 3, 10, 3), 0.25))
    assert resize(flat, (5, 7)) is flat


@pytest.mark.parametrize(
    ("pairs_in_float32", "count", "dtype"),
    [(6.0, 6, torch.float32), (2.5, 5, torch.bfloat16), (0.1, 1, torch.bfloat16)],
)
def test_lbfgs_keeps_its_history_within_its_room(
    pairs_in_float32: float, count: int, dtype: torch.dtype
) -> None:
    pair = 2 * GOAL.numel() * GOAL.element_size()
    optimizer = LBFGS(history=6)
    optimizer.rescale((8, 8), pairs_in_float32 * pair)
    image = descend(optimizer, 60)
    assert len(optimizer.pairs) == count
    assert {x.dtype for x in optimizer.pairs[0][:2]} == {dtype}
    first = bowl(torch.full_like(GOAL, 0.5))[0]
    assert bowl(image)[0] < 1e-2 * first
