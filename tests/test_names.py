"""Names that people type."""

from __future__ import annotations

from impasto.names import told_apart


def test_equal_names_are_told_apart() -> None:
    assert told_apart([]) == []
    assert told_apart(["a", "b", "a", "a (2)", "a"]) == ["a", "b", "a (2)", "a (2) (2)", "a (3)"]
