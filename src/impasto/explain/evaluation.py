"""Stylized pictures measured against their sources: one pair, or a manifest of many."""

from __future__ import annotations

import csv
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from impasto.backbones.base import Backbone
from impasto.errors import ImpastoError, InputError, needs
from impasto.files import atomic
from impasto.image import ImageSource, Picture, fit, load_image
from impasto.metrics import Judge

MANIFEST = "manifest.csv"
COLUMNS = ("image", "content", "style")
# Aspects further apart than this do not come from rounding: the picture is of something else.
ASPECT_TOLERANCE = 0.05
# AlexNet's strides leave nothing of smaller pictures.
LPIPS_SIDE = 31

Row = dict[str, float]
Distance = Callable[[Tensor, Tensor], float]


@dataclass(frozen=True)
class Case:
    """A stylized picture and its sources.

    Attributes:
        name: Its name in tables.
        image: The stylized picture.
        content: The photo that it was made from.
        style: The artwork whose style it has.
    """

    name: str
    image: ImageSource
    content: ImageSource
    style: ImageSource


class Evaluator:
    """Measures stylized pictures.

    Args:
        backbone: Looks at the pictures; not the one that made them where possible.
        max_size: Longer side at which pictures are compared, in pixels.
        lpips: A distance of two images ``(1, 3, H, W)`` in [0, 1]; see ``load_lpips``.
    """

    def __init__(
        self, backbone: Backbone, max_size: int = 512, lpips: Distance | None = None
    ) -> None:
        self.judge = Judge(backbone)
        self.max_size = max_size
        self.lpips = lpips

    def __call__(self, image: ImageSource, content: ImageSource, style: ImageSource) -> Row:
        """Return the distances of a picture by name, in the order of a table's columns.

        All three are brought to one size: the photo to the picture's, the artwork to its longer
        side. Transparency is ignored.

        Raises:
            InputError: If a picture cannot be read, is too small, or not of the photo's shape.
        """
        picture = load_image(image, long_side=self.max_size)
        photo, artwork = load_image(content), load_image(style, long_side=max(picture.size))
        _check_aspects(picture, photo)
        sources = picture.tensor(), photo.resized(*picture.size).tensor(), artwork.tensor()
        found = self.judge(*sources)
        row = {"content": found.content, "SSIM": found.ssim, "Gram": found.gram, "W2": found.w2}
        row |= {f"W2 {layer}": value for layer, value in found.w2_layers.items()}
        row["RGB W2"] = found.rgb
        row |= {"grain": found.grain_lightness, "color grain": found.grain_color}
        row["weave"] = found.weave
        if self.lpips:
            row["LPIPS"] = self.lpips(*sources[:2])
        return row


def _check_aspects(picture: Picture, photo: Picture) -> None:
    height, width = fit(photo.size, max(picture.size), enlarge=True)
    apart = max(abs(height - picture.size[0]), abs(width - picture.size[1]))
    if apart > max(2, ASPECT_TOLERANCE * max(picture.size)):
        raise InputError(
            f"{picture.name} and {photo.name} differ in shape: it was made from another photo"
        )


def load_lpips() -> Distance:
    """LPIPS of Zhang et al. 2018 with AlexNet, as most papers report it.

    The package brings the weights of the channels; AlexNet's own come from torchvision, which
    downloads them on first use.

    Raises:
        MissingExtraError: If the package lpips is not installed.
        ImpastoError: If torchvision does not fit torch, or cannot download AlexNet.
    """
    try:
        with needs("lpips", "lpips", "the LPIPS distance"):
            import lpips
    except RuntimeError as error:
        raise ImpastoError(
            f"LPIPS needs the torchvision that belongs to torch {torch.__version__}: {error}"
        ) from error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it uses an argument that torchvision deprecates
        try:
            network = lpips.LPIPS(net="alex", verbose=False).eval()
        except (OSError, RuntimeError) as error:
            raise ImpastoError(
                f"LPIPS needs AlexNet, which torchvision could not download: {error}"
            ) from error

    @torch.no_grad()
    def distance(image: Tensor, target: Tensor) -> float:
        if min(image.shape[2:]) < LPIPS_SIDE:
            raise InputError(f"LPIPS needs pictures of at least {LPIPS_SIDE} px")
        return float(network(2 * image - 1, 2 * target - 1))

    return distance


def read_manifest(path: str | Path) -> list[Case]:
    """Read a table of stylized pictures and their sources.

    A CSV file with the columns image, content and style, and optionally name; files are
    relative to its folder.

    Args:
        path: The table, or a folder that holds it as manifest.csv.

    Raises:
        InputError: If it cannot be read, or lacks a column, a value or any row.
    """
    path = Path(path)
    path = path / MANIFEST if path.is_dir() else path
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            table = csv.DictReader(file)
            rows, columns = list(table), table.fieldnames or []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        problem = getattr(error, "strerror", None) or error
        raise InputError(f"cannot read the manifest {path}: {problem}") from error
    missing = [column for column in COLUMNS if column not in columns]
    if missing or not rows:
        lack = f"the column {missing[0]}" if missing else "rows"
        raise InputError(f"{path} lacks {lack}: a manifest has the columns {', '.join(COLUMNS)}")
    return [_case(row, path, number) for number, row in enumerate(rows, start=2)]


def _case(row: Mapping[str, str | None], path: Path, line: int) -> Case:
    files = {}
    for column in COLUMNS:
        if not row[column]:
            raise InputError(f"{path}, line {line}: {column} is empty")
        files[column] = path.parent / str(row[column])
    return Case(row.get("name") or files["image"].name, **files)


def mean(rows: Sequence[Row]) -> Row:
    """The mean of each column."""
    return {name: sum(row[name] for row in rows) / len(rows) for name in rows[0]}


def write_table(rows: Mapping[str, Row], path: str | Path, head: str = "name") -> None:
    """Write rows with their names as CSV, whole or not at all.

    Args:
        rows: Distances by the name of what was measured.
        path: The file.
        head: What the column of names is called.
    """
    columns = [head, *next(iter(rows.values()))]
    with atomic(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(columns)
        table.writerows([name, *row.values()] for name, row in rows.items())
