"""Options of ``impasto video``. No heavy import here."""

from __future__ import annotations

from dataclasses import dataclass

from impasto.options import CheckedOptions, option


@dataclass(frozen=True, kw_only=True)
class VideoOptions(CheckedOptions):
    """Options of repainting a video.

    Raises:
        InputError: If a value is of the wrong type or out of its range.
    """

    consistency: float = option(
        0.7, "how far a frame follows the one before; 0: each by itself", minimum=0, maximum=1
    )
    start: float = option(0.0, "where to start, in seconds", minimum=0, metavar="S")
    end: float = option(0.0, "where to end, in seconds; 0: where it ends", minimum=0, metavar="S")
    crf: int = option(
        18, "constant rate factor of H.264, 1 (best) to 51 (smallest)", minimum=1, maximum=51
    )
