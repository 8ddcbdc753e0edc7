"""Where the weights of VGG-16 and VGG-19 are: found, downloaded, imported, cached.

In this order: a file that is given; what ``IMPASTO_WEIGHTS`` names; the user's cache; a download
of torchvision's checkpoint, of which the convolutions are kept in half precision.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import InputError


@dataclass(frozen=True)
class Checkpoint:
    """Weights that are published for download.

    Attributes:
        name: The backbone they belong to.
        url: Where torchvision publishes them.
        sha256: SHA-256 of the file, in hexadecimal digits.
        size: Length of the file in bytes.
        licence: Attribution and licence, one line.
    """

    name: str
    url: str
    sha256: str
    size: int
    licence: str

    @property
    def filename(self) -> str:
        """The file's name as torchvision publishes it."""
        return self.url.rpartition("/")[2]


CHECKPOINTS: dict[str, Checkpoint] = {
    checkpoint.name: checkpoint
    for checkpoint in (
        Checkpoint(
            name="vgg19",
            url="https://download.pytorch.org/models/vgg19-dcbb9e9d.pth",
            sha256="dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
            size=574_673_361,
            licence="torchvision, BSD-3-Clause; trained on ImageNet",
        ),
        Checkpoint(
            name="vgg16",
            url="https://download.pytorch.org/models/vgg16-397923af.pth",
            sha256="397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
            size=553_433_881,
            licence="torchvision, BSD-3-Clause; trained on ImageNet",
        ),
    )
}


def cache_folder() -> Path:
    """The folder of cached weights: in ``IMPASTO_CACHE`` or the platform's user cache."""
    if folder := os.environ.get("IMPASTO_CACHE"):
        return Path(folder).expanduser() / "weights"
    from platformdirs import user_cache_path

    return user_cache_path("impasto") / "weights"


def cached_path(name: str) -> Path:
    """The file in the cache that holds, or would hold, a backbone's weights."""
    return cache_folder() / f"{name}.safetensors"


def find(name: str) -> Path | None:
    """The file with a backbone's weights on this machine; None if a download is needed.

    Raises:
        InputError: If ``IMPASTO_WEIGHTS`` names something that does not exist.
    """
    if given := os.environ.get("IMPASTO_WEIGHTS"):
        path = Path(given).expanduser()
        if not path.exists():
            raise InputError(f"IMPASTO_WEIGHTS names {path}, which does not exist")
        if path.is_file():
            return path
        for filename in (f"{name}.safetensors", CHECKPOINTS[name].filename):
            if (path / filename).is_file():
                return path / filename
    path = cached_path(name)
    return path if path.is_file() else None


def offline_message(name: str, reason: str) -> str:
    """One line that says why weights cannot be had, and the three ways out."""
    return (
        f"the weights of {name} are not on this machine and {reason}: give a file with --weights "
        f"or IMPASTO_WEIGHTS; or run `impasto weights download {name}` on a connected machine and "
        "`impasto weights import FILE` here; or use the embedded backbone with --backbone lite"
    )
