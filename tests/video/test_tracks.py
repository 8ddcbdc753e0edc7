"""What goes with a film: carried where the target holds it, told of where it does not."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from torch import Tensor

from impasto.image import Picture
from impasto.image.picture import Floats
from impasto.video.consistency import Memory
from impasto.video.options import VideoOptions
from impasto.video.pipeline import stylize_video
from tests.video.clips import Negative, add_sound, av_open, moving, tones, write_clip

SUBTITLES = """1
00:00:00,200 --> 00:00:00,600
hello
there

2
00:00:00,800 --> 00:00:00,900
again
"""


def tone(rate: int, channels: int, seconds: float = 1.0) -> Iterator[av.AudioFrame]:
    """440 Hz."""
    layout = {1: "mono", 2: "stereo", 3: "2.1"}[channels]
    wave = (0.3 * np.sin(2 * np.pi * 440 * np.arange(int(rate * seconds)) / rate)).astype(
        np.float32
    )
    for start in range(0, len(wave), 1000):
        block = np.repeat(wave[None, start : start + 1000], channels, 0)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(block), "fltp", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        yield frame


def film(tmp_path: Path, rate: int = 44100, channels: int = 2, codec: str = "pcm_s16le") -> Path:
    """A second of film with title, date, chapters, two sounds and subtitles."""
    write_clip(tmp_path / "v.mp4", moving(25))
    (tmp_path / "s.srt").write_text(SUBTITLES)
    path = tmp_path / "film.mkv"
    with (
        av_open(tmp_path / "v.mp4") as video,
        av_open(tmp_path / "s.srt") as text,
        av_open(path, "w") as out,
    ):
        out.metadata.update({"title": "Holiday", "date": "1999"})
        out.set_chapters(
            [
                {
                    "id": i,
                    "start": 500 * i,
                    "end": 500 * i + 500,
                    "time_base": Fraction(1, 1000),
                    "metadata": {"title": name},
                }
                for i, name in enumerate(("morning", "evening"))
            ]
        )
        frames = out.add_stream_from_template(video.streams.video[0])
        sounds = [out.add_stream(codec, rate) for _ in range(2)]
        for sound, language in zip(sounds, ("eng", "spa"), strict=True):
            sound.layout = {1: "mono", 2: "stereo", 3: "2.1"}[channels]
            sound.metadata["language"] = language
        lines = out.add_stream_from_template(text.streams.subtitles[0])
        lines.metadata["language"] = "fra"
        for source, target in ((video, frames), (text, lines)):
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = target
                    out.mux(packet)
        for sound in sounds:
            for frame in tone(rate, channels):
                out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
    return path


def heard(path: Path, track: int = 0) -> float:
    """The frequency that is heard most, in Hz."""
    mono = av.AudioResampler("flt", "mono", 48000)
    with av_open(path) as container:
        frames = [mono.resample(frame) for frame in container.decode(audio=track)]
    wave = np.concatenate([part.to_ndarray()[0] for parts in frames for part in parts])
    return float(np.abs(np.fft.rfft(wave)).argmax() * 48000 / len(wave))


@pytest.mark.parametrize("suffix", [".mkv", ".mp4", ".mov", ".m4v", ".webm"])
def test_all_that_goes_with_a_film_is_kept(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    target = tmp_path / f"out{suffix}"
    stylize_video(film(tmp_path), target, Negative())
    assert not caplog.records
    with av_open(target) as out:
        assert {name.lower(): text for name, text in out.metadata.items()}["title"] == "Holiday"
        assert "1999" in (out.metadata.get("date") or out.metadata["DATE"])
        chapters = out.chapters()
        assert [c["metadata"]["title"] for c in chapters] == ["morning", "evening"]
        assert [float(c["end"] * c["time_base"]) for c in chapters] == [0.5, 1.0]
        assert [s.metadata["language"] for s in out.streams.audio] == ["eng", "spa"]
        lines = out.streams.subtitles[0]
        assert lines.metadata["language"] == "fra"
        shown = [(float(p.pts * p.time_base), bytes(p)) for p in out.demux(lines) if p.size > 2]
    assert [time for time, _ in shown] == [0.2, 0.8]
    assert b"hello\nthere" in shown[0][1].replace(b"\r", b"")
    for track in range(2):
        assert heard(target, track) == pytest.approx(440, abs=3)


def test_a_part_takes_its_part_of_subtitles_and_chapters(tmp_path: Path) -> None:
    target = tmp_path / "out.mkv"
    stylize_video(film(tmp_path), target, Negative(), VideoOptions(start=0.6, end=1.0))
    with av_open(target) as out:
        (chapter,) = out.chapters()
        assert [float(chapter[side] * chapter["time_base"]) for side in ("start", "end")] == [
            0,
            0.4,
        ]
        lines = [p for p in out.demux(out.streams.subtitles[0]) if p.size]
        assert [float(p.pts * p.time_base) for p in lines] == [0.2]


@pytest.mark.parametrize(
    ("rate", "channels", "suffix"),
    [
        (192_000, 2, ".mp4"),
        (22_222, 1, ".mp4"),
        (4000, 1, ".mp4"),
        (44_100, 3, ".mp4"),
        (192_000, 2, ".webm"),
        (44_100, 3, ".webm"),
    ],
)
def test_sound_that_the_codec_cannot_hold_is_resampled(
    tmp_path: Path, rate: int, channels: int, suffix: str
) -> None:
    target = tmp_path / f"out{suffix}"
    stylize_video(film(tmp_path, rate, channels), target, Negative())
    assert heard(target) == pytest.approx(440, abs=3)
    with av_open(target) as out:
        frames = list(out.decode(audio=0))
        end = frames[-1].pts * frames[-1].time_base + Fraction(frames[-1].samples, frames[-1].rate)
    assert float(end) == pytest.approx(1, abs=0.15)  # AAC's frames last as long at 7350 Hz


def as_apac(path: Path) -> None:
    """Rename the codec of the last sound to Apple's, which no free decoder knows."""
    data = bytearray(path.read_bytes())
    for old, new in ((b"mp4a", b"apac"), (b"esds", b"dapa")):
        at = data.rfind(old)
        data[at : at + 4] = new
    path.write_bytes(data)


