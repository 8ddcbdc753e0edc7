"""The embedded backbone: its weights, its layers, its likeness to VGG-16."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from impasto.backbones import lite as module
from impasto.backbones import load_backbone
from impasto.backbones.lite import WEIGHTS, Lite, load_lite
from impasto.backbones.vgg import VGG
from impasto.errors import InputError
from impasto.losses import moments

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu4_2", "relu5_1")


def small_state(width: int = 4) -> dict[str, torch.Tensor]:
    """Random parameters of a network that ends at relu1_2."""
    random = torch.Generator().manual_seed(0)
    return {
        "features.0.weight": torch.randn(width, 3, 3, 3, generator=random),
        "features.0.bias": torch.randn(width, generator=random),
        "features.2.weight": torch.randn(width, width, 3, 3, generator=random),
        "features.2.bias": torch.randn(width, generator=random),
        "heads.relu1_1.weight": torch.randn(3, width, 1, 1, generator=random),
        "heads.relu1_2.weight": torch.randn(2, width, 1, 1, generator=random),
    }


def test_a_head_is_a_matrix_on_the_thin_map() -> None:
    state = small_state()
    network, trunk = Lite(state).freeze(), VGG("thin", state, plan=(2,)).freeze()
    image = torch.rand(2, 3, 8, 9)

    thin = trunk(image, ["relu1_2"])["relu1_2"].numpy().astype(np.float64)
    matrix = state["heads.relu1_2.weight"][:, :, 0, 0].numpy().astype(np.float64)
    expected = np.einsum("kc,bchw->bkhw", matrix, thin)

    np.testing.assert_allclose(
        network(image, ["relu1_2"])["relu1_2"].numpy(), expected, rtol=1e-4, atol=1e-4
    )


def test_a_map_wanted_without_its_head_is_the_thin_one() -> None:
    state, image = small_state(), torch.rand(1, 3, 8, 9)
    layers = ["relu1_1", "relu1_2"]
    maps = Lite(state).freeze()(image, layers, headless=["relu1_1"])
    trunk = VGG("thin", state, plan=(2,)).freeze()(image, layers)
    torch.testing.assert_close(maps["relu1_1"], trunk["relu1_1"])
    assert maps["relu1_2"].shape[1] == 2


def test_only_wanted_layers_come_back_and_each_has_its_width() -> None:
    maps = Lite(small_state()).freeze()(torch.rand(1, 3, 8, 8), ["relu1_1", "relu1_2"])
    assert {layer: tuple(map_.shape) for layer, map_ in maps.items()} == {
        "relu1_1": (1, 3, 8, 8),
        "relu1_2": (1, 2, 8, 8),
    }


def test_maps_before_a_relu_are_refused_with_the_nearest_name() -> None:
    with pytest.raises(InputError, match="relu1_1"):
        Lite(small_state())(torch.rand(1, 3, 8, 8), ["conv1_1"])


def test_a_missing_head_is_named() -> None:
    state = small_state()
    del state["heads.relu1_2.weight"]
    with pytest.raises(InputError, match=r"heads\.relu1_2"):
        Lite(state)


def test_missing_weights_ask_for_a_new_installation(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(module, "WEIGHTS", tmp_path / "none.safetensors")
    with pytest.raises(InputError, match="install impasto again"):
        load_lite()


def test_the_embedded_weights_are_small_and_frozen() -> None:
    assert WEIGHTS.stat().st_size <= 6_000_000
    network = load_lite()
    assert network.name == "lite"
    assert network.dtype == torch.float32
    assert not any(parameter.requires_grad for parameter in network.parameters())
    assert all(torch.isfinite(parameter).all() for parameter in network.parameters())


def test_names_are_those_of_vgg_up_to_relu5_1() -> None:
    blocks = {1: 2, 2: 2, 3: 3, 4: 3, 5: 1}
    expected = [f"relu{block}_{n}" for block, count in blocks.items() for n in range(1, count + 1)]
    assert list(load_lite().layers) == expected


def test_the_name_lite_loads_it_and_takes_the_pooling() -> None:
    image = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    by_max = load_backbone("lite")(image, ["relu2_1"])["relu2_1"]
    by_average = load_backbone("lite", pooling="average")(image, ["relu2_1"])["relu2_1"]
    assert by_max.shape == by_average.shape
    assert not torch.allclose(by_max, by_average)


def test_it_runs_in_half_precision_and_gives_gradients() -> None:
    network = load_lite().to(torch.bfloat16)
    image = torch.rand(1, 3, 32, 32, requires_grad=True)
    maps = network(image, LAYERS)
    assert {map_.dtype for map_ in maps.values()} == {torch.bfloat16}
    sum(map_.float().square().mean() for map_ in maps.values()).backward()
    assert image.grad is not None
    assert image.grad.abs().sum() > 0


@pytest.mark.shared_data
def test_gram_distances_between_pictures_are_those_of_vgg16(shared_data: Path) -> None:
    """The relative Gram distance of each pair of artworks, in both networks."""
    paths = sorted((shared_data / "eval_style").glob("*")) + sorted(
        (shared_data / "eval_content").glob("*")
    )
    pictures = [_read(path) for path in paths[:8]]
    teacher = load_backbone("vgg16", weights=shared_data / "vgg16_features.safetensors")
    ours, theirs = _distances(load_lite(), pictures), _distances(teacher, pictures)
    for layer, least in zip(LAYERS, (0.98, 0.95, 0.97, 0.88, 0.88, 0.6), strict=True):
        assert np.corrcoef(ours[layer], theirs[layer])[0, 1] > least, layer
        assert abs(np.median(ours[layer] / theirs[layer]) - 1) < 0.15, layer


def _read(path: Path) -> torch.Tensor:
    with Image.open(path) as image:
        pixels = np.array(image.convert("RGB").resize((160, 160)))
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255


def _distances(
    network: torch.nn.Module, pictures: list[torch.Tensor]
) -> dict[str, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    grams = []
    with torch.no_grad():
        for picture in pictures:
            maps = network(picture, LAYERS)
            grams.append({layer: moments(maps[layer]).second.double() for layer in LAYERS})
    pairs = list(itertools.permutations(grams, 2))
    return {
        layer: np.array([float((a[layer] - b[layer]).norm() / b[layer].norm()) for a, b in pairs])
        for layer in LAYERS
    }


def test_loading_imports_no_computer_algebra() -> None:
    """torch imports SymPy for some operations on tensors without data: half a second."""
    code = "import sys; from impasto.backbones import load_backbone; load_backbone('lite')\n"
    code += "print('sympy' in sys.modules)"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"
