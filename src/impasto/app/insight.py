"""Features of a picture and reconstructions from them, as files and pictures to show."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from impasto.app.jobs import Job
from impasto.backbones import load_backbone
from impasto.explain.features import feature_maps, plot_grams, plot_maps, receptive_field
from impasto.explain.options import ReconstructOptions
from impasto.explain.reconstruct import Kind, reconstruct
from impasto.image import Picture

BACKBONE = "lite"
LOOK_SIZE = 320


@dataclass(frozen=True)
class Look:
    """The features of a picture, as plots.

    Attributes:
        maps: Plot of the feature maps, a PNG file.
        grams: Plot of their Gram matrices, a PNG file.
        fields: For each layer its name, its channels and the side in pixels of what it looks at.
    """

    maps: str
    grams: str
    fields: list[tuple[str, int, int]]


def look(picture: Picture, layers: Sequence[str], channels: int, folder: Path) -> Look:
    """Draw what a backbone sees in a picture.

    Args:
        picture: Any picture; it is looked at with a long side of ``LOOK_SIZE``.
        layers: Which layers.
        channels: How many of each.
        folder: Where the files go.

    Raises:
        InputError: If the picture is too small.
    """
    backbone = load_backbone(BACKBONE)
    maps = feature_maps(backbone, picture.fitted(LOOK_SIZE), layers)
    files = Path(tempfile.mkdtemp(prefix="look-", dir=folder))
    plot_maps(maps, files / "feature-maps.png", channels)
    plot_grams(maps, files / "gram-matrices.png")
    fields = [
        (layer, len(planes), receptive_field(backbone, layer).size)
        for layer, planes in maps.items()
    ]
    return Look(str(files / "feature-maps.png"), str(files / "gram-matrices.png"), fields)


@dataclass(frozen=True)
class Recovery:
    """A request to recover a picture from its features.

    Attributes:
        picture: The picture.
        kind: "content" or "style".
        layers: Which layers, one after the other.
        size: Longer side in pixels.
        steps: Steps for each layer.
    """

    picture: Picture
    kind: Kind
    layers: Sequence[str]
    size: int
    steps: int

    def recover(
        self, job: Job[None], device: str, begin: Callable[[str], None]
    ) -> Iterator[tuple[str, Picture]]:
        """Recover the picture from each layer until the job is to end.

        Args:
            job: Told of every step.
            device: What to compute on.
            begin: Told of each layer before it begins.

        Yields:
            The layers used and the picture.

        Raises:
            InputError: If the picture is too small.
        """
        options = ReconstructOptions(max_size=self.size, steps=self.steps, device=device)

        def watch(label: str) -> list[Callable[..., None]]:
            begin(label)
            return [job.on_step]

        for found in reconstruct(self.kind, self.picture, self.layers, options, watch=watch):
            yield found.label, found.result.picture
            if job.ending:
                return
