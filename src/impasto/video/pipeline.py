"""From video to video: frame by frame, in bounded memory; an interrupted run can be resumed."""

from __future__ import annotations

import dataclasses
import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from impasto.errors import InputError
from impasto.image import Picture, fit
from impasto.video.clip import Clip, Frame, open_clip
from impasto.video.consistency import FramePainter, Shown, VideoPainter, as_picture
from impasto.video.finish import finish
from impasto.video.masks import Masks, MovingMaps, at_times
from impasto.video.options import VideoOptions
from impasto.video.segments import Segments, SegmentWriter, fingerprint
from impasto.video.targets import check_room, check_target, kind_of
from impasto.video.tracks import CarriedTracks, carried_tracks

logger = logging.getLogger(__name__)


# Told how many frames are done, and about how many there are; None where the file does not say.
Tell = Callable[[int, "int | None"], None]


@dataclass(frozen=True)
class VideoResult:
    """How a run ended.

    Attributes:
        frames: How many frames the target has.
        interrupted: Whether Ctrl-C ended it; the target then holds what was done.
    """

    frames: int
    interrupted: bool = False


def stylize_video(
    source: str | Path,
    target: str | Path,
    painter: FramePainter,
    options: VideoOptions | None = None,
    *,
    mask: str | Path | None = None,
    maps: MovingMaps | None = None,
    max_size: int = 512,
    settings: Mapping[str, object] | None = None,
    resume: bool = False,
    tell: Tell | None = None,
) -> VideoResult:
    """Repaint a video, with its sound, frame rate and times.

    Frames that are done are kept in a folder beside the target until all are; after Ctrl-C the
    target plays as far as it got, and ``resume`` goes on.

    Args:
        source: The video.
        target: A file ending in .mp4, .mov, .m4v, .mkv, .webm, .gif or .webp.
        painter: Repaints a frame.
        options: Which part, how consistent, which quality.
        mask: Where to paint, a picture or a video of masks; elsewhere the film stays as it is.
        maps: What of the painter's maps moves with the film.
        max_size: Longer side of the result, in pixels; never enlarged.
        settings: What the painter was made with, kept in the file.
        resume: Go on with an earlier run that was ended.
        tell: Called after each frame.

    Raises:
        InputError: If the source, a mask or map, the target or the folder cannot be used.
        ImpastoError: If painting or writing fails; ``resume`` goes on from what was done.
        MissingExtraError: If av or OpenCV is not installed.
    """
    source, target, options = Path(source), Path(target), options or VideoOptions()
    clip = check(source, target, options)
    size, carried = fit(clip.size, max_size), _carried(clip, target)
    shown = _shown(mask, maps, clip, size)
    told = {"source": source.name, "size": size, **dataclasses.asdict(options), **(settings or {})}
    segments = _segments(target, clip, size, told, _contents(source, shown), resume)
    frames = VideoPainter(painter, consistent=options.consistency > 0, maps=maps)
    run = _Run(clip, size, segments, frames, kind_of(target).video, options.crf, shown)
    run.paint(tell)
    return run.finish(target, told, carried)


def _shown(
    mask: str | Path | None, maps: MovingMaps | None, clip: Clip, size: tuple[int, int]
) -> dict[str, Masks]:
    """What is shown with each frame, by name."""
    shown = {"mask": Masks(Path(mask), clip, size)} if mask else {}
    files = maps.files if maps else {}
    return shown | {name: Masks(path, clip, size, "map") for name, path in files.items()}


def _segments(
    target: Path,
    clip: Clip,
    size: tuple[int, int],
    told: Mapping[str, Any],
    contents: Mapping[str, str],
    resume: bool,
) -> Segments:
    """The frames that are done; none are begun where there is no room for the film."""
    if not resume:
        check_room(target, clip, size, told["crf"])
    return Segments(target, {**told, **contents}, resume=resume)


