"""The windows of painted crops that training compares."""

from __future__ import annotations

from random import Random

import torch

from impasto.training.augment import corner, window_side, windows


def test_a_window_holds_the_pixels_at_its_corner() -> None:
    images = torch.arange(2 * 3 * 32 * 32, dtype=torch.float32).view(2, 3, 32, 32)
    corners = [(0, 4), (3, 1)]
    found = windows(images, corners)
    side = window_side(32)
    assert found.shape == (2, 3, side, side)
    for cut, image, (top, left) in zip(found, images, corners, strict=True):
        assert cut[1, 2, 5] == image[1, top + 2, left + 5]
        assert cut[2, -1, -1] == image[2, top + side - 1, left + side - 1]


def test_without_corners_all_is_seen() -> None:
    images = torch.rand(2, 3, 16, 16)
    assert windows(images, None) is images


def test_corners_reach_from_border_to_border() -> None:
    drawn = [corner(64, Random(seed)) for seed in range(400)]
    margin = 64 - window_side(64)
    assert margin > 0
    for axis in zip(*drawn, strict=True):
        assert set(axis) == set(range(margin + 1))
        assert min(axis.count(0), axis.count(margin)) > len(drawn) / 4, "borders need to be seen"
