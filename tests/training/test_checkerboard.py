"""The measure of a regular pattern of eight pixels, or four."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from impasto.training.checkerboard import checkerboard

SIZE = 64


def lattice(period: int, amplitude: float) -> torch.Tensor:
    """Dots every ``period`` pixels on grey."""
    image = torch.full((1, 3, SIZE, SIZE), 0.5)
    image[:, :, ::period, ::period] += amplitude
    return image


@pytest.mark.parametrize("period", [2, 4, 8])
def test_the_strength_of_a_pattern_is_its_mean_square(period: int) -> None:
    pattern = np.zeros((period, period))
    pattern[0, 0] = 0.1
    expected = np.square(pattern - pattern.mean()).mean()
    assert float(checkerboard(lattice(period, 0.1))) == pytest.approx(expected, rel=1e-4)


def test_what_keeps_no_step_hardly_counts() -> None:
    found = float(checkerboard(lattice(4, 0.1)))
    ramp = torch.linspace(0, 1, SIZE).expand(1, 3, SIZE, SIZE)
    noise = 0.5 + 0.025 * torch.randn(1, 3, SIZE, SIZE, generator=torch.manual_seed(0))
    for other in (torch.full((1, 3, SIZE, SIZE), 0.5), ramp, lattice(5, 0.1), noise):
        assert float(checkerboard(other)) < 0.05 * found


@pytest.mark.parametrize("size", [(8, 8), (15, 30), (65, 66)])
def test_any_size_is_measured(size: tuple[int, int]) -> None:
    assert float(checkerboard(torch.full((2, 3, *size), 0.3))) == pytest.approx(0, abs=1e-8)


def test_descending_its_gradient_removes_the_pattern_and_leaves_the_rest() -> None:
    wave = 0.3 * torch.sin(torch.arange(SIZE) / 9).expand(1, 3, SIZE, SIZE)
    dotted = lattice(4, 0.1) + wave
    image = dotted.clone().requires_grad_(True)
    optimizer = torch.optim.LBFGS([image], tolerance_grad=0, tolerance_change=0)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = 1e6 * checkerboard(image)
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    assert float(checkerboard(image.detach())) < 1e-3 * float(checkerboard(dotted))
    assert float((image.detach() - dotted).abs().mean()) < 0.02
