"""The frames that are done, kept on disk so that a run can be gone on with after any end.

Each run writes one segment: H.264 in a NUT file, which can be read up to where it was cut off.
Without B-frames every packet is a frame, so that a count of packets says where to go on.
"""

from __future__ import annotations

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


class Segments:
    """The folder of a target's segments.

    Args:
        target: The video that they are for; the folder lies beside it.
        settings: All that decides how the frames look.
        resume: Go on with the segments that are there.

    Raises:
        InputError: If there are segments already and they are not to be gone on with, or were
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
            if made_with.read_text() != text:
                raise InputError(
                    f"{self.folder} was made with other settings: give the same, or remove it"
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


class SegmentWriter(AbstractContextManager["SegmentWriter"]):
    """Writes frames to a segment.

    Args:
        path: The file.
        size: (height, width) of the frames.
        rate: Frames per second, on average.
        time_base: The unit of time stamps, in seconds.
        crf: Constant rate factor of H.264; 0 keeps every pixel as it is, in RGB.

    Raises:
        ImpastoError: If the encoder is missing or the file cannot be written.
    """

    def __init__(
        self, path: Path, size: tuple[int, int], rate: Fraction, time_base: Fraction, crf: int
    ) -> None:
        av = load_av()
        self.time_base = time_base
        codec = "libx264" if crf else "libx264rgb"
        try:
            self._container = av.open(str(path), "w", options={"flush_packets": "1"})
            self._stream = self._container.add_stream(
                codec, rate, options={"crf": str(crf), "bf": "0"}
            )
        except (ValueError, OSError) as error:
            raise ImpastoError(f"cannot write {path} with {codec}: {error}") from error
        self._stream.height, self._stream.width = (side + side % 2 for side in size)
        self._stream.time_base = time_base
        self._stream.codec_context.time_base = time_base
        self._stream.codec_context.gop_size = max(1, round(4 * rate))
        self._stream.pix_fmt = "yuv420p" if crf else "rgb24"
        if crf:
            tag_as_bt709(self._stream.codec_context)

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
