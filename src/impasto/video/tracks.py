"""The tracks and tags beside the pictures: sound, subtitles, chapters, title and date."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from itertools import islice
from typing import Any, Protocol

from impasto.media.encoding import load_av
from impasto.video.clip import Clip
from impasto.video.film import Animation, Film, opened
from impasto.video.targets import Kind

logger = logging.getLogger(__name__)

# Tags that are true of the painted film as well.
_TAGS = (
    *("title", "artist", "album_artist", "album", "show", "date", "creation_time", "copyright"),
    *("genre", "description", "synopsis", "language"),
)
# A trial reads so many packets of a file.
_TRIAL = 400
# Text subtitles are converted by way of ASS, whose header encoders want.
_STYLES = b"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, \
Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""

Timed = Iterator[tuple[Fraction, Any]]


@dataclass(frozen=True)
class Period:
    """The part of the source's time that the target shows, in seconds; no end: all of it."""

    origin: Fraction
    until: Fraction | None = None

    def holds(self, time: Fraction) -> bool:
        """Whether a moment, counted from the origin, lies within."""
        # What comes before the first frame of a file belongs to it (the priming of AAC).
        begins = self.origin <= 0 or time >= 0
        return begins and (self.until is None or time < self.until)


class Track(Protocol):
    """A stream on its way to the target.

    Attributes:
        stream: That of the target.
    """

    stream: Any

    def take(self, packet: Any) -> Timed:
        """Turn a packet into packets for the target, with their times."""


# Adds a stream of the source to a target.
Adds = Callable[[Any, Any, Kind, Period], Track]


class Copied:
    """Packets as they are."""

    def __init__(self, stream: Any, out: Any, kind: Kind, period: Period) -> None:
        del kind
        self.stream, self.period = out.add_stream_from_template(stream), period
        self._last: int | None = None

    def take(self, packet: Any) -> Timed:
        """See ``Track``."""
        packet.dts = packet.pts if packet.dts is None else packet.dts
        if packet.dts is None:
            return
        origin, base = self.period.origin, packet.time_base
        stamp = packet.dts if packet.pts is None else packet.pts
        if not self.period.holds(stamp * base - origin):
            return
        shift = round(origin / base)
        packet.dts -= shift
        if self._last is not None:
            packet.dts = max(packet.dts, self._last + 1)  # or the target refuses it
        self._last = packet.dts
        packet.pts = None if packet.pts is None else max(packet.pts - shift, packet.dts)
        time = Fraction(packet.dts * base)
        packet.stream = self.stream
        yield time, packet


class Sound:
    """Sound that is encoded anew, at a rate and with channels that the encoder takes."""

    def __init__(self, stream: Any, out: Any, kind: Kind, period: Period, *, stereo: bool) -> None:
        rates = load_av().Codec(kind.sound, "w").audio_rates
        rate = min(rates, key=lambda each: (each < stream.rate, abs(each - stream.rate)))
        self.period = period
        self.stream = out.add_stream(kind.sound, rate=rate)
        self.stream.layout = "stereo" if stereo else _named_layout(stream)
        self.stream.codec_context.open()
        self._resampler: Any = None
        self._heard: Any = None
        self._next = -(1 << 62)

    def take(self, packet: Any) -> Timed:
        """See ``Track``."""
        av = load_av()
        try:
            frames = packet.decode()
        except av.error.FFmpegError:
            return
        for frame in frames:
            if self.period.holds(frame.pts * frame.time_base - self.period.origin):
                frame.pts -= round(self.period.origin / frame.time_base)
                yield from self._encoded(frame)
        if packet.dts is None:
            yield from self._flushed()
            yield from self._timed(None)

    def _encoded(self, frame: Any) -> Timed:
        heard = frame.format.name, frame.layout.name, frame.sample_rate
        if heard != self._heard:  # joined files: from here on the sound is of another kind
            yield from self._flushed()
            to = self.stream.codec_context
            self._resampler = load_av().AudioResampler(to.format, to.layout, to.rate)
            self._heard = heard
        for resampled in self._resampler.resample(frame):
            yield from self._timed(resampled)

    def _flushed(self) -> Timed:
        if self._resampler:
            for resampled in self._resampler.resample(None):
                yield from self._timed(resampled)
        self._resampler = None

    def _timed(self, frame: Any) -> Timed:
        if frame is not None:  # parts that overlap where files were joined come one after another
            frame.pts = self._next = max(frame.pts, self._next)
            self._next += frame.samples
        for made in self.stream.encode(frame):
            yield Fraction(made.dts * made.time_base), made


def _named_layout(stream: Any) -> str:
    """The layout of the channels; a guess where the file only says how many there are."""
    known = {1: "mono", 2: "stereo", 6: "5.1", 8: "7.1"}
    channels = stream.layout.nb_channels
    return known.get(channels, "stereo") if "channels" in stream.layout.name else stream.layout.name


