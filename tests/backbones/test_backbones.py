"""The VGG backbone against an independent forward pass in NumPy float64, and its edges."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn

from impasto.backbones import load_backbone, pick_backbone
from impasto.backbones.base import IMAGENET_MEAN, IMAGENET_STD, Backbone
from impasto.backbones.vgg import AVERAGE_POOLING_SCALE, VGG
from impasto.errors import InputError
from impasto.options import Pooling

Array = NDArray[np.float64]

PLAN = (2, 1, 2)
# Torchvision's order written out by hand: conv1_1 relu1_1 conv1_2 relu1_2 pool1 conv2_1 relu2_1
# pool2 conv3_1 relu3_1 conv3_2 relu3_2.
CONVOLUTIONS = {0: "1_1", 2: "1_2", 5: "2_1", 8: "3_1", 10: "3_2"}
WIDTHS = {0: 4, 2: 5, 5: 6, 8: 7, 10: 8}
POOLS = {4, 7}


@pytest.fixture
def state() -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(1)
    state, channels = {}, 3
    for index, width in WIDTHS.items():
        weight = torch.randn(width, channels, 3, 3, generator=generator)
        state[f"features.{index}.weight"] = weight / (9 * channels) ** 0.5
        state[f"features.{index}.bias"] = 0.1 * torch.randn(width, generator=generator)
        channels = width
    return state


@pytest.fixture
def image() -> Tensor:
    return torch.rand(1, 3, 13, 18, generator=torch.Generator().manual_seed(2))


def narrow(state: dict[str, Tensor], pooling: Pooling = "max") -> Backbone:
    return VGG("narrow", state, pooling, plan=PLAN).freeze()


def reference(state: dict[str, Tensor], image: Tensor, pooling: str) -> dict[str, Array]:
    """All feature maps (C, h, w) of one image, by NumPy alone."""
    mean, std = (np.array(v).reshape(3, 1, 1) for v in (IMAGENET_MEAN, IMAGENET_STD))
    x = (image[0].double().numpy() - mean) / std
    maps = {}
    for index in range(max(CONVOLUTIONS) + 1):
        if index in POOLS:
            x = halve(x, pooling)
        elif index in CONVOLUTIONS:
            weight = state[f"features.{index}.weight"].double().numpy()
            bias = state[f"features.{index}.bias"].double().numpy()
            border = ((0, 0), (1, 1), (1, 1))
            x = np.pad(x, border, mode="edge") if index == 0 else np.pad(x, border)
            windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(1, 2))
            x = np.einsum("chwij,ocij->ohw", windows, weight) + bias[:, None, None]
            maps[f"conv{CONVOLUTIONS[index]}"] = x
            x = np.maximum(x, 0)
            maps[f"relu{CONVOLUTIONS[index]}"] = x
    return maps


def halve(x: Array, pooling: str) -> Array:
    channels, height, width = x.shape
    cells = x[:, : height // 2 * 2, : width // 2 * 2]
    cells = cells.reshape(channels, height // 2, 2, width // 2, 2)
    if pooling == "max":
        return np.asarray(cells.max(axis=(2, 4)))
    return np.asarray(AVERAGE_POOLING_SCALE * cells.mean(axis=(2, 4)))


def calls(backbone: Backbone) -> list[str]:
    """The convolutions that run from now on."""
    seen: list[str] = []
    for path, module in backbone.named_modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda *_, path=path: seen.append(path))
    return seen


@pytest.mark.parametrize("pooling", ["max", "average"])
def test_every_map_equals_the_reference(
    state: dict[str, Tensor], image: Tensor, pooling: Pooling
) -> None:
    backbone = narrow(state, pooling)
    expected = reference(state, image, pooling)
    assert list(expected) == list(backbone.layers)
    maps = backbone(image, backbone.layers)
    for layer, map_ in expected.items():
        np.testing.assert_allclose(maps[layer][0], map_, rtol=1e-4, atol=1e-5, err_msg=layer)


def test_a_relu_map_alone_equals_the_one_beside_its_convolution(
    state: dict[str, Tensor], image: Tensor
) -> None:
    backbone = narrow(state)
    alone = backbone(image, ["relu3_1"])["relu3_1"]
    both = backbone(image, ["conv3_1", "relu3_1"])
    assert both["conv3_1"].min() < 0 <= both["relu3_1"].min()
    torch.testing.assert_close(alone, both["relu3_1"])


def test_the_image_is_left_as_it_was(state: dict[str, Tensor], image: Tensor) -> None:
    before = image.clone()
    narrow(state)(image, ["relu3_2"])
    assert torch.equal(image, before)


def test_a_flat_image_gives_flat_first_maps(state: dict[str, Tensor]) -> None:
    map_ = narrow(state)(torch.full((1, 3, 8, 8), 0.7), ["conv1_1"])["conv1_1"]
    torch.testing.assert_close(map_, map_[..., :1, :1].expand_as(map_))


@pytest.mark.parametrize(
    ("layers", "last"),
    [(["conv1_1"], 1), (["relu1_1"], 1), (["relu2_1", "relu1_2"], 3), (["relu3_2"], 5)],
)
def test_nothing_runs_behind_the_last_wanted_layer(
    state: dict[str, Tensor], image: Tensor, layers: Sequence[str], last: int
) -> None:
    backbone = narrow(state)
    seen = calls(backbone)
    assert set(backbone(image, layers)) == set(layers)
    assert len(seen) == last


def test_gradients_reach_the_image_and_not_the_weights(
    state: dict[str, Tensor], image: Tensor
) -> None:
    backbone = narrow(state)
    image.requires_grad_()
    backbone(image, ["relu3_2"])["relu3_2"].sum().backward()
    assert image.grad is not None and image.grad.abs().sum() > 0
    assert all(not p.requires_grad and p.grad is None for p in backbone.parameters())
    assert not backbone.training


def test_the_gradient_is_that_of_finite_differences(state: dict[str, Tensor]) -> None:
    backbone = narrow(state, "average").double()
    image = torch.rand(1, 3, 6, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: backbone(x, ["conv3_2"])["conv3_2"], (image,))


def test_an_unknown_layer_is_named_with_its_neighbours(
    state: dict[str, Tensor], image: Tensor
) -> None:
    with pytest.raises(InputError, match=r"narrow has no layer 'relu31': did you mean relu3_1"):
        narrow(state)(image, ["relu31"])


def test_bfloat16_stays_close_to_float32(state: dict[str, Tensor], image: Tensor) -> None:
    backbone = narrow(state)
    exact = backbone(image, ["relu3_2"])["relu3_2"]
    rough = backbone.to(torch.bfloat16)(image, ["relu3_2"])["relu3_2"]
    assert rough.dtype == torch.bfloat16
    # bfloat16 has 8 bits: 2^-8 a rounding, a few of them one after the other.
    assert (rough.float() - exact).norm() < 0.03 * exact.norm()


def test_the_smallest_image_works_and_a_smaller_one_is_refused(state: dict[str, Tensor]) -> None:
    backbone = narrow(state)
    assert backbone.min_size == 4
    assert backbone(torch.rand(1, 3, 4, 5), ["relu3_2"])["relu3_2"].shape == (1, 8, 1, 1)
    with pytest.raises(InputError, match=r"too small for narrow.*4 pixels"):
        backbone(torch.rand(1, 3, 3, 50), ["relu3_2"])


def test_the_network_ends_where_its_weights_end(state: dict[str, Tensor]) -> None:
    short = {key: value for key, value in state.items() if int(key.split(".")[1]) <= 5}
    backbone = narrow(short)
    assert backbone.layers[-1] == "relu2_1"
    assert backbone.min_size == 2


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("features.2.weight", torch.zeros(5, 3, 3, 3), r"features.2.weight is \(5, 3, 3, 3\), not"),
        ("features.5.weight", torch.zeros(6, 5, 1, 1), r"features.5.weight is \(6, 5, 1, 1\), not"),
        ("features.8.weight", torch.tensor(1.0), r"features.8.weight is \(\), not"),
        ("features.8.bias", torch.zeros(6), r"features.8.bias is \(6,\), not \(7,\)"),
        ("features.8.bias", None, r"features.8.bias is missing"),
        ("features.5.weight", None, "its convolutions are missing"),
        ("features.1.weight", torch.zeros(4), "its convolutions are missing"),
    ],
)
def test_foreign_weights_are_refused(
    state: dict[str, Tensor], key: str, value: Tensor | None, message: str
) -> None:
    if value is None:
        del state[key]
    else:
        state[key] = value
    with pytest.raises(InputError, match=f"not the weights of narrow: .*{message}"):
        narrow(state)


def test_making_a_backbone_leaves_the_random_generator_alone(state: dict[str, Tensor]) -> None:
    before = torch.get_rng_state()
    narrow(state)
    assert torch.equal(torch.get_rng_state(), before)


class TestFromModule:
    @pytest.fixture
    def module(self) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(3, 4, 1), nn.Tanh(), nn.Conv2d(4, 2, 1), nn.Conv2d(2, 2, 1))

    def test_paths_and_aliases_give_the_same_maps(
        self, module: nn.Sequential, image: Tensor
    ) -> None:
        mean, std = (0.1, 0.2, 0.3), (0.5, 0.6, 0.7)
        plain = Backbone.from_module(module, ["1", "2"], mean, std)
        named = Backbone.from_module(module, {"early": "1", "late": "2"}, mean, std, name="mine")
        assert plain.name == "Sequential" and named.name == "mine"
        assert named.layers == ("early", "late")
        normalised = (image - torch.tensor(mean)[:, None, None]) / torch.tensor(std)[:, None, None]
        with torch.no_grad():
            early = module[1](module[0](normalised))
            late = module[2](early)
        maps, aliased = plain(image, ["1", "2"]), named(image, ["late", "early"])
        for map_, expected in zip(
            (maps["1"], maps["2"], aliased["early"], aliased["late"]),
            (early, late, early, late),
            strict=True,
        ):
            torch.testing.assert_close(map_, expected)

    def test_it_stops_early_and_leaves_no_hooks(self, module: nn.Sequential, image: Tensor) -> None:
        backbone = Backbone.from_module(module, {"a": "0", "b": "2"})
        seen = calls(backbone)
        backbone(image, ["a"])
        assert seen == ["module.0"]
        backbone(image, ["b"])
        assert seen == ["module.0", "module.0", "module.2"]
        assert all(len(m._forward_hooks) == isinstance(m, nn.Conv2d) for m in module)

    def test_an_unknown_submodule_is_refused(self, module: nn.Sequential) -> None:
        with pytest.raises(InputError, match="Sequential has no submodule '9'"):
            Backbone.from_module(module, ["9"])


class TestRegistry:
    def test_an_unknown_name_is_answered_with_the_nearest(self) -> None:
        with pytest.raises(InputError, match="no backbone 'vgg91': did you mean vgg19"):
            load_backbone("vgg91")
        with pytest.raises(InputError, match="no backbone 'zzz': choose lite, vgg16, vgg19"):
            load_backbone("zzz")

    def test_an_unknown_pooling_is_refused(self) -> None:
        with pytest.raises(InputError, match="no pooling 'median': choose max or average"):
            load_backbone("vgg16", pooling="median")  # type: ignore[arg-type]

    def test_the_embedded_backbone_takes_no_file(self) -> None:
        with pytest.raises(InputError, match="lite is embedded"):
            load_backbone("lite", weights="vgg.pth")


@pytest.mark.shared_data
class TestRealVGG16:
    def test_it_loads_and_ends_at_relu5_1(self, shared_data: Path) -> None:
        backbone = load_backbone("vgg16", weights=shared_data / "vgg16_features.safetensors")
        assert backbone.layers[-1] == "relu5_1"
        assert backbone.dtype == torch.float32
        assert backbone(torch.rand(1, 3, 32, 32), ["relu5_1"])["relu5_1"].shape == (1, 512, 2, 2)

    def test_average_pooling_keeps_the_scale_of_the_maps(self, shared_data: Path) -> None:
        file = shared_data / "vgg16_features.safetensors"
        layers = ["relu2_1", "relu3_1", "relu4_1", "relu5_1"]
        photos = sorted((shared_data / "content").glob("*.webp"))[::250]
        pixels = [np.asarray(Image.open(p).convert("RGB").resize((160, 160))) for p in photos]
        images = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2) / 255
        maximum, average = (
            load_backbone("vgg16", weights=file, pooling=pooling)(images, layers)
            for pooling in ("max", "average")
        )
        for layer in layers:
            ratio = (average[layer].mean() / maximum[layer].mean()).item()
            assert 0.75 < ratio < 1.5, (layer, ratio)


@pytest.mark.parametrize(
    ("layer", "stride", "margin"),
    # By hand: a 3 x 3 convolution sees one position more, which is as many pixels as the stride.
    [
        ("conv1_1", 1, 1),
        ("relu1_2", 1, 2),
        ("relu2_1", 2, 4),
        ("relu3_1", 4, 8),
        ("relu3_2", 4, 12),
    ],
)
def test_receptive_fields(state: dict[str, Tensor], layer: str, stride: int, margin: int) -> None:
    backbone = VGG("small", state, "average", PLAN).freeze()
    field = backbone.receptive_field(layer)
    assert field is not None
    assert (field.stride, field.margin) == (stride, margin)
    # What a position in the middle sees is what its gradient reaches.
    image = torch.rand(1, 3, 64, 64, requires_grad=True)
    middle = 32 // stride
    maps = backbone(image, [layer])[layer]
    (grad,) = torch.autograd.grad(maps[0, :, middle].sum(), image)
    rows = grad.abs().sum(dim=(0, 1, 3)).nonzero().flatten()
    assert rows.min() >= 32 - margin
    assert rows.max() <= 32 + stride - 1 + margin
    assert len(rows) > stride


@pytest.mark.parametrize(("device", "name"), [("cpu", "lite"), ("cuda", "vgg16"), ("mps", "vgg16")])
def test_a_gpu_looks_with_the_real_network(device: str, name: str) -> None:
    assert pick_backbone("auto", torch.device(device)) == name
    assert pick_backbone("vgg19", torch.device(device)) == "vgg19"
