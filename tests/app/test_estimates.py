"""Estimates: in proportion to the work, and nearer to the truth after each job."""

from __future__ import annotations

import pytest

from impasto.app.estimates import START, Estimates

QUICK = {"max_size": 512, "steps": 32}


def test_more_steps_and_pixels_take_longer_in_proportion() -> None:
    estimates = Estimates("cpu")
    once = estimates.seconds("optimize", "quick", QUICK) - START
    twice = estimates.seconds("optimize", "quick", {**QUICK, "steps": 64}) - START
    large = estimates.seconds("optimize", "quick", {**QUICK, "max_size": 1024}) - START
    assert twice == pytest.approx(2 * once)
    assert large == pytest.approx(4 * once)
    assert estimates.seconds("optimize", "best", QUICK) > once + START


def test_a_print_takes_longer_than_its_preview_but_not_by_its_pixels() -> None:
    estimates = Estimates("cpu")
    preview, large = (341, 512), (2728, 4096)
    once = estimates.seconds("optimize", "quick", QUICK, preview) - START
    assert 4 * once < estimates.seconds("optimize", "quick", QUICK, large) - START < 16 * once
    assert estimates.seconds("fast", None, QUICK, large) == pytest.approx(
        estimates.seconds("fast", None, QUICK, preview), rel=0.01
    )


def test_jobs_correct_the_guess_for_their_method_alone() -> None:
    estimates, size = Estimates("cuda:0"), (300, 450)
    before = estimates.seconds("fast", None, QUICK, size)
    for _ in range(12):
        estimates.learn(40.0, "optimize", "quick", QUICK, size)
    assert estimates.seconds("optimize", "quick", QUICK, size) == pytest.approx(40, rel=0.01)
    assert estimates.seconds("fast", None, QUICK, size) == before
