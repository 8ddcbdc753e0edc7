"""Reading videos: upright, in the right colours, at the right times, or refused in one line."""

from __future__ import annotations

import logging
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from impasto.errors import InputError, MissingExtraError
from impasto.video.clip import open_clip
from tests.video.clips import add_sound, av_open, moving, tones, write_clip


def test_frames_come_as_they_were_written(tmp_path: Path) -> None:
    written = moving(6)
    clip = open_clip(write_clip(tmp_path / "a.mp4", written, rate=Fraction(30000, 1001)))
    assert clip.size == (48, 64)
    assert clip.rate == Fraction(30000, 1001)
    assert clip.frames_expected == 6
    frames = list(clip.frames())
    assert [round(float(f.time * 30000 / 1001), 2) for f in frames] == [0, 1, 2, 3, 4, 5]
    for frame, pixels in zip(frames, written, strict=True):
        assert np.abs(frame.pixels.astype(int) - pixels).mean() < 2


@pytest.mark.parametrize("matrix", [Colorspace.ITU601, Colorspace.ITU709])
@pytest.mark.parametrize("color_range", [ColorRange.MPEG, ColorRange.JPEG])
def test_matrix_and_range_are_kept_to(
    tmp_path: Path, matrix: Colorspace, color_range: ColorRange
) -> None:
    color = np.full((32, 48, 3), (200, 60, 30), np.uint8)
    path = write_clip(tmp_path / "a.mp4", [color] * 2, matrix=matrix, color_range=color_range)
    found = next(open_clip(path).frames()).pixels
    assert np.abs(found.astype(int) - color).max() <= 3


def test_small_video_without_tags_is_taken_for_bt601(tmp_path: Path) -> None:
    color = np.full((32, 48, 3), (200, 60, 30), np.uint8)
    path = write_clip(tmp_path / "a.mp4", [color], matrix=Colorspace.ITU601, tagged=False)
    assert np.abs(next(open_clip(path).frames()).pixels.astype(int) - color).max() <= 3


@pytest.mark.parametrize("rotation", [90, -90, 180])
def test_rotated_video_comes_upright(tmp_path: Path, rotation: int) -> None:
    stored = moving(1)[0]
    clip = open_clip(write_clip(tmp_path / "a.mp4", [stored], rotation=rotation))
    # The display matrix of FFmpeg turns counterclockwise, as np.rot90 does.
    upright = np.rot90(stored, rotation // 90)
    assert clip.size == upright.shape[:2]
    assert np.abs(next(clip.frames()).pixels.astype(int) - upright).mean() < 2
    half = next(clip.frames((upright.shape[0] // 2, upright.shape[1] // 2)))
    assert half.pixels.shape[:2] == (upright.shape[0] // 2, upright.shape[1] // 2)


@pytest.mark.parametrize(("rotation", "size"), [(0, (48, 96)), (90, (96, 48))])
def test_wide_pixels_are_shown_as_squares(
    tmp_path: Path, rotation: int, size: tuple[int, int]
) -> None:
    path = write_clip(tmp_path / "a.mp4", moving(3), rotation=rotation, aspect=Fraction(3, 2))
    clip = open_clip(path)
    assert clip.size == size
    assert next(clip.frames()).pixels.shape == (*size, 3)


def test_a_part_starts_and_ends_where_it_was_told(tmp_path: Path) -> None:
    written = moving(20)
    path = write_clip(tmp_path / "a.mp4", written)
    clip = open_clip(path, start=0.2, end=0.4)
    frames = list(clip.frames())
    assert clip.frames_expected == len(frames) == 5
    assert frames[0].time == 0
    assert np.abs(frames[0].pixels.astype(int) - written[5]).mean() < 2
    assert len(list(clip.frames(skip=2))) == 3


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times = [Fraction(t, 100) for t in (0, 4, 6, 30, 31)]
    clip = open_clip(write_clip(tmp_path / "a.mkv", moving(5), times=times))
    assert [round(f.time, 2) for f in clip.frames()] == times


def test_what_is_no_video_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_clip(tmp_path / "nowhere.mp4")
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(InputError, match="no video, or cut off"):
        open_clip(tmp_path / "text.mp4")
    with av_open(tmp_path / "sound.m4a", "w") as out:
        sound = add_sound(out, "aac")
        for tone in tones(Fraction(1, 2)):
            out.mux(sound.encode(tone))
        out.mux(sound.encode(None))
    with pytest.raises(InputError, match="has no video stream"):
        open_clip(tmp_path / "sound.m4a")
    path = write_clip(tmp_path / "a.mp4", moving(5))
    with pytest.raises(InputError, match=r"no frames that can be decoded after 9 s"):
        open_clip(path, start=9)
    with pytest.raises(InputError, match="start before the end"):
        open_clip(path, start=2, end=1)
    (tmp_path / "cut.mp4").write_bytes(path.read_bytes()[:-300])
    with pytest.raises(InputError, match="cut off"):
        open_clip(tmp_path / "cut.mp4")


@pytest.mark.parametrize(
    ("name", "tag"),
    [("a.mp4", (b"avc1", b"none")), ("a.mkv", (b"MPEG4/ISO/AVC", b"MPEG4/ISO/XYZ"))],
)
def test_an_unknown_codec_is_told(tmp_path: Path, name: str, tag: tuple[bytes, bytes]) -> None:
    path = write_clip(tmp_path / name, moving(3))
    path.write_bytes(path.read_bytes().replace(*tag))
    with pytest.raises(InputError, match="there is no decoder for its codec"):
        open_clip(path)


@pytest.mark.parametrize(
    ("name", "message"), [("a.mp4", "has no video stream"), ("a.mkv", "no video, or cut off")]
)
def test_a_video_without_frames_is_refused(tmp_path: Path, name: str, message: str) -> None:
    with av_open(tmp_path / name, "w") as out:
        stream = out.add_stream("libx264", 25)
        stream.height, stream.width, stream.pix_fmt = 48, 64, "yuv420p"
        out.start_encoding()
    with pytest.raises(InputError, match=message):
        open_clip(tmp_path / name)


def test_a_damaged_end_is_told_and_the_rest_is_read(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = write_clip(tmp_path / "a.mkv", moving(30, (96, 128)))
    data = path.read_bytes()
    path.write_bytes(data[:-1500])
    with caplog.at_level(logging.WARNING):
        frames = list(open_clip(path).frames())
    assert 5 < len(frames) < 30


def test_without_av_the_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"impasto\[video\]"):
        open_clip(tmp_path / "a.mp4")
