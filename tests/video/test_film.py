"""Films as people have them: covers, mirrors, fields, HDR, transparency, joined files, names."""

from __future__ import annotations

import io
import itertools
import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from PIL import Image

from impasto.video.clip import open_clip
from tests.video.clips import Pixels, av_open, moving, write_clip


def difference(found: Pixels, expected: Pixels) -> float:
    assert found.shape == expected.shape
    return float(np.abs(found.astype(int) - expected).mean())


def write_stream(
    path: Path,
    frames: Sequence[Any],
    codec: str,
    pix_fmt: str,
    *,
    options: dict[str, str] | None = None,
    **context: Any,
) -> Path:
    """Write PyAV's frames at 10 a second, as they are."""
    with av_open(path, "w") as out:
        stream: Any = out.add_stream(codec, 10, options=options)
        stream.width, stream.height, stream.pix_fmt = frames[0].width, frames[0].height, pix_fmt
        for name, value in context.items():
            setattr(stream.codec_context, name, value)
        for i, frame in enumerate(frames):
            frame.pts, frame.time_base = i, Fraction(1, 10)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


@pytest.mark.parametrize(
    "name",
    ["take:2.mp4", "http:.mp4", "50%d.mp4", "x[1].mp4", "-i.mp4", "caf\udce9.mp4", "no suffix"],
)
def test_a_file_name_is_a_file_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write_clip(tmp_path / "a.mp4", moving(3)).replace(name)
    assert len(list(open_clip(name).frames())) == 3


