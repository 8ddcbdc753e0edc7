"""What tests of stylizers share."""

from __future__ import annotations

import pytest

from impasto.stylizers.optimize import stage


@pytest.fixture
def plain_colors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the artworks' colours between scales and at the end.

    Their quantiles jump where rounding makes two of them equal, and a run enlarges that. So what is
    to be the same but for rounding is looked at without them.
    """
    monkeypatch.setattr(stage, "with_style_colors", lambda image, *_: image)
