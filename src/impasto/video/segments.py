"""The finished frames, kept on disk so that a run can be resumed however it ended.

Each run writes one segment: H.264 or VP9 in a NUT file, which can be read up to where it was cut
off. Without B-frames every packet is a frame, so that a count of packets says where to go on.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from fractions import Fraction
from pathlib import Path
from typing import Any

from impasto.errors import ImpastoError, InputError
from impasto.media.encoding import as_bt709, even, load_av, tag_as_bt709
from impasto.video.clip import Frame

# Bytes at the beginning and the end of a file that tell it from others.
_PART = 1 << 20


class Segments:
    """The folder of a target's segments.

    Args:
        target: The video that they are for; the folder lies beside it.
        settings: All that decides how the frames look.
        resume: Go on with the segments that are there.

    Raises:
        InputError: If there are segments already and ``resume`` is not set, or they were
            made with other settings.
        ImpastoError: If the folder cannot be made.
    """

    def __init__(self, target: Path, settings: Mapping[str, object], *, resume: bool) -> None:
        self.folder = target.with_name(f"{target.name}.partial")
        made_with = self.folder / "settings.json"
        text = json.dumps(dict(settings), default=str, sort_keys=True, indent=1)
        if made_with.is_file():
            if not resume:
                raise InputError(
                    f"{self.folder} is there from an earlier run: add --resume, or remove it"
                )
            if changed := _changed(made_with, text):
                raise InputError(
                    f"{self.folder} was made with other settings ({changed}): give the same, or "
                    "remove it"
                )
            return
        try:
            self.folder.mkdir(exist_ok=True)
            made_with.write_text(text)
        except OSError as error:
            raise ImpastoError(f"cannot write {self.folder}: {error.strerror}") from error

    @property
    def paths(self) -> list[Path]:
        """The segments, in order."""
        return sorted(self.folder.glob("*.nut"))

    def packets(self) -> Iterator[Any]:
        """The packets of all segments, in order; one that was cut off is left out."""
        av = load_av()
        for path in self.paths:
            try:
                container = av.open(str(path))
            except (av.error.FFmpegError, OSError):
                continue  # nothing was written before the run was killed
            with container:
                for packet in container.demux(video=0):
                    if packet.pts is not None and not packet.is_corrupt:
                        packet.dts = packet.pts  # NUT leaves it to be guessed
                        yield packet

    def count(self) -> int:
        """How many frames are done."""
        return sum(1 for _ in self.packets())

    def frames(self) -> Iterator[Frame]:
        """Decode the frames that are done."""
        for packet in self.packets():
            for frame in packet.decode():
                time = Fraction(frame.pts * frame.time_base)
                duration = Fraction((frame.duration or 0) * frame.time_base)
                yield Frame(frame.to_ndarray(format="rgb24"), time, duration)

    def next(self) -> Path:
        """The path of a new segment."""
        return self.folder / f"{len(self.paths):03d}.nut"

    def remove(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _changed(made_with: Path, text: str) -> str:
    """The names of the settings that are not as they were."""
    try:
        old = json.loads(made_with.read_text())
    except ValueError:
        return "they cannot be read"
    new = json.loads(text)
    names = [name for name in {**old, **new} if old.get(name) != new.get(name)]
    return ", ".join(names)


def fingerprint(path: str | Path) -> str:
    """A fingerprint of a file: its size, beginning and end."""
    path = Path(path)
    size = path.stat().st_size
    with path.open("rb") as file:
        parts = file.read(_PART)
        file.seek(max(0, size - _PART))
        parts += file.read()
    return f"{size} {hashlib.sha256(parts).hexdigest()[:16]}"


class SegmentWriter(AbstractContextManager["SegmentWriter"]):
    """Writes frames to a segment.

    Args:
        path: The file.
        size: (height, width) of the frames.
        rate: Frames per second, on average.
        time_base: The unit of time stamps, in seconds.
        encoder: "libx264", "libvpx-vp9", or "libx264rgb", which keeps every pixel as it is.
        crf: Constant rate factor on the scale of H.264.

    Raises:
        ImpastoError: If the encoder is missing or the file cannot be written.
    """

    def __init__(
        self,
        path: Path,
        size: tuple[int, int],
        rate: Fraction,
        time_base: Fraction,
        *,
        encoder: str = "libx264",
        crf: int = 18,
    ) -> None:
        av = load_av()
        self.time_base = time_base
        try:
            self._container = av.open(str(path), "w", options={"flush_packets": "1"})
            self._stream = stream = self._container.add_stream(
                encoder, rate, options=_options(encoder, crf)
            )
            stream.height, stream.width = (side + side % 2 for side in size)
            stream.time_base = stream.codec_context.time_base = time_base
            stream.codec_context.gop_size = max(1, round(4 * rate))
            exact = encoder == "libx264rgb"
            stream.pix_fmt = "rgb24" if exact else "yuv420p"
            if not exact:
                tag_as_bt709(stream.codec_context)
            stream.codec_context.open()
        except (ValueError, OSError) as error:
            raise ImpastoError(f"cannot write {path} with {encoder}: {error}") from error

    def write(self, frame: Frame) -> None:
        """Append a frame.

        Raises:
            ImpastoError: If the disk is full.
        """
        av = load_av()
        picture = av.VideoFrame.from_ndarray(even(frame.pixels), format="rgb24")
        if self._stream.pix_fmt == "yuv420p":
            picture = as_bt709(picture)
        picture.pts = round(frame.time / self.time_base)
        picture.time_base = self.time_base
        picture.duration = round(frame.duration / self.time_base)
        self._mux(picture)

    def __exit__(self, *_exception: object) -> None:
        """Encode what is on its way and close the file."""
        self._mux(None)
        self._container.close()

    def _mux(self, picture: Any) -> None:
        try:
            self._container.mux(self._stream.encode(picture))
        except OSError as error:
            raise ImpastoError(f"cannot write the video: {error}") from error


def _options(encoder: str, crf: int) -> dict[str, str]:
    """Options by which every packet is a frame, and written at once."""
    if encoder == "libx264rgb":
        return {"crf": "0", "bf": "0"}
    if encoder == "libx264":
        return {"crf": str(crf), "bf": "0"}
    # The scale of VP9 goes to 63; without hidden frames, and quick: painting takes long enough.
    scaled = round(crf * 63 / 51)
    quick = {"deadline": "good", "cpu-used": "5", "row-mt": "1"}
    return {"crf": str(scaled), "b": "0", "lag-in-frames": "0", "auto-alt-ref": "0", **quick}
