"""From video to video: frame after frame, with bounded memory, to be gone on with at any time."""

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
from impasto.image.picture import Floats
from impasto.video.clip import Clip, Frame, open_clip
from impasto.video.consistency import FramePainter, VideoPainter, as_picture
from impasto.video.finish import finish
from impasto.video.masks import Masks, at_times
from impasto.video.options import VideoOptions
from impasto.video.segments import Segments, SegmentWriter, fingerprint
from impasto.video.targets import check_room, check_target, kind_of
from impasto.video.tracks import Luggage, pack

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
        max_size: Longer side of the result, in pixels; never enlarged.
        settings: What the painter was made with, kept in the file.
        resume: Go on with an earlier run that was ended.
        tell: Called after each frame.

    Raises:
        InputError: If the source or the mask cannot be read, or the target or the folder cannot be
            used.
        ImpastoError: If painting or writing fails; what was done can be gone on with.
        MissingExtraError: If av or OpenCV is not installed.
    """
    source, target, options = Path(source), Path(target), options or VideoOptions()
    clip = check(source, target, options)
    size = fit(clip.size, max_size)
    luggage = pack(clip, kind_of(target))
    _tell_of(clip, luggage, target)
    masks = None if mask is None else Masks(Path(mask), clip, size)
    told = {"source": source.name, "size": size, **dataclasses.asdict(options), **(settings or {})}
    files = {"source": source} if mask is None else {"source": source, "mask": mask}
    prints = {f"contents of the {name}": fingerprint(path) for name, path in files.items()}
    segments = Segments(target, {**told, **prints}, resume=resume)
    check_room(target, clip, size, options.crf)
    run = _Run(clip, size, segments, painter, options, kind_of(target).video, masks)
    done = run.paint(tell)
    if not done:
        segments.remove()
        if run.interrupted:
            raise KeyboardInterrupt
        raise InputError(f"{source} has no frames that can be decoded")
    whole = not run.interrupted
    finish(segments, clip, target, told, luggage, end=run.end, whole=whole)
    if not run.interrupted:
        segments.remove()
    return VideoResult(done, run.interrupted)


def check(source: str | Path, target: str | Path, options: VideoOptions) -> Clip:
    """Raise now what ``stylize_video`` would raise of its files, and look at the source."""
    check_target(Path(target), Path(source))
    return open_clip(source, start=options.start, end=options.end or None)


def _tell_of(clip: Clip, luggage: Luggage, target: Path) -> None:
    for notice in clip.notices:
        logger.warning("%s is %s", clip.path, notice)
    if luggage.left:
        what = ", ".join(dict.fromkeys(luggage.left))
        logger.warning("%s cannot hold all that is in %s; left out: %s", target, clip.path, what)


class _Run:
    """One run over the frames that are not done yet."""

    def __init__(
        self,
        clip: Clip,
        size: tuple[int, int],
        segments: Segments,
        painter: FramePainter,
        options: VideoOptions,
        encoder: str,
        masks: Masks | None,
    ) -> None:
        self.clip, self.size, self.segments, self.masks = clip, size, segments, masks
        self.painter = VideoPainter(painter, consistent=options.consistency > 0)
        self.encoder, self.crf = encoder, options.crf
        self.interrupted = False
        self.end = Fraction(0)

    def paint(self, tell: Tell | None) -> int:
        """Paint and write; return how many frames are done in all."""
        done, last = _finished(self.segments)
        # One frame earlier, which the first new one is to follow.
        with closing(self.clip.frames(self.size, skip=max(0, done - 1))) as decoded:
            frames = self._masked(decoded)
            if last is not None and (before := next(frames, None)):
                frame, mask = before
                height, width = self.size
                painted = as_picture(last.pixels[:height, :width]).tensor()
                self.painter.keep(frame.pixels, painted, mask)
                self._ends_with(frame)
            try:
                done = self._paint(frames, done, tell)
            except KeyboardInterrupt:
                self.interrupted = True
                done = self.segments.count()
        return done

    def _masked(self, frames: Iterator[Frame]) -> Iterator[tuple[Frame, Floats | None]]:
        if self.masks is None:
            return ((frame, None) for frame in frames)
        return at_times(frames, self.masks)

    def _paint(
        self, frames: Iterator[tuple[Frame, Floats | None]], done: int, tell: Tell | None
    ) -> int:
        clip, path = self.clip, self.segments.next()
        with SegmentWriter(
            path, self.size, clip.rate, clip.time_base, encoder=self.encoder, crf=self.crf
        ) as writer:
            for frame, mask in frames:
                painted = self.painter(frame.pixels, f"frame {done + 1}", mask=mask)
                pixels: Any = Picture.from_tensor(painted).integers(8)
                writer.write(dataclasses.replace(frame, pixels=pixels))
                done += 1
                self._ends_with(frame)
                if tell:
                    tell(done, clip.frames_expected)
        return done

    def _ends_with(self, frame: Frame) -> None:
        self.end = frame.time + (frame.duration or 1 / self.clip.rate)


def _finished(segments: Segments) -> tuple[int, Frame | None]:
    """How many frames are done, and the last of them."""
    frames = list(deque(enumerate(segments.frames(), start=1), maxlen=1))
    return frames[0] if frames else (0, None)