def _contents(source: Path, shown: Mapping[str, Masks]) -> dict[str, str]:
    """The contents of the files on which the frames depend."""
    files = {"source": source, **{name: masks.path for name, masks in shown.items()}}
    return {f"contents of the {name}": fingerprint(path) for name, path in files.items()}


def check(source: str | Path, target: str | Path, options: VideoOptions) -> Clip:
    """Raise now what ``stylize_video`` would raise of its files, and look at the source."""
    check_target(Path(target), Path(source))
    return open_clip(source, start=options.start, end=options.end or None)


def _carried(clip: Clip, target: Path) -> CarriedTracks:
    """The tracks that are carried over, with a warning of what is left out."""
    carried = carried_tracks(clip, kind_of(target))
    for notice in clip.notices:
        logger.warning("%s is %s", clip.path, notice)
    if carried.left_out:
        what = ", ".join(dict.fromkeys(carried.left_out))
        logger.warning("%s cannot hold all that is in %s; left out: %s", target, clip.path, what)
    return carried


class _Run:
    """A run over the frames that are not done yet."""

    def __init__(
        self,
        clip: Clip,
        size: tuple[int, int],
        segments: Segments,
        painter: VideoPainter,
        encoder: str,
        crf: int,
        shown: Mapping[str, Masks],
    ) -> None:
        self.clip, self.size, self.segments = clip, size, segments
        self.painter, self.shown = painter, shown
        self.encoder, self.crf = encoder, crf
        self.interrupted = False
        self.done = 0
        self.end = Fraction(0)

    def paint(self, tell: Tell | None) -> None:
        """Paint and write the frames that are not done yet."""
        self.done, last = _finished(self.segments)
        # One frame earlier, which the first new one is to follow.
        with closing(self.clip.frames(self.size, skip=max(0, self.done - 1))) as decoded:
            frames = at_times(decoded, self.shown)
            if last is not None and (before := next(frames, None)):
                frame, shown = before
                height, width = self.size
                painted = as_picture(last.pixels[:height, :width]).tensor()
                self.painter.keep(frame.pixels, painted, shown)
                self._ends_with(frame)
            try:
                self._paint(frames, tell)
            except KeyboardInterrupt:
                self.interrupted = True
                self.done = self.segments.count()

    def finish(
        self, target: Path, settings: Mapping[str, object], carried: CarriedTracks
    ) -> VideoResult:
        """Write the target; the segments stay only where frames are missing.

        Raises:
            InputError: If the source has no frames.
            ImpastoError: If writing fails.
        """
        if self.done:
            whole = not self.interrupted
            finish(self.segments, self.clip, target, settings, carried, end=self.end, whole=whole)
        if not (self.done and self.interrupted):
            self.segments.remove()
        if not self.done and self.interrupted:
            raise KeyboardInterrupt
        if not self.done:
            raise InputError(f"{self.clip.path} has no frames that can be decoded")
        return VideoResult(self.done, self.interrupted)

    def _paint(self, frames: Iterator[tuple[Frame, Shown]], tell: Tell | None) -> None:
        clip, path = self.clip, self.segments.next()
        with SegmentWriter(
            path, self.size, clip.rate, clip.time_base, encoder=self.encoder, crf=self.crf
        ) as writer:
            for frame, shown in frames:
                painted = self.painter(frame.pixels, f"frame {self.done + 1}", shown)
                pixels: Any = Picture.from_tensor(painted).integers(8)
                writer.write(dataclasses.replace(frame, pixels=pixels))
                self.done += 1
                self._ends_with(frame)
                if tell:
                    tell(self.done, clip.frames_expected)

    def _ends_with(self, frame: Frame) -> None:
        self.end = frame.time + (frame.duration or 1 / self.clip.rate)


def _finished(segments: Segments) -> tuple[int, Frame | None]:
    """How many frames are done, and the last of them."""
    frames = list(deque(enumerate(segments.frames(), start=1), maxlen=1))
    return frames[0] if frames else (0, None)