def with_matrix(path: Path, matrix: tuple[int, int, int, int]) -> None:
    """Set the display matrix of the track to (x, y) -> (a x + c y, b x + d y)."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 4 + 20 + 16
    a, b, c, d = (65536 * each for each in matrix)
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)


MATRICES = [(1, 0, 0, 1), (-1, 0, 0, 1), (1, 0, 0, -1), (-1, 0, 0, -1)]
MATRICES += [(0, 1, -1, 0), (0, -1, 1, 0), (0, 1, 1, 0), (0, -1, -1, 0)]


@pytest.mark.parametrize("matrix", MATRICES)
def test_turned_and_mirrored_films_come_as_they_are_shown(
    tmp_path: Path, matrix: tuple[int, int, int, int]
) -> None:
    stored = moving(1)[0]
    path = write_clip(tmp_path / "a.mp4", [stored] * 2)
    with_matrix(path, matrix)
    # Each pixel goes where the matrix sends it; the corner that is sent farthest is the origin.
    a, b, c, d = matrix
    y, x = np.indices(stored.shape[:2])
    right, down = a * x + c * y, b * x + d * y
    right, down = right - right.min(), down - down.min()
    expected = np.empty((down.max() + 1, right.max() + 1, 3), np.uint8)
    expected[down, right] = stored
    clip = open_clip(path)
    assert clip.size == expected.shape[:2]
    assert difference(next(clip.frames()).pixels, expected) < 2


def test_the_film_is_read_and_not_its_cover(tmp_path: Path) -> None:
    film = moving(5)
    cover = av.VideoFrame.from_ndarray(np.full((48, 64, 3), (255, 0, 255), np.uint8))
    for name, flag in (
        ("flagged.mp4", av.stream.Disposition.attached_pic),
        ("plain.mp4", None),
        ("plain.mkv", None),
    ):
        with av_open(tmp_path / name, "w") as out:
            first: Any = out.add_stream("mjpeg", 10)
            first.width, first.height, first.pix_fmt = 64, 48, "yuvj420p"
            if flag:
                first.disposition = flag
            second: Any = out.add_stream("libx264", 10, options={"crf": "1"})
            second.width, second.height, second.pix_fmt = 64, 48, "yuv444p"
            out.mux(first.encode(cover.reformat(format="yuvj420p")))
            out.mux(first.encode(None))
            for i, pixels in enumerate(film):
                frame = av.VideoFrame.from_ndarray(pixels).reformat(format="yuv444p")
                frame.pts, frame.time_base = i, Fraction(1, 10)
                out.mux(second.encode(frame))
            out.mux(second.encode(None))
        found = list(open_clip(tmp_path / name).frames())
        assert len(found) == 5
        assert difference(found[2].pixels, film[2]) < 4


@pytest.mark.parametrize("suffix", [".ts", ".mpg"])
def test_joined_films_are_read_to_the_end(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f"a{suffix}", moving(10), audio="mp2", codec="mpeg2video")
    path.write_bytes(3 * path.read_bytes())
    times = [25 * frame.time for frame in open_clip(path).frames()]
    # Each part begins where the sound of the part before ends, a little after its last frame.
    assert len(times) == 30
    assert all(0.9 <= b - a < 2 for a, b in itertools.pairwise(times))
    part = list(open_clip(path, start=0.8, end=1.0).frames())
    assert len(part) == 5


def test_frames_that_share_a_time_are_all_shown(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", moving(6), rate=Fraction(10), codec="ffv1")
    stamped = tmp_path / "b.mkv"
    with av_open(path) as source, av_open(stamped, "w") as out:
        stream = out.add_stream_from_template(source.streams.video[0])
        for i, packet in enumerate(p for p in source.demux() if p.size):
            packet.pts = packet.dts = (0, 1, 1, 1, 4, 5)[i] * 100
            packet.time_base = Fraction(1, 1000)
            packet.stream = stream
            out.mux(packet)
    frames = list(open_clip(stamped).frames())
    assert len(frames) == 6
    assert all(a.time < b.time for a, b in itertools.pairwise(frames))


def test_fields_become_frames(tmp_path: Path) -> None:
    """A bar that moves by 8 pixels from field to field, so that each frame is a comb."""
    y, x = np.mgrid[0:64, 0:96]
    frames = []
    for i in range(6):
        left = np.where(y % 2, 16 * i + 8, 16 * i)
        comb = np.where((x >= left) & (x < left + 16), 255, 0).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(np.repeat(comb[..., None], 3, 2)).reformat(
            format="yuv420p"
        )
        frames.append(frame)
    fields = {"x264-params": "tff=1", "crf": "1"}
    path = write_stream(tmp_path / "a.mp4", frames, "libx264", "yuv420p", options=fields)
    clip = open_clip(path)
    assert any("interlaced" in notice for notice in clip.notices)
    found = list(clip.frames())
    assert [float(frame.time) for frame in found] == pytest.approx([i / 10 for i in range(6)])
    for shown in found[1:-1]:
        rows = shown.pixels[8:-8, :, 0].astype(int)
        assert np.abs(np.diff(rows, axis=0)).mean() < 12  # 42 in the comb


@pytest.mark.parametrize("count", [1, 2])
def test_no_frame_is_lost_to_deinterlacing(tmp_path: Path, count: int) -> None:
    frames = [av.VideoFrame.from_ndarray(x).reformat(format="yuv420p") for x in moving(count)]
    fields = {"x264-params": "tff=1", "crf": "1"}
    path = write_stream(tmp_path / "a.mp4", frames, "libx264", "yuv420p", options=fields)
    assert len(list(open_clip(path).frames())) == count


def test_joined_interlaced_films_of_two_sizes_are_read_to_the_end(tmp_path: Path) -> None:
    data = b""
    for size in ((48, 64), (96, 128)):
        frames = [av.VideoFrame.from_ndarray(x).reformat(format="yuv420p") for x in moving(4, size)]
        fields = {"x264-params": "tff=1", "crf": "1"}
        path = write_stream(tmp_path / "a.ts", frames, "libx264", "yuv420p", options=fields)
        data += path.read_bytes()
    (tmp_path / "b.ts").write_bytes(data)
    found = list(open_clip(tmp_path / "b.ts").frames())
    assert len(found) == 8
    assert {frame.pixels.shape for frame in found} == {(48, 64, 3)}


def to_linear(srgb: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


@pytest.mark.parametrize("transfer", [16, 18])
def test_high_dynamic_range_is_shown_on_an_ordinary_screen(tmp_path: Path, transfer: int) -> None:
    colors = np.array([[200, 60, 30], [20, 120, 60], [90, 90, 90], [30, 40, 160]], np.uint8)
    truth = np.repeat(np.repeat(colors[None], 32, 0), 16, 1)
    # To BT.2020 and nits with white paper at 203 (ITU-R BT.2408), then encoded (BT.2100).
    to_2020 = np.array(
        [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
    )
    nits = 203 * to_linear(truth / 255) @ to_2020.T
    bright = np.array(nits)
    bright[:8] = 4 * bright[:8] + 300  # a strip of highlights, beyond white
    if transfer == 16:
        power = (bright / 10000) ** (2610 / 16384)
        encoded = ((3424 / 4096 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    else:
        display = (bright / 1000).clip(1e-9, 1)
        luminance = display @ np.array([0.2627, 0.6780, 0.0593])
        scene = display * luminance[..., None] ** (1 / 1.2 - 1)
        log = 0.17883277 * np.log((12 * scene - 0.28466892).clip(1e-9)) + 0.55991073
        encoded = np.where(scene <= 1 / 12, np.sqrt(3 * scene), log)
    deep = np.rint(65535 * encoded.clip(0, 1)).astype(np.uint16)
    frame = av.VideoFrame.from_ndarray(deep, format="rgb48le").reformat(
        format="yuv444p10le", dst_colorspace=9
    )
    # With B-frames, x265 leaves the decoding time of a single frame as memory had it.
    options = {"x265-params": "log-level=none:lossless=1:bframes=0"}
    tags = {"color_trc": transfer, "color_primaries": 9, "colorspace": 9}
    path = write_stream(
        tmp_path / "a.mp4", [frame], "libx265", "yuv444p10le", options=options, **tags
    )
    clip = open_clip(path)
    assert any("high dynamic range" in notice for notice in clip.notices)
    found = next(clip.frames()).pixels
    assert np.abs(found[12:].astype(int) - truth[12:]).max() <= 14
    assert found[:6].min() > 150 and found[:6].max() <= 255
    assert len(np.unique(found[:6].reshape(-1, 3), axis=0)) >= 4  # pressed, not clipped to white


@pytest.mark.parametrize(
    ("name", "codec", "pix_fmt"),
    [
        ("a.mov", "png", "rgba"),
        ("a.webm", "libvpx-vp9", "yuva420p"),
        ("a.mkv", "ffv1", "yuva444p10le"),
        ("a.mov", "prores_ks", "yuva444p10le"),
    ],
)
def test_transparent_films_are_laid_on_white(
    tmp_path: Path, name: str, codec: str, pix_fmt: str
) -> None:
    pixels = np.zeros((48, 64, 4), np.uint8)
    pixels[8:40, 16:48] = (200, 60, 30, 255)
    options = {"auto-alt-ref": "0", "crf": "4"} if codec == "libvpx-vp9" else {}
    frames = [av.VideoFrame.from_ndarray(pixels, format="rgba").reformat(format=pix_fmt)] * 2
    clip = open_clip(write_stream(tmp_path / name, frames, codec, pix_fmt, options=options))
    assert any("transparent" in notice for notice in clip.notices)
    found = next(clip.frames()).pixels
    assert found[:4].min() > 250
    assert np.abs(found[14:34, 22:42].astype(int) - (200, 60, 30)).max() <= 12
    half = next(clip.frames((24, 32))).pixels  # no dark seam where hidden black was scaled in
    assert half.min(axis=2)[2, 6:10].min() > 240


@pytest.mark.parametrize("suffix", [".gif", ".webp", ".png"])
def test_animations_are_read_with_their_delays(tmp_path: Path, suffix: str) -> None:
    written = moving(4)
    first, *rest = [Image.fromarray(pixels) for pixels in written]
    delays = [100, 50, 200, 300]
    path = tmp_path / f"a{suffix}"
    first.save(path, save_all=True, append_images=rest, duration=delays, loop=2)
    clip = open_clip(path)
    assert clip.frames_expected == 4
    assert clip.plays == (3 if suffix == ".gif" else 2)
    frames = list(clip.frames())
    assert [1000 * frame.duration for frame in frames] == delays
    assert [1000 * frame.time for frame in frames] == [0, 100, 150, 350]
    for frame, pixels in zip(frames, written, strict=True):
        assert difference(frame.pixels, pixels) < 14


def test_delays_that_nobody_means_are_those_of_browsers(tmp_path: Path) -> None:
    first, *rest = [Image.fromarray(pixels) for pixels in moving(3)]
    first.save(tmp_path / "a.webp", save_all=True, append_images=rest, duration=0)
    assert [frame.duration for frame in open_clip(tmp_path / "a.webp").frames()] == [
        Fraction(1, 10)
    ] * 3


def test_an_animation_that_is_cut_off_is_read_as_far_as_it_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first, *rest = [Image.fromarray(pixels) for pixels in moving(6)]
    data = io.BytesIO()
    first.save(data, "PNG", save_all=True, append_images=rest, duration=100)
    (tmp_path / "a.png").write_bytes(data.getvalue()[:-6000])
    frames = list(open_clip(tmp_path / "a.png").frames())
    assert 1 <= len(frames) < 6
    assert "cut off" in caplog.text


def test_a_still_picture_is_a_film_of_one_frame(tmp_path: Path) -> None:
    for name in ("a.jpg", "a.png", "a.webp", "a.gif"):
        Image.fromarray(moving(1)[0]).save(tmp_path / name)
        clip = open_clip(tmp_path / name)
        assert (clip.frames_expected, len(list(clip.frames()))) == (1, 1)
