"""The weights of VGG that are published for download, and where a file of weights is from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


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


def _torchvision(name: str, filename: str, sha256: str, size: int) -> Checkpoint:
    url = f"https://download.pytorch.org/models/{filename}"
    licence = "torchvision, BSD-3-Clause; trained on ImageNet"
    return Checkpoint(name, url, sha256, size, licence)


CHECKPOINTS = {
    "vgg19": _torchvision(
        "vgg19",
        "vgg19-dcbb9e9d.pth",
        "dcbb9e9dad569fff7a846263a77324fc34978fea2bfb039c012d710e1776ae44",
        574_673_361,
    ),
    "vgg16": _torchvision(
        "vgg16",
        "vgg16-397923af.pth",
        "397923af8e79cdbb6a7127f12361acd7a2f83e06b05044ddf496e83de57a5bf0",
        553_433_881,
    ),
}


def read_metadata(path: Path) -> dict[str, str]:
    """The metadata of a safetensors file; empty for other and for unreadable files."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="np") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError):
        return {}
