"""Benchmarks that cannot be run where the tests are still have to work when they can."""

from __future__ import annotations

import pytest

from benchmarks import gpu


def test_the_benchmark_of_gpus_works_on_a_cpu(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu.main(["--device", "cpu", "--small"]) == 0
    printed = capsys.readouterr().out
    for heading in ("peaks", "agree", "steps", "networks", "training", "waiting"):
        assert f"\n{heading}\n" in printed
