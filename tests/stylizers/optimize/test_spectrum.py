"""The curvature by band against Hessians that are known, made with NumPy in float64."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from impasto.stylizers.optimize.optimizers import LBFGS
from impasto.stylizers.optimize.spectrum import NEWNESS, Spectrum

SIZES = [(32, 48), (33, 27), (1, 9), (1, 1)]
OPPONENT = np.array([[1, 1, 1], [1, 0, -1], [1, -2, 1]]) / np.sqrt([[3], [2], [6]])


def band(frequencies: NDArray[Any]) -> NDArray[Any]:
    """Half octaves below the highest frequency, at most eleven."""
    with np.errstate(divide="ignore"):
        bands: NDArray[Any] = np.minimum(11, np.floor(2 * np.log2(0.5 / np.abs(frequencies))))
    return bands


def curvature(size: tuple[int, int]) -> NDArray[np.float64]:
    """``(3, H, W)``: coarse changes are steeper than fine ones, lightness than colour."""
    rows, columns = (band(np.fft.fftfreq(side)) for side in size)
    steep: NDArray[np.float64] = 1.2 ** (rows[:, None] + columns)
    return np.array([4.0, 2.0, 1.0])[:, None, None] * steep


def multiply(image: NDArray[np.float64], size: tuple[int, int]) -> NDArray[np.float64]:
    """The Hessian that has this curvature, times an image ``(3, H, W)``."""
    opponent = np.tensordot(OPPONENT, image, 1)
    scaled = np.fft.ifft2(curvature(size) * np.fft.fft2(opponent)).real
    product: NDArray[np.float64] = np.tensordot(OPPONENT.T, scaled, 1)
    return product


def vector(image: NDArray[np.float64]) -> Tensor:
    return torch.from_numpy(image).flatten()


def random(size: tuple[int, int], seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=(3, *size))


@pytest.mark.parametrize("size", SIZES)
def test_a_hessian_of_bands_is_inverted(size: tuple[int, int]) -> None:
    change, other = random(size), random(size, 1)
    spectrum = Spectrum(size, torch.device("cpu"))
    spectrum.learn(vector(change), vector(multiply(change, size)), torch.tensor(0.1))
    inverted = spectrum.apply(vector(multiply(other, size)), torch.tensor(1.0))
    torch.testing.assert_close(inverted, vector(other), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("size", SIZES)
def test_without_a_pair_all_bands_are_alike(size: tuple[int, int]) -> None:
    spectrum = Spectrum(size, torch.device("cpu"))
    spectrum.learn(vector(random(size)), vector(random(size, 1)), torch.tensor(0.0))
    image = vector(random(size, 2))
    torch.testing.assert_close(spectrum.apply(image, torch.tensor(0.5)), 0.5 * image)


def test_what_is_known_changes_gradually() -> None:
    size = (16, 16)
    change = vector(random(size))
    spectrum = Spectrum(size, torch.device("cpu"))
    spectrum.learn(change, change, torch.tensor(1.0))
    spectrum.learn(change, change / 8, torch.tensor(1.0))
    expected = change * 8**NEWNESS
    torch.testing.assert_close(spectrum.apply(change, torch.tensor(1.0)), expected)


def test_a_band_stays_near_the_whole_image() -> None:
    size = (16, 16)
    change = vector(random(size))
    spectrum = Spectrum(size, torch.device("cpu"))
    spectrum.learn(change, change * 1e-6, torch.tensor(2.0))
    torch.testing.assert_close(spectrum.apply(change, torch.tensor(1.0)), 60 * change)


def test_lbfgs_needs_fewer_steps_by_band() -> None:
    size = (32, 48)
    goal = torch.from_numpy(0.5 + 0.1 * random(size)).float()[None]

    def descend(optimizer: LBFGS) -> float:
        image = torch.full_like(goal, 0.5)
        for _ in range(16):
            error = image - goal
            grad = torch.from_numpy(multiply(error[0].double().numpy(), size)).float()[None]
            loss = 0.5 * (error * grad).sum()
            image = optimizer.update(image, loss, grad)
        return float(loss)

    assert descend(LBFGS()) < 0.1 * descend(LBFGS(by_band=False))