def two_sounds(path: Path) -> Path:
    write_clip(path.with_name("v.mp4"), moving(25))
    with av_open(path.with_name("v.mp4")) as video, av_open(path, "w") as out:
        frames = out.add_stream_from_template(video.streams.video[0])
        sounds = [add_sound(out, "aac") for _ in range(2)]
        for packet in video.demux():
            if packet.dts is not None:
                packet.stream = frames
                out.mux(packet)
        for sound in sounds:
            for frame in tones(Fraction(1)):
                out.mux(sound.encode(frame))
            out.mux(sound.encode(None))
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_a_track_that_cannot_be_decoded_is_left_out_with_one_warning(
    tmp_path: Path, suffix: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = two_sounds(tmp_path / "in.mp4")
    as_apac(path)
    painter = Negative()
    with caplog.at_level(logging.WARNING):
        stylize_video(path, tmp_path / f"out{suffix}", painter)
    (record,) = caplog.records
    assert "left out: sound" in record.getMessage()
    with av_open(tmp_path / f"out{suffix}") as out:
        assert [stream.type for stream in out.streams] == ["video", "audio"]


def test_what_is_left_out_is_told_before_painting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[str] = []

    class Listening(Negative):
        def __call__(self, frame: Picture, memory: Memory | None, mask: Floats | None) -> Tensor:
            told.append(caplog.text)
            return super().__call__(frame, memory, mask)

    stylize_video(film(tmp_path), tmp_path / "out.gif", Listening())
    assert "sound (pcm_s16le), subtitles" in told[0]


def test_joined_films_keep_their_sound_to_the_end(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "in.ts", moving(25), audio="mp2", codec="mpeg2video")
    path.write_bytes(2 * path.read_bytes())
    target = tmp_path / "out.mkv"
    assert stylize_video(path, target, Negative()).frames == 50
    with av_open(target) as out:
        ends: dict[str, Fraction] = {}
        for packet in out.demux():
            if packet.dts is not None:
                now = packet.pts * packet.time_base
                assert now >= ends.get(packet.stream.type, -1)
                ends[packet.stream.type] = now
    assert float(ends["audio"]) == pytest.approx(2, abs=0.1)
    assert float(ends["video"]) == pytest.approx(2, abs=0.1)


def test_sound_that_changes_its_channels_is_heard_to_the_end(tmp_path: Path) -> None:
    """A broadcast whose sound becomes mono, after a joint."""
    parts = []
    for name, channels in (("a.ts", 2), ("b.ts", 1)):
        path = tmp_path / name
        with av_open(path, "w") as out:
            video: Any = out.add_stream("mpeg2video", 25)
            video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            sound: Any = out.add_stream("ac3", 48000)
            sound.layout = "stereo" if channels == 2 else "mono"
            for i, pixels in enumerate(moving(25)):
                frame = av.VideoFrame.from_ndarray(pixels).reformat(format="yuv420p")
                frame.pts, frame.time_base = i, Fraction(1, 25)
                out.mux(video.encode(frame))
            out.mux(video.encode(None))
            for heard_frame in tone(48000, channels):
                out.mux(sound.encode(heard_frame))
            out.mux(sound.encode(None))
        parts.append(path.read_bytes())
    (tmp_path / "in.ts").write_bytes(b"".join(parts))
    target = tmp_path / "out.webm"
    stylize_video(tmp_path / "in.ts", target, Negative())
    with av_open(target) as out:
        last = list(out.decode(audio=0))[-1]
    assert float(last.pts * last.time_base) == pytest.approx(2, abs=0.15)
    assert heard(target) == pytest.approx(440, abs=3)
