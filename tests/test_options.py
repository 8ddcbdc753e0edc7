"""Options: defaults, presets, checks with their messages."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, get_type_hints

import numpy as np
import pytest
import torch

from impasto.errors import InputError
from impasto.keywords import File, Keywords, Layers
from impasto.methods import OPTIONS
from impasto.options import (
    PRESETS,
    STYLE_LAYERS,
    OptimizeOptions,
    check_weights,
    choices,
    kinds,
    parse_layers,
    parse_memory,
    parse_tile,
)


@pytest.mark.parametrize("name", list(PRESETS))
def test_presets_are_valid_and_can_be_overridden(name: str) -> None:
    assert OptimizeOptions.preset(name, steps=7).steps == 7


def test_gatys_is_the_classic_recipe() -> None:
    options = OptimizeOptions.preset("gatys")
    assert (options.content_weight, options.style_weight, options.steps) == (1, 1e6, 300)
    assert (options.scales, options.optimizer, options.init) == (1, "lbfgs", "content")
    assert (options.style_loss, options.classic_losses, options.tv_weight) == ("gram", True, 0)
    assert options.content_layers == {"relu4_2": 1.0}
    assert options.style_layers == {f"relu{block}_1": 1.0 for block in range(1, 6)}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "steps has to be at least 1, not 0"),
        ({"steps": -5}, "steps has to be at least 1"),
        ({"steps": 2.5}, "steps has to be a whole number, not 2.5"),
        ({"steps": True}, "steps has to be a whole number"),
        ({"max_size": 0}, "max_size has to be at least 1"),
        ({"content_weight": -1.0}, "content_weight has to be at least 0"),
        ({"style_weight": float("nan")}, "style_weight has to be finite"),
        ({"style_weight": "much"}, "style_weight has to be a number, not 'much'"),
        ({"content_weight": 0, "style_weight": 0}, "nothing to optimise"),
        ({"keep": 3}, "keep has to be text"),
        ({"keep": "face.png", "content_weight": 0}, "keep does nothing with a content_weight of 0"),
        ({"keep": "face.png", "classic_losses": True}, "keep does nothing with classic_losses"),
        ({"optimizer": "sgd"}, "unknown optimizer 'sgd': choose lbfgs, adam"),
        ({"optimizer": "lbgfs"}, "did you mean lbfgs"),
        ({"style_layers": {}}, "style_layers has to map"),
        ({"style_layers": {"relu1_1": -1.0}}, "the weight of relu1_1 has to be at least 0"),
        ({"style_layers": {"relu1_1": 0.0}}, "all weights are 0"),
        ({"averaging": 1.0}, "averaging has to be at most"),
        ({"steps": None}, "steps has to be a whole number, not None"),
        ({"steps": np.array([3])}, "steps has to be a whole number"),
        ({"style_weight": 10**400}, "style_weight has to be finite"),
        ({"classic_losses": 1}, "classic_losses has to be True or False, not 1"),
        ({"precision": None}, "precision has to be text, not None: choose auto"),
        ({"pooling": ["max"]}, "pooling has to be text"),
        ({"backbone": 3}, "backbone has to be text, not 3"),
        ({"device": 0}, "device has to be text, not 0"),
        ({"weights": 3}, "weights has to be text"),
        ({"init": None}, "init has to be text"),
        ({"tile": None}, "tile is auto"),
        ({"tile": True}, "tile is auto"),
        ({"memory": 4e9}, "memory has to be text"),
        ({"style_layers": ["relu1_1"]}, "style_layers has to map"),
        ({"style_layers": {3: 1.0}}, "the name of a layer has to be text"),
    ],
)
def test_wrong_values_are_one_line(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as error:
        OptimizeOptions(**wrong)
    assert "\n" not in str(error.value)


def test_what_means_the_same_is_taken() -> None:
    given: dict[str, Any] = {
        "steps": np.int64(3),
        "max_size": torch.tensor(64),
        "detail": np.float32(0.5),
        "classic_losses": np.bool_(True),
        "device": torch.device("cuda", 1),
        "weights": Path("a") / "b.pth",
        "style_layers": {"relu1_1": np.float32(2)},
        "tile": np.int64(64),
    }
    options = OptimizeOptions(**given)
    plain = OptimizeOptions(
        steps=3,
        max_size=64,
        detail=0.5,
        classic_losses=True,
        device="cuda:1",
        weights=str(Path("a") / "b.pth"),
        style_layers={"relu1_1": 2.0},
        tile=64,
    )
    assert options == plain
    assert json.loads(json.dumps(dataclasses.asdict(options))) == dataclasses.asdict(plain)


def test_keywords_for_editors_are_the_options_of_all_methods() -> None:
    """Names and types alike; keywords may take more than is kept, as paths where text is kept."""
    wider = {str: File, str | None: File | None, dict[str, float]: Layers}
    typed, untold = get_type_hints(Keywords), set(get_type_hints(Keywords))
    for options in OPTIONS.values():
        for name, kind in kinds(options).items():
            untold.discard(name)
            taken = set(choices(kind)) <= set(choices(typed[name])) and choices(kind)
            assert taken or typed[name] in (kind, wider.get(kind)), name
    assert not untold


@pytest.mark.parametrize("weights", [[3, 1], (3, 1), np.array([3, 1]), torch.tensor([3.0, 1])])
def test_style_weights_of_many_kinds(weights: Any) -> None:
    assert check_weights(weights, 2) == [3.0, 1.0]
    assert check_weights(None, 2) == [1.0, 1.0]


@pytest.mark.parametrize(
    "extreme",
    [
        {"style_weight": 2.8e20, "content_weight": 1e20, "tv_weight": 3e20},
        {"style_weight": 2.8e100, "content_weight": 1e100, "tv_weight": 3e100},
    ],
)
def test_of_extreme_weights_the_ratios_stay(extreme: dict[str, float]) -> None:
    options = OptimizeOptions(**extreme)  # type: ignore[arg-type]
    weights = [options.style_weight, options.content_weight, options.tv_weight]
    assert max(weights) <= 1e8
    assert [weight / weights[1] for weight in weights] == pytest.approx([2.8, 1, 3])
    layered = OptimizeOptions(style_layers={"relu1_1": 1e30, "relu2_1": 1.0})
    assert layered.style_weight * 1e30 <= 1e8 * 1.001
    assert layered.style_weight / layered.content_weight == pytest.approx(2.8)
    assert OptimizeOptions.preset("gatys").style_weight == 1e6


@pytest.mark.parametrize(
    "weights",
    ["2", {"a": 1}, [1, 2, 3], [0, 0], [1, -1], [1, np.nan], [1, None], object(), [1, "2"]],
)
def test_wrong_style_weights(weights: Any) -> None:
    with pytest.raises(InputError, match="style weight"):
        check_weights(weights, 2)


def test_unknown_presets_and_options_name_the_nearest() -> None:
    with pytest.raises(InputError, match=r"unknown preset 'gattys': did you mean gatys"):
        OptimizeOptions.preset("gattys")
    with pytest.raises(InputError, match=r"unknown option 'stepps': did you mean steps"):
        OptimizeOptions.preset("default", stepps=3)


def test_instances_do_not_share_their_layers() -> None:
    one, other = OptimizeOptions(), OptimizeOptions()
    one.style_layers["relu1_1"] = 9.0
    assert other.style_layers["relu1_1"] == STYLE_LAYERS["relu1_1"]
    OptimizeOptions.preset("gatys").style_layers["relu1_1"] = 9.0
    assert OptimizeOptions.preset("gatys").style_layers["relu1_1"] == 1.0


def test_layers_are_read_from_text() -> None:
    assert parse_layers("relu1_1, conv4_2=0.5") == {"relu1_1": 1.0, "conv4_2": 0.5}
    with pytest.raises(InputError, match="weight of a layer is a number"):
        parse_layers("relu1_1=much")


@pytest.mark.parametrize(
    ("text", "amount"),
    [("4GB", 4 * 1024**3), ("1.5g", 1.5 * 1024**3), ("800 MiB", 800 * 1024**2), ("auto", None)],
)
def test_amounts_of_memory(text: str, amount: float | None) -> None:
    assert parse_memory(text) == amount


@pytest.mark.parametrize("text", ["", "4", "0GB", "-1GB", "4 bananas", "GB"])
def test_amounts_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="such as 4GB"):
        OptimizeOptions(memory=text)


def test_tiles() -> None:
    assert [parse_tile(tile) for tile in ("auto", "off", "512", 512)] == [None, 0, 512, 512]
    for wrong in ("63", "-512", "large", 0, 12.5):
        with pytest.raises(InputError, match="at least 64 pixels"):
            OptimizeOptions(tile=wrong)  # type: ignore[arg-type]
