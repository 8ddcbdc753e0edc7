"""The coarse-to-fine plan: sizes, steps, odd requests."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from impasto.stylizers.optimize.pyramid import COARSEST, plan, plan_enlarged, share


def test_sizes_double_and_keep_the_aspect() -> None:
    scales = plan((384, 512), steps=100, scales=3)
    assert [scale.size for scale in scales] == [(96, 128), (192, 256), (384, 512)]


def test_the_coarsest_scale_is_near_its_size() -> None:
    for side in (128, 256, 300, 512, 700, 1024, 3000):
        coarsest = max(plan((side, side), steps=500)[0].size)
        assert coarsest >= 0.7 * COARSEST or coarsest == side
        assert coarsest <= 1.5 * COARSEST or len(plan((side, side), steps=500)) == 1


def test_coarser_scales_get_more_steps() -> None:
    counts = [scale.steps for scale in plan((512, 512), steps=200, scales=3)]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > counts[-1]


def test_no_scale_is_smaller_than_the_backbone_needs() -> None:
    scales = plan((20, 1000), steps=100, smallest=16)
    assert [scale.size for scale in scales] == [(20, 1000)]


@given(st.integers(1, 3000), st.integers(1, 3000), st.integers(1, 1000), st.integers(0, 12))
def test_every_plan_has_all_its_steps(height: int, width: int, steps: int, scales: int) -> None:
    planned = plan((height, width), steps, scales)
    assert sum(scale.steps for scale in planned) == steps
    assert all(scale.steps >= 1 for scale in planned)
    assert planned[-1].size == (height, width)
    assert all(min(scale.size) >= 1 for scale in planned)


@pytest.mark.parametrize("total", [3, 10, 97])
def test_shares_follow_the_weights(total: int) -> None:
    parts = share(total, [1, 2, 4])
    assert sum(parts) == total
    for part, weight in zip(parts, [1, 2, 4], strict=True):
        assert abs(part - total * weight / 7) <= 1


def test_an_enlarged_preview_is_painted_as_the_preview_and_then_refined() -> None:
    preview = plan((384, 512), 120)
    found = plan_enlarged((3072, 4096), 120, 0, 1, 512)
    assert found[: len(preview)] == preview
    finer = found[len(preview) :]
    assert [scale.size for scale in finer] == [(768, 1024), (1536, 2048), (3072, 4096)]
    assert [scale.steps for scale in finer] == [round(preview[-1].steps / n) for n in (2, 4, 8)]
    assert plan_enlarged((384, 512), 120, 0, 1, 512) == preview == plan((384, 512), 120)
    assert plan_enlarged((384, 512), 120, 0, 1, 0) == preview
    assert [scale.size for scale in plan_enlarged((75, 100), 1, 0, 1, 90)] == [(68, 90), (75, 100)]


def test_two_steps_leave_a_grid_on_the_last_scale_of_a_large_picture() -> None:
    assert [scale.steps for scale in plan((3072, 4096), 60)] == [20, 14, 10, 7, 5, 4]
    assert [scale.steps for scale in plan((384, 512), 60)] == [27, 19, 14]
