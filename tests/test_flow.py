"""Optical flow of known motions, and the checks of Sundaram et al. against NumPy."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from scipy import ndimage

from impasto import flow
from impasto.errors import MissingExtraError


def texture(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Soft noise, in which every place looks like no other."""
    noise = np.random.default_rng(seed).random((height, width, 3))
    soft = ndimage.gaussian_filter(noise, (2, 2, 0))
    soft = (soft - soft.min()) / (soft.max() - soft.min())
    pixels: NDArray[np.uint8] = np.rint(255 * soft).astype(np.uint8)
    return pixels


def tensor(frame: NDArray[np.uint8]) -> torch.Tensor:
    return torch.from_numpy(frame).permute(2, 0, 1)[None].float() / 255


def test_a_shift_is_found() -> None:
    scene = texture(100, 140)
    before, after = scene[10:90, 10:110], scene[7:87, 15:115]  # the camera moves by (5, -3)
    motion = flow.estimate(before, after)
    inner = motion.flow[0, :, 15:-15, 15:-15]
    np.testing.assert_allclose(inner[0], 5, atol=0.3)
    np.testing.assert_allclose(inner[1], -3, atol=0.3)
    error = (motion.warp(tensor(before)) - tensor(after)).abs()[..., 10:-10, 10:-10]
    assert error.mean() < 0.01
    assert motion.visible[..., 10:-10, 10:-10].mean() > 0.97
    assert motion.visible[0, 0, :, -4:].mean() < 0.1  # came in from outside


def test_what_was_covered_is_not_visible() -> None:
    scene, thing = texture(96, 128), texture(40, 40, seed=1)
    before, after = scene.copy(), scene.copy()
    before[30:70, 40:80], after[30:70, 46:86] = thing, thing
    visible = flow.estimate(before, after).visible[0, 0]
    assert visible[35:65, 41:45].mean() < 0.2  # uncovered
    assert visible[35:65, 60:80].mean() > 0.8  # the thing itself
    assert visible[5:20].mean() > 0.9  # the scene behind


def test_unrelated_frames_have_little_in_common() -> None:
    assert flow.estimate(texture(180, 280), texture(180, 280, seed=5)).visible.mean() < 0.2


def test_warping_takes_each_pixel_from_where_it_was() -> None:
    random = np.random.default_rng(0)
    image = random.random((9, 11))
    field = random.uniform(-2, 2, (2, 9, 11))
    y, x = np.mgrid[:9, :11]
    # Whole shifts need no interpolation, so both agree whatever the kernel.
    whole = np.rint(field)
    expected = ndimage.map_coordinates(image, [y + whole[1], x + whole[0]], order=0, mode="nearest")
    motion = flow.Motion(torch.from_numpy(whole)[None].float(), torch.ones(1, 1, 9, 11))
    warped = motion.warp(torch.from_numpy(image)[None, None].float())
    inside = (np.abs(y + whole[1] - 4) <= 4) & (np.abs(x + whole[0] - 5) <= 5)
    np.testing.assert_allclose(warped[0, 0][inside], expected[inside], atol=1e-4)


def test_visibility_is_that_of_the_paper() -> None:
    random = np.random.default_rng(1)
    backward = np.rint(ndimage.gaussian_filter(random.normal(0, 60, (2, 24, 30)), (0, 8, 8)))
    forward = -backward + (random.random((2, 24, 30)) < 0.1)
    y, x = np.mgrid[:24, :30]
    to = [y + backward[1], x + backward[0]]
    ahead = np.stack(
        [ndimage.map_coordinates(part, to, order=0, mode="nearest") for part in forward]
    )
    astray = ((ahead + backward) ** 2).sum(0)
    covered = astray > 0.01 * ((ahead**2).sum(0) + (backward**2).sum(0)) + 0.5
    steep = sum((g**2).sum(0) for g in np.gradient(backward, axis=(1, 2)))
    edge = steep > 0.01 * (backward**2).sum(0) + 0.002
    outside = (to[0] < 0) | (to[0] > 23) | (to[1] < 0) | (to[1] > 29)
    expected = ~(covered | edge | outside)
    tensors = [torch.from_numpy(part)[None].float() for part in (forward, backward)]
    found = flow.visibility(*tensors)[0, 0].numpy().astype(bool)
    assert 0.1 < expected.mean() < 0.9
    assert (found == expected).mean() > 0.99


@pytest.mark.parametrize("size", [(1, 1), (5, 40), (33, 7)])
def test_tiny_frames_work(size: tuple[int, int]) -> None:
    motion = flow.estimate(texture(*size), texture(*size))
    assert motion.flow.shape == (1, 2, *size)
    assert motion.visible.shape == (1, 1, *size)


def test_without_opencv_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"impasto\[video\]"):
        flow.estimate(texture(40, 40), texture(40, 40))