class Text:
    """Subtitles in text, in another format."""

    def __init__(self, stream: Any, out: Any, kind: Kind, period: Period) -> None:
        self.source, self.period = stream.codec_context, period
        self.stream = out.add_stream(kind.text)
        self.encoder = self.stream.codec_context
        self.encoder.subtitle_header = _STYLES
        self.encoder.time_base = self.stream.time_base = Fraction(1, 1000)

    def take(self, packet: Any) -> Timed:
        """See ``Track``."""
        from av.subtitles.subtitle import SubtitleSet

        if packet.pts is None or not packet.size:
            return
        time = Fraction(packet.pts * packet.time_base) - self.period.origin
        shown = self.source.decode2(packet)
        lines = [rect.ass for rect in shown or () if rect.ass]
        if not lines or not self.period.holds(time):
            return
        length = round(1000 * (packet.duration or 0) * packet.time_base)
        length = length or shown.end_display_time
        text = SubtitleSet.create(b"\n".join(lines), 0, length, round(time * 1_000_000))
        made = self.encoder.encode_subtitle(text)
        made.stream, made.time_base = self.stream, Fraction(1, 1000)
        made.pts = made.dts = round(1000 * time)
        made.duration = length
        yield time, made


@dataclass(frozen=True)
class CarriedTracks:
    """The tracks that are carried over from a source.

    Attributes:
        tracks: How each stream is added, by its index.
        left_out: What is not carried over, in words.
    """

    tracks: dict[int, Adds]
    left_out: tuple[str, ...] = ()


def carried_tracks(clip: Clip, kind: Kind) -> CarriedTracks:
    """Try out what of a source can be carried to a kind of target."""
    tracks: dict[int, Adds] = {}
    left = []
    with opened(clip.path) as film:
        if isinstance(film, Animation):
            return CarriedTracks({})
        for stream in film.container.streams:
            if stream == film.stream:
                continue
            ways = _ways(stream, kind)
            adds = next((way for way in ways if _works(clip, kind, stream.index, way)), None)
            if adds is None:
                left.append(_describe(stream))
            else:
                tracks[stream.index] = adds
    return CarriedTracks(tracks, tuple(left))


def _ways(stream: Any, kind: Kind) -> list[Adds]:
    """How a stream may be carried, the best way first."""
    if kind.sound is None or stream.codec_context is None:
        return []
    if stream.type == "audio":
        copies = kind.copied is None or stream.codec_context.codec.canonical_name in kind.copied
        return [
            *([Copied] if copies else []),
            lambda *given: Sound(*given, stereo=False),
            lambda *given: Sound(*given, stereo=True),
        ]
    if stream.type == "subtitle":
        return [Copied, Text]
    return []


def _works(clip: Clip, kind: Kind, index: int, adds: Adds) -> bool:
    """Whether the beginning of a stream can be written in a way: in memory, as it will be."""
    av = load_av()
    try:
        with opened(clip.path) as film, av.open(io.BytesIO(), "w", format=kind.format) as out:
            assert isinstance(film, Film)
            track = adds(film.container.streams[index], out, kind, Period(clip.origin))
            out.start_encoding()
            for packet in islice(film.packets([film.container.streams[index]]), _TRIAL):
                if packet.stream.index == index:
                    for _, made in track.take(packet):
                        out.mux(made)
    except (av.error.FFmpegError, ValueError, OSError):
        return False
    return True


def _describe(stream: Any) -> str:
    kinds = {"audio": "sound", "video": "further pictures", "subtitle": "subtitles"}
    kind = kinds.get(stream.type, stream.type)
    codec = f" ({stream.codec_context.name})" if stream.codec_context else ""
    return f"{kind}{codec}"


def add_tracks(
    film: Film | Animation, out: Any, kind: Kind, carried: CarriedTracks, period: Period
) -> dict[Any, Track]:
    """Add the streams that are carried to a target, with their language and rank."""
    if isinstance(film, Animation):
        return {}
    tracks = {}
    for index, adds in carried.tracks.items():
        stream = film.container.streams[index]
        tracks[stream] = track = adds(stream, out, kind, period)
        told = {name: stream.metadata.get(name) for name in ("language", "title")}
        track.stream.metadata.update({name: text for name, text in told.items() if text})
        track.stream.disposition = int(stream.disposition)
    return tracks


def copy_tags(film: Film | Animation, out: Any, period: Period) -> None:
    """Copy title, date and chapters."""
    if isinstance(film, Animation):
        return
    tags = {name.lower(): text for name, text in film.container.metadata.items()}
    out.metadata.update({name: tags[name] for name in _TAGS if name in tags})
    chapters = []
    for chapter in film.container.chapters():
        base = chapter["time_base"]
        start, end = (chapter[side] * base - period.origin for side in ("start", "end"))
        if end > 0 and (period.until is None or start < period.until):
            start = max(start, Fraction(0))
            end = end if period.until is None else min(end, period.until)
            chapters.append({**chapter, "start": round(start / base), "end": round(end / base)})
    if chapters:
        out.set_chapters(chapters)


def packets(film: Film | Animation, tracks: dict[Any, Track]) -> Timed:
    """Packets of all tracks for the target, in the order of the source."""
    if isinstance(film, Film) and tracks:
        for packet in film.packets(tracks):
            if packet.stream in tracks:
                yield from tracks[packet.stream].take(packet)
