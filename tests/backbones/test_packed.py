"""VGG-16 in 8 bits: what is lost, and that it is there without a file or a network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from impasto.backbones import load_backbone
from impasto.backbones.base import Backbone
from impasto.backbones.packed import pack, unpack
from impasto.image import load_image
from impasto.losses import gram_loss, moments

LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")


def test_packed_weights_are_signed_roots_in_units_of_their_channel() -> None:
    weight = np.random.default_rng(0).normal(size=(4, 3, 3, 3)) ** 3
    packed = pack({"w": torch.tensor(weight), "b": torch.tensor([1.0, -2.0])})
    assert packed["w"].dtype == torch.int8
    largest = np.abs(weight).max(axis=(1, 2, 3))
    roots = np.sign(weight) * np.sqrt(np.abs(weight) / largest[:, None, None, None])
    np.testing.assert_allclose(packed["w"].numpy(), 127 * roots, atol=0.6)
    again = unpack(packed)
    assert set(again) == {"w", "b"}
    assert again["b"].tolist() == [1.0, -2.0]
    error = np.linalg.norm(again["w"].numpy() - weight) / np.linalg.norm(weight)
    assert error < 0.02


def test_a_channel_without_weights_stays_empty() -> None:
    assert not unpack(pack({"w": torch.zeros(2, 3, 3, 3)}))["w"].any()


def test_the_embedded_network_needs_no_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("IMPASTO_CACHE", str(tmp_path))
    backbone = load_backbone("vgg16", offline=True)
    assert backbone.layers[-1] == "relu5_1"


def distance(network: Backbone, layer: str, photo: Tensor, style: Tensor) -> float:
    ours, theirs = (moments(network(image, [layer])[layer]) for image in (photo, style))
    return float(gram_loss(ours, theirs))


@pytest.mark.shared_data
def test_distances_of_pictures_are_those_of_the_network_in_16_bits(shared_data: Path) -> None:
    packed = load_backbone("vgg16", offline=True)
    whole = load_backbone("vgg16", weights=shared_data / "vgg16_features.safetensors")
    names = ("content/bsds_100007.webp", "gallery/starry_night_van_gogh.jpg")
    photo, style = (load_image(shared_data / name, long_side=256).tensor() for name in names)
    for layer in LAYERS:
        ours, theirs = (distance(net, layer, photo, style) for net in (packed, whole))
        assert ours == pytest.approx(theirs, rel=0.01), layer
