"""The example pictures."""

from __future__ import annotations

import pytest

from impasto.errors import InputError
from impasto.pictures import ARTWORKS, artwork_path, load_artwork, load_portrait


@pytest.mark.parametrize("name", ARTWORKS)
def test_an_artwork_is_a_square_picture_of_lights_and_darks(name: str) -> None:
    picture = load_artwork(name)
    assert picture.name == name
    assert picture.size == (512, 512)
    assert picture.rgb.std() > 0.15
    assert load_artwork(name, 48).size == (48, 48)


def test_the_portrait() -> None:
    portrait = load_portrait()
    assert (portrait.name, portrait.size) == ("portrait", (600, 512))


def test_an_unknown_artwork_is_refused_with_the_nearest_ones() -> None:
    with pytest.raises(InputError, match="did you mean night-wind"):
        artwork_path("nigth wind")
    with pytest.raises(InputError, match="orphic-discs"):
        load_artwork("../portrait")
