"""The formats of target videos, and checks before the first frame."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from impasto.errors import ImpastoError, InputError
from impasto.media.encoding import load_av
from impasto.video.clip import Clip

_COMMON = frozenset({"aac", "ac3", "alac", "eac3", "flac", "mp3", "opus"})
# Bytes that a pixel of a painted frame takes as H.264 or VP9 at CRF 18, and without loss, as
# measured on strong strokes at 384 px. Six steps of CRF halve it.
_PIXEL, _PIXEL_EXACT = 0.12, 1.6


@dataclass(frozen=True)
class Kind:
    """A kind of video file.

    Attributes:
        format: FFmpeg's name of the container.
        video: The encoder of the film.
        sound: The encoder of sound that cannot be copied; None where there is no sound.
        copied: Codecs of sound that players expect in it; None: any that FFmpeg takes.
        text: The encoder of subtitles that cannot be copied.
        animation: The encoder of an animation, which is made of the film in the end.
    """

    format: str
    video: str = "libx264"
    sound: str | None = "aac"
    copied: frozenset[str] | None = _COMMON
    text: str = "mov_text"
    animation: str | None = None


KINDS = {
    ".mp4": Kind("mp4"),
    ".mov": Kind("mov", copied=None),
    ".m4v": Kind("mp4"),
    ".mkv": Kind("matroska", copied=None, text="subrip"),
    ".webm": Kind("webm", "libvpx-vp9", "libopus", frozenset({"opus", "vorbis"}), "webvtt"),
    ".gif": Kind("gif", "libx264rgb", None, animation="gif"),
    ".webp": Kind("webp", "libx264rgb", None, animation="libwebp_anim"),
}


def kind_of(target: Path) -> Kind:
    """The kind of a file by its suffix.

    Raises:
        InputError: If it is unknown.
    """
    kind = KINDS.get(target.suffix.lower())
    if kind is None:
        known = ", ".join(KINDS)
        raise InputError(f"cannot write a video to {target.name}: use one of {known}")
    return kind


def check_target(target: Path, source: Path) -> None:
    """Refuse now what could not be written after a long run.

    Raises:
        InputError: If the suffix is unknown, the folder is missing, or the target is a folder or
            the source itself.
        ImpastoError: If an encoder is missing.
    """
    kind = kind_of(target)
    for encoder in (kind.video, kind.animation):
        if encoder and encoder not in load_av().codecs_available:
            raise ImpastoError(
                f"cannot write {target.name}: the installed av lacks {encoder}; "
                "pip install --force-reinstall av brings it"
            )
    if not target.resolve().parent.is_dir():
        raise InputError(f"cannot write {target}: the folder {target.parent} does not exist")
    if target.is_dir():
        raise InputError(f"cannot write {target}: it is a folder")
    if target.resolve() == source.resolve():
        raise InputError(f"{target} is the source itself: give another file with -o")


def check_room(target: Path, clip: Clip, size: tuple[int, int], crf: int) -> None:
    """Refuse a run whose frames the disk could not hold.

    Raises:
        ImpastoError: If it cannot.
    """
    exact = kind_of(target).video == "libx264rgb"
    a_pixel = _PIXEL_EXACT if exact else _PIXEL * 2 ** ((18 - crf) / 6)
    # The frames that are done lie beside the target until it is written.
    needed = 2 * a_pixel * size[0] * size[1] * (clip.frames_expected or 1)
    free = shutil.disk_usage(target.resolve().parent).free
    if free < needed:
        raise ImpastoError(
            f"not enough room for {target}: {_megabytes(needed)} may be needed, "
            f"{_megabytes(free)} are free; a smaller --max-size or a higher --crf needs less"
        )


def _megabytes(count: float) -> str:
    return f"{count / 1e6:,.0f} MB"
