"""The encoder of a network as what looks at a body of work. No torch here."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from impasto.image import Picture
from impasto.stylizers.body.pack import Found, StylePack
from impasto.stylizers.networks.codes import StyleCode
from impasto.stylizers.networks.engines import Code, Floats

ENCODER = "encoder."


class EncoderEye:
    """Sees the codes of pictures.

    Args:
        model: The model file, whose encoder tells which packs fit.
        encode: Runs it, see ``Engine``.
    """

    name = "arbitrary"
    smallest = 1

    def __init__(self, model: Path, encode: Callable[[Floats, Floats | None], Code]) -> None:
        self.encode = encode
        self.mark = _fingerprint(model)

    def look(self, picture: Picture, places: int = 0) -> Found:
        """The two parts of a code; a network compares no places."""
        code = self.encode(*planes(picture))
        return {"mean": code.mean, "square": code.square}

    def code(self, pack: StylePack, side: int) -> Code:
        """The code of a body of work whose pictures have this longer side, in pixels."""
        found = pack.at(self.name, side)
        return StyleCode(found["mean"], found["square"])


def planes(picture: Picture) -> tuple[Floats, Floats | None]:
    """A picture as engines take it: ``(1, 3, H, W)``, and its alpha ``(1, 1, H, W)``."""
    weights = None if picture.alpha is None else picture.alpha[None, None]
    return np.ascontiguousarray(picture.rgb.transpose(2, 0, 1)[None]), weights


def _fingerprint(model: Path) -> str:
    """What tells encoders apart; other parts of a model may differ."""
    from safetensors import safe_open

    digest = hashlib.sha256()
    with safe_open(model, framework="numpy") as file:
        for name in sorted(file.keys()):
            if name.startswith(ENCODER):
                digest.update(name.encode())
                digest.update(file.get_tensor(name).tobytes())
    return digest.hexdigest()[:16]
