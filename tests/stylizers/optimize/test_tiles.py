"""Dividing images into tiles: every pixel once, windows as wide as the network sees."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from impasto.backbones.base import ReceptiveField
from impasto.stylizers.optimize.tiles import deepest, lay_tiles, split

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
