"""Fixtures that all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of pictures and VGG-16 features that is not part of the repository."""
    folder = Path(os.environ.get("IMPASTO_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("the shared data is not here (set IMPASTO_SHARED_DATA to its folder)")
    return folder
