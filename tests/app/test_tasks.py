"""Tasks: bounded by the limits, closed to what is not offered, painted through the front door."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from impasto.app.limits import Limits, clock
from impasto.app.tasks import INITS, OFFERED, PaintTask
from impasto.errors import InputError
from impasto.events import Step
from impasto.image import Picture
from impasto.methods import OPTIONS
from impasto.options import PRESETS
from impasto.stylizers.networks.gallery import gallery

LIMITS = Limits(optimize_size=256, network_size=512, max_steps=120)


def picture(size: int = 48, name: str = "photo") -> Picture:
    rng = np.random.default_rng(1)
    return Picture(rng.random((size, size, 3), np.float32), name=name)


def task(method: str = "optimize", **fields: Any) -> PaintTask:
    styles = [gallery().styles[0]] if method == "fast" else [picture(name="art")]
    return PaintTask(**{"content": picture(), "styles": styles, "method": method, **fields})


def test_what_is_offered_exists() -> None:
    for method, names in OFFERED.items():
        assert set(names) <= {*OPTIONS[method].__dataclass_fields__}


@pytest.mark.parametrize("method", list(OFFERED))
def test_nothing_offered_names_a_file_a_device_or_memory(method: str) -> None:
    host = {"model", "weights", "device", "memory", "tile", "backbone", "engine"}
    assert not host & set(OFFERED[method])
    for name in host & set(OPTIONS[method].__dataclass_fields__):
        with pytest.raises(InputError, match="option"):
            task(method, options={name: "x"}).checked(LIMITS)


def test_a_file_cannot_be_started_from() -> None:
    assert "content" in INITS
    with pytest.raises(InputError, match="init"):
        task(options={"init": "/etc/hostname"}).checked(LIMITS)


def test_no_file_says_what_is_kept() -> None:
    with pytest.raises(InputError, match="unknown keep"):
        task(options={"keep": "/etc/hostname"}).checked(LIMITS)
    assert task(options={"keep": "auto"}).checked(LIMITS).options["keep"] == "auto"


def test_defaults_stay_within_the_limits() -> None:
    assert task("arbitrary").checked(LIMITS).options["max_size"] == 512
    small = Limits(optimize_size=256, max_steps=60)
    assert task().checked(small).options == {"max_size": 256, "steps": 60}


@pytest.mark.parametrize("preset", list(PRESETS))
def test_a_preset_keeps_its_own_size_and_steps(preset: str) -> None:
    checked = task(preset=preset).checked(Limits(optimize_size=4096, max_steps=4096))
    expected = {"max_size": 512, "steps": 120, **PRESETS[preset]}
    assert checked.options == {name: expected[name] for name in ("max_size", "steps")}


@pytest.mark.parametrize(
    ("method", "name", "value"),
    [("optimize", "max_size", 257), ("optimize", "steps", 121), ("fast", "max_size", 513)],
)
def test_what_goes_beyond_the_limits_is_refused(method: str, name: str, value: int) -> None:
    with pytest.raises(InputError, match=f"{name} may be at most {value - 1} here"):
        task(method, options={name: value}).checked(LIMITS)
    task(method, options={name: value - 1}).checked(LIMITS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"method": "magic"},
        {"method": "optimize", "preset": "wurst"},
        {"method": None},
        {"method": "optimize", "styles": []},
        {"method": "optimize", "styles": [picture()] * 5},
        {"method": "optimize", "options": {"seed": None}},
        {"method": "optimize", "options": {"init": ["content"]}},
        {"method": "optimize", "options": {"content_weight": "1"}},
        {"method": "optimize", "options": {"preserve_color": {}}},
        {"method": "optimize", "style_weights": ["1"]},
        {"method": "fast", "options": {"max_size": 1.5}},
        {"method": "arbitrary", "options": {"strength": 2}},
    ],
)
def test_what_is_wrong_is_told(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError) as error:
        task(**wrong).checked(LIMITS)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["/etc/hostname", "photo.jpg", "model.safetensors", "nobody"])
def test_names_are_those_of_the_gallery(name: str) -> None:
    with pytest.raises(InputError, match=f"no style '{name}'"):
        task("fast", styles=[name]).checked(LIMITS)


@pytest.mark.parametrize("method", ["optimize", "arbitrary"])
def test_names_are_for_the_gallery_alone(method: str) -> None:
    with pytest.raises(InputError, match="takes artworks"):
        task(method, styles=[picture(), gallery().styles[0]]).checked(LIMITS)
    with pytest.raises(InputError, match="no artworks"):
        task("fast", styles=[gallery().styles[0], picture()]).checked(LIMITS)


def test_an_optimisation_is_painted_and_heard_of() -> None:
    heard: list[Step] = []
    small = task(options={"max_size": 32, "steps": 2}).checked(LIMITS)
    result = small.paint("cpu", [heard.append])
    assert result.picture.size == (32, 32)
    assert result.settings["device"] == "cpu"
    assert len(heard) == 2


def test_a_mask_keeps_the_photo_elsewhere() -> None:
    white = np.zeros((48, 48, 3), np.float32)
    white[:24] = 1
    wanted = task("arbitrary", options={"max_size": 48}, mask=Picture(white)).checked(LIMITS)
    result = wanted.paint("cpu")
    np.testing.assert_array_equal(result.picture.rgb[25:], wanted.content.rgb[25:])
    assert not np.array_equal(result.picture.rgb[:24], wanted.content.rgb[:24])


@pytest.mark.parametrize("method", ["optimize", "arbitrary"])
def test_maps_of_a_visitor_are_followed(method: str) -> None:
    grey = np.zeros((48, 48, 3), np.float32)
    grey[:24] = 1
    options = {"max_size": 48, **({"steps": 2, "keep": "auto"} if method == "optimize" else {})}
    drawn = {"strength_map": Picture(grey, name="drawing"), "stroke_map": Picture(1 - grey)}
    for maps, strokes in ((drawn, "image"), (drawn | {"stroke_map": None}, "auto")):
        wanted = task(method, options={**options, "stroke_map": "auto"}, **maps).checked(LIMITS)
        result = wanted.paint("cpu")
        np.testing.assert_array_equal(result.picture.rgb[25:], wanted.content.rgb[25:])
        assert not np.array_equal(result.picture.rgb[:20], wanted.content.rgb[:20])
        assert result.settings["strength_map"] == "drawing"
        assert result.settings["stroke_map"] == strokes
        assert result.settings.get("keep", "auto") == "auto"


def test_maps_that_cannot_be_followed_are_refused_before_painting() -> None:
    with pytest.raises(InputError, match="no maps of strength"):
        task("fast", strength_map=picture()).checked(LIMITS)
    with pytest.raises(InputError, match="strength_map does nothing with classic_losses"):
        task(preset="gatys", strength_map=picture()).checked(LIMITS)
    for method in ("optimize", "arbitrary"):
        with pytest.raises(InputError, match="unknown stroke_map"):
            task(method, options={"stroke_map": "/etc/hostname"}).checked(LIMITS)


def test_limits_are_told_as_they_are() -> None:
    said = LIMITS.describe()
    for number in ("50 megapixels", "30 MB", "256 px", "512 px", "120 steps", "10 min"):
        assert number in said
    with pytest.raises(InputError, match="max_seconds"):
        Limits(max_seconds=0)


def test_times_are_told_as_people_do() -> None:
    assert [clock(seconds) for seconds in (0.4, 59.4, 60, 200)] == [
        "0 s",
        "59 s",
        "1 min",
        "3 min 20 s",
    ]
