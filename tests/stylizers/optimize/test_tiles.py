"""Dividing images into tiles: every pixel once, windows as wide as the network sees."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.backbones.base import ReceptiveField
from impasto.losses import Source
from impasto.stylizers.optimize.tiles import Pieces, deepest, lay_tiles, split

FIELDS = st.sampled_from([(1, 1), (4, 10), (8, 27), (16, 58), (16, 70)])


@settings(deadline=None)
@given(length=st.integers(1, 500), longest=st.integers(16, 200), field=FIELDS)
def test_stretches_cover_an_axis_once(length: int, longest: int, field: tuple[int, int]) -> None:
    stride, margin = field
    spans = split(length, longest, ReceptiveField(stride, margin))
    pixels = [pixel for span in spans for pixel in range(span.start, span.stop)]
    assert pixels == list(range(length))
    positions = [i for span in spans for i in range(*span.own(stride).indices(10**6))]
    assert positions == list(range(length // stride))
    for span in spans:
        assert span.start % stride == span.left % stride == 0
        assert span.left == 0 or span.start - span.left >= margin
        assert span.right == length or span.right - span.stop >= margin
        assert span.stop - span.start <= -(-longest // stride) * stride + stride - 1


@settings(deadline=None)
@given(height=st.integers(16, 90), width=st.integers(16, 90), longest=st.integers(16, 64))
def test_tiles_put_together_are_the_image(height: int, width: int, longest: int) -> None:
    image = torch.arange(height * width).view(1, 1, height, width)
    whole = torch.full_like(image, -1)
    for tile in lay_tiles((height, width), longest, ReceptiveField(16, 20)):
        inner = tile.inner(tile.window(image))
        torch.testing.assert_close(inner, tile.own(image))
        tile.own(whole).copy_(inner)
    torch.testing.assert_close(whole, image)


def test_the_deepest_field_suffices_for_all() -> None:
    fields = [ReceptiveField(1, 2), ReceptiveField(4, 3), ReceptiveField(2, 9)]
    assert deepest(fields) == ReceptiveField(4, 9)


def test_a_part_and_its_gradient_stay_channels_last() -> None:
    window = torch.rand(1, 8, 48, 64).to(memory_format=torch.channels_last).requires_grad_()
    tile = lay_tiles((96, 64), 64, ReceptiveField(16, 16))[0]
    part = tile.inner(window, stride=2)
    weights = torch.rand_like(part)
    (grad,) = torch.autograd.grad((part * weights).sum(), window)
    expected = torch.zeros(1, 8, 48, 64)
    expected[..., tile.rows.inner(2), tile.columns.inner(2)] = weights
    torch.testing.assert_close(grad, expected)
    for each in (part, grad):
        assert each.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("longest", [0, 16])
def test_positions_at_the_rim_can_be_left_out(longest: int) -> None:
    alpha = torch.full((1, 1, 40, 48), 0.5)
    fields = {"layer": ReceptiveField(4, 6)}
    for source in (Source(torch.rand(1, 3, 40, 48)), Source(torch.rand(1, 3, 40, 48), alpha)):
        pieces = Pieces(source, longest, fields, rim=False)
        total, shares = torch.zeros(1, 1, 10, 12), 0.0
        for tile in pieces.tiles:
            part = tile.own(torch.rand(1, 5, 10, 12), 4) if longest else torch.rand(1, 5, 10, 12)
            counting = pieces.weigh(tile, "layer", part)
            top, bottom, left, right = counting.rim
            own = torch.zeros(part.shape[2:])
            own[top : len(own) - bottom, left : own.shape[1] - right] = 1
            tile.own(total, 4).copy_(own if counting.weights is None else counting.weights)
            shares += float(counting.share)
        assert shares == pytest.approx(1)
        expected = torch.zeros(1, 1, 10, 12)
        expected[..., 1:-1, 1:-1] = 1 if source.alpha is None else 0.5
        torch.testing.assert_close(total, expected)


def test_what_lies_at_the_rim_alone_still_counts() -> None:
    alpha = torch.zeros(1, 1, 8, 8)
    alpha[..., 0] = 1
    source = Source(torch.rand(1, 3, 8, 8), alpha)
    pieces = Pieces(source, 0, {}, rim=False)
    (tile,) = pieces.tiles
    counting = pieces.weigh(tile, "layer", torch.rand(1, 5, 8, 8))
    torch.testing.assert_close(counting.weights, alpha)
