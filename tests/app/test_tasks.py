"""Tasks: bounded by the limits, closed to what is not offered, painted through the front door."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from impasto.app.limits import Limits, clock
from impasto.app.tasks import INITS, OFFERED, PaintTask
from impasto.errors import InputError
from impasto.events import Step
from impasto.image import Picture, save_image
from impasto.methods import OPTIONS
from impasto.options import PRESETS
from impasto.stylizers.body import Works
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
    expected = {"max_size": 512, "steps": 60, **PRESETS[preset]}
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


def test_strokes_follow_the_lines_of_a_visitor() -> None:
    options = {"max_size": 48, "steps": 2, "stroke_direction": "auto"}
    for drawing, told in ((picture(name="drawing"), "drawing"), (None, "auto")):
        wanted = task("optimize", options=options, stroke_direction=drawing).checked(LIMITS)
        assert wanted.paint("cpu").settings["stroke_direction"] == told
    with pytest.raises(InputError, match="method optimize alone"):
        task("arbitrary", stroke_direction=picture()).checked(LIMITS)


def test_maps_that_cannot_be_followed_are_refused_before_painting() -> None:
    with pytest.raises(InputError, match="no maps of strength"):
        task("fast", strength_map=picture()).checked(LIMITS)
    with pytest.raises(InputError, match="strength_map does nothing with classic_losses"):
        task(preset="gatys", strength_map=picture()).checked(LIMITS)
    for method in ("optimize", "arbitrary"):
        with pytest.raises(InputError, match="unknown stroke_map"):
            task(method, options={"stroke_map": "/etc/hostname"}).checked(LIMITS)
    with pytest.raises(InputError, match="unknown stroke_direction"):
        task("optimize", options={"stroke_direction": "/etc/hostname"}).checked(LIMITS)


@pytest.mark.parametrize(
    "palette", ["/etc/hostname", "palette.png", "x.hex", "1d3557", "", ["1d3557", "e63946"], 3]
)
@pytest.mark.parametrize("method", list(OFFERED))
def test_a_palette_is_colours_and_no_file(method: str, palette: Any) -> None:
    with pytest.raises(InputError, match="palette"):
        task(method, options={"palette": palette}).checked(LIMITS)


def test_colours_tiles_and_matches_are_painted() -> None:
    options = {"max_size": 40, "palette": "000000,ffffff", "wrap": "both"}
    result = task("arbitrary", options=options).checked(LIMITS).paint("cpu")
    assert result.picture.size == (32, 32)  # the nearest that can repeat
    matched = task("fast", options={"max_size": 48, "match_result": "content"}).checked(LIMITS)
    means = [each.rgb.mean(axis=(0, 1)) for each in (matched.content, matched.paint("cpu").picture)]
    np.testing.assert_allclose(means[0], means[1], atol=0.05)


def test_a_print_has_its_size_and_resolution() -> None:
    for method, steps in (("optimize", {"steps": 4}), ("arbitrary", {})):
        wanted = task(method, options={"max_size": 64, **steps}, print="5x5cm", dpi=64)
        result = wanted.checked(LIMITS).paint("cpu")
        assert result.picture.size == (126, 126)
        assert result.picture.origin is not None
        assert result.picture.origin.dpi == (64, 64)
        assert (result.settings["print"], result.settings["dpi"]) == ("5x5cm", 64)
        assert "126 px" in wanted.checked(LIMITS).describe()


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"print": "wurst"}, "a print is given as 30x40cm"),
        ({"print": ["30x40cm"]}, "print has to be text"),
        ({"print": "30x40cm", "dpi": "300"}, "dpi has to be a whole number"),
        ({"print": "30x40cm", "dpi": True, "options": {"max_size": 99}}, "from 1 to as many"),
        ({"dpi": 300}, "give print as well"),
        ({"print": "1000x1000cm"}, "megapixels"),
        (
            {"print": "20x20cm", "dpi": 300},
            "is 2362 px long, and 1000 are the most here",
        ),
        ({"print": "20x20cm", "dpi": 20}, "from 1 to as many, not 256"),
        ({"print": "20x20cm", "dpi": 100, "styles": [Works("many", ())]}, "of a body of work"),
        ({"variations": 6, "print": "20x20cm", "dpi": 100}, "choose one first"),
        ({"variations": 6, "method": "arbitrary"}, "for the method optimize"),
        ({"variations": 1}, "from 2 to 24"),
        ({"variations": 2.5}, "from 2 to 24"),
    ],
)
def test_prints_and_variations_that_cannot_be_are_refused_before_painting(
    fields: dict[str, Any], message: str
) -> None:
    limits = Limits(optimize_size=256, print_size=1000)
    with pytest.raises(InputError, match=message):
        task(**fields).checked(limits)


def test_the_resolution_that_is_told_will_do() -> None:
    limits = Limits(optimize_size=256, print_size=1000)
    with pytest.raises(InputError, match="take 127 dpi at most"):
        task(print="20x20cm", dpi=300).checked(limits)
    job = task(print="20x20cm", dpi=127).checked(limits).print_job
    assert job is not None
    assert max(job.size) == 1000


def test_variations_come_one_by_one_and_on_a_sheet() -> None:
    options = {"max_size": 48, "steps": 2, "style_weight": 3.0}
    wanted = task(options=options, variations=4).checked(LIMITS)
    results = [*wanted.paint_all("cpu")]
    assert [result.picture.size for result in results] == [(48, 48)] * 4
    sheet = wanted.whole(results)
    assert sheet.settings["variations"] == [
        {name: result.settings[name] for name in ("style_weight", "forms")} for result in results
    ]
    pairs = [(each["style_weight"], each["forms"]) for each in sheet.settings["variations"]]
    assert pairs == [(1.7, 0.25), (5.2, 0.25), (1.7, 0.75), (5.2, 0.75)]
    assert min(sheet.picture.size) > 2 * 256
    assert "style_weight" not in sheet.settings
    assert wanted.label(results[1]) == "Style 1.9, forms 0.25"  # times the preset's


def test_a_body_of_work_is_one_style(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.png" for name in "ab"]
    for seed, path in enumerate(paths):
        save_image(picture(64 + 16 * seed), path)
    body = Works("2 artworks", tuple(paths))
    for method, steps in (("optimize", {"steps": 2}), ("arbitrary", {})):
        wanted = task(method, styles=[body], options={"max_size": 48, **steps}).checked(LIMITS)
        assert wanted.paint("cpu").settings["styles"] == ["2 artworks"]
    with pytest.raises(InputError, match="no artworks"):
        task("fast", styles=[body]).checked(LIMITS)


def test_limits_are_told_as_they_are() -> None:
    said = LIMITS.describe()
    for number in ("50 megapixels", "30 MB", "256 px", "512 px", "120 steps", "5000 px", "10 min"):
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
