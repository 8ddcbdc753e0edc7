"""From video to video with a painter that takes no time."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from impasto.errors import ImpastoError, InputError
from impasto.video.clip import Frame
from impasto.video.options import VideoOptions
from impasto.video.pipeline import stylize_video
from impasto.video.segments import SegmentWriter
from tests.video.clips import Negative, Pixels, av_open, decoded, moving, packets, write_clip


def assert_negatives(found: list[Pixels], sources: list[Pixels], tolerance: float = 6) -> None:
    assert len(found) == len(sources)
    for pixels, source in zip(found, sources, strict=True):
        height, width = source.shape[:2]
        inner = pixels[:height, :width].astype(int)
        assert np.abs(inner - (255 - source.astype(int))).mean() < tolerance


def sound_offset(path: Path) -> float:
    """By how much the first packet of sound comes after the first frame, in seconds."""
    starts = []
    for kind in ("audio", "video"):
        with av_open(path) as container:
            packet = next(container.demux(**{kind: 0}))
            starts.append(float(packet.pts * packet.time_base))
    return starts[0] - starts[1]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_frames_times_and_sound_are_kept(tmp_path: Path, suffix: str) -> None:
    written = moving(12)
    source = write_clip(tmp_path / "in.mp4", written, rate=Fraction(24000, 1001), audio="aac")
    target = tmp_path / f"out{suffix}"
    told: list[tuple[int, int | None]] = []
    result = stylize_video(source, target, Negative(), tell=lambda *done: told.append(done))
    assert result.frames == 12 and not result.interrupted
    assert told[-1] == (12, 12)
    frames, times = decoded(target)
    assert_negatives(frames, written)
    millisecond = Fraction(1, 1000)  # Matroska's unit
    for i, time in enumerate(times):
        assert abs(time - times[0] - i * Fraction(1001, 24000)) <= millisecond
    assert sound_offset(target) == pytest.approx(sound_offset(source), abs=0.002)
    assert packets(target) == packets(source)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.mp4", target.name]


def test_the_settings_are_in_the_file(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", moving(2))
    stylize_video(source, tmp_path / "out.mp4", Negative(), settings={"method": "negative"})
    with av_open(tmp_path / "out.mp4") as container:
        settings = json.loads(container.metadata["comment"])["impasto"]
        assert container.streams.video[0].codec_context.colorspace == 1  # BT.709
    assert settings["method"] == "negative"
    assert settings["source"] == "in.mp4"


def test_sound_that_the_target_cannot_hold_is_encoded(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mkv", moving(25), audio="pcm_s16le")
    stylize_video(source, tmp_path / "out.mp4", Negative())
    with av_open(tmp_path / "out.mp4") as container:
        stream = container.streams.audio[0]
        assert stream.codec_context.name == "aac"
        assert float(stream.duration * stream.time_base) == pytest.approx(1, abs=0.04)
        assert float(stream.start_time * stream.time_base) == pytest.approx(0, abs=0.04)


def test_a_part_takes_its_part_of_the_sound(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", moving(50), audio="aac")
    options = VideoOptions(start=0.8, end=1.4)
    stylize_video(source, tmp_path / "out.mp4", Negative(), options)
    with av_open(tmp_path / "out.mp4") as container:
        audio = container.streams.audio[0]
        start = float(audio.start_time * audio.time_base)
        assert start == pytest.approx(0, abs=0.04)
        assert float(audio.duration * audio.time_base) == pytest.approx(0.6, abs=0.05)
    everything = packets(source)
    part = packets(tmp_path / "out.mp4")
    first = everything.index(part[0])
    assert everything[first : first + len(part)] == part
    # The packet that sounds at the first frame: 1024 samples each.
    assert first * 1024 / 44100 == pytest.approx(0.8, abs=0.04 + 1024 / 44100)


def test_uneven_times_are_kept(tmp_path: Path) -> None:
    times = [Fraction(t, 100) for t in (0, 4, 6, 30, 31, 60)]
    source = write_clip(tmp_path / "in.mp4", moving(6), times=times)
    stylize_video(source, tmp_path / "out.mp4", Negative())
    assert decoded(tmp_path / "out.mp4")[1] == times


def test_odd_sizes_are_padded_by_their_border(tmp_path: Path) -> None:
    written = moving(3, (33, 47))
    source = write_clip(tmp_path / "in.mkv", written)
    stylize_video(source, tmp_path / "out.mp4", Negative())
    frames, _ = decoded(tmp_path / "out.mp4")
    assert frames[0].shape == (34, 48, 3)
    assert_negatives(frames, written)


def test_the_longer_side_is_limited(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", moving(2))
    stylize_video(source, tmp_path / "out.mp4", Negative(), max_size=32)
    assert decoded(tmp_path / "out.mp4")[0][0].shape == (24, 32, 3)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animations(tmp_path: Path, suffix: str) -> None:
    written = moving(5)
    source = write_clip(tmp_path / "in.mp4", written, rate=Fraction(10), audio="aac")
    stylize_video(source, tmp_path / f"out{suffix}", Negative())
    with Image.open(tmp_path / f"out{suffix}") as image:
        assert image.n_frames == 5  # type: ignore[attr-defined]
        assert image.info["loop"] == 0
        frames = []
        for i in range(5):
            image.seek(i)
            image.load()
            if i < 4:
                assert image.info["duration"] == pytest.approx(100, abs=10)
            frames.append(np.asarray(image.convert("RGB")))
    assert_negatives(frames, written, tolerance=12)


def test_memory_is_given_within_a_scene_only(tmp_path: Path) -> None:
    scenes = [*moving(4, (96, 128)), *moving(4, (96, 128), seed=9)]
    source = write_clip(tmp_path / "in.mp4", scenes)
    painter = Negative()
    stylize_video(source, tmp_path / "out.mp4", painter)
    assert [memory is None for memory in painter.memories] == [True, *[False] * 3] * 2
    memory = painter.memories[2]
    assert memory is not None
    # The warped negative of the frame before is the negative of this one.
    inner = np.s_[8:-8, 8:-8]
    warped = 255 * memory.image[0].permute(1, 2, 0).numpy()
    assert np.abs(warped[inner] - (255 - scenes[2][inner].astype(int))).mean() < 4
    alone = Negative()
    stylize_video(source, tmp_path / "alone.mp4", alone, VideoOptions(consistency=0))
    assert alone.memories == [None] * 8


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
def test_ctrl_c_leaves_a_part_that_plays_and_can_be_gone_on_with(
    tmp_path: Path, suffix: str
) -> None:
    written = moving(10, (96, 128))
    source = write_clip(tmp_path / "in.mp4", written, rate=Fraction(10), audio="aac")
    target = tmp_path / f"out{suffix}"
    result = stylize_video(source, target, Negative(stop_at=4))
    assert result.interrupted and result.frames == 4
    assert_negatives(decoded(target)[0], written[:4], tolerance=12)
    if suffix == ".mp4":
        with av_open(target) as container:
            stream = container.streams.audio[0]
            assert float(stream.duration * stream.time_base) == pytest.approx(0.4, abs=0.05)
    with pytest.raises(InputError, match="add --resume"):
        stylize_video(source, target, Negative())
    with pytest.raises(InputError, match="other settings"):
        stylize_video(source, target, Negative(), VideoOptions(crf=30), resume=True)
    painter = Negative()
    again = stylize_video(source, target, painter, resume=True)
    assert again.frames == 10 and not again.interrupted
    assert len(painter.memories) == 6
    assert painter.memories[0] is not None
    frames, times = decoded(target)
    assert_negatives(frames, written, tolerance=12)
    assert [round(time, 2) for time in times] == [Fraction(i, 10) for i in range(10)]
    if suffix == ".mp4":
        assert packets(target) == packets(source)
    assert not target.with_name(target.name + ".partial").exists()


def test_a_run_that_was_killed_can_be_gone_on_with(tmp_path: Path) -> None:
    written = moving(10, (96, 128))
    source = write_clip(tmp_path / "in.mp4", written)
    target = tmp_path / "out.mp4"
    stylize_video(source, target, Negative(stop_at=7))
    segment = target.with_name("out.mp4.partial") / "000.nut"
    segment.write_bytes(segment.read_bytes()[:-400])  # what was on its way is lost
    painter = Negative()
    stylize_video(source, target, painter, resume=True)
    assert 3 < len(painter.memories) <= 10
    assert_negatives(decoded(target)[0], written)


def test_a_failure_keeps_what_was_done(tmp_path: Path) -> None:
    class Failing(Negative):
        def __call__(self, *arguments: object) -> object:  # type: ignore[override]
            if len(self.memories) == 2:
                raise ImpastoError("out of memory")
            return super().__call__(*arguments)  # type: ignore[arg-type]

    source = write_clip(tmp_path / "in.mp4", moving(4))
    with pytest.raises(ImpastoError, match="out of memory"):
        stylize_video(source, tmp_path / "out.mp4", Failing())  # type: ignore[arg-type]
    assert not (tmp_path / "out.mp4").exists()
    painter = Negative()
    assert stylize_video(source, tmp_path / "out.mp4", painter, resume=True).frames == 4
    assert len(painter.memories) == 2


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("out.avi", "use one of .mp4"),
        ("nowhere/out.mp4", "does not exist"),
        ("in.mp4", "the source itself"),
        ("folder.mp4", "it is a folder"),
    ],
)
def test_targets_that_cannot_be_are_refused(tmp_path: Path, target: str, message: str) -> None:
    source = write_clip(tmp_path / "in.mp4", moving(2))
    (tmp_path / "folder.mp4").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(InputError, match=message):
        stylize_video(source, tmp_path / target, Negative())
    assert sorted(tmp_path.iterdir()) == before


def test_a_folder_that_cannot_be_written_is_told_before_painting(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", moving(2))
    (tmp_path / "out.mp4.partial").write_text("in the way")
    painter = Negative()
    with pytest.raises(ImpastoError, match="cannot write"):
        stylize_video(source, tmp_path / "out.mp4", painter)
    assert not painter.memories


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a disk that is always full")
def test_a_full_disk_is_told(tmp_path: Path) -> None:
    path = tmp_path / "000.nut"
    path.symlink_to("/dev/full")
    with (
        pytest.raises(ImpastoError, match="cannot write the video"),
        SegmentWriter(path, (48, 64), Fraction(25), Fraction(1, 25)) as writer,
    ):
        for i, pixels in enumerate(moving(30)):
            writer.write(Frame(pixels, Fraction(i, 25), Fraction(1, 25)))


def test_a_missing_encoder_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Without:
        def add_stream(self, name: str, *_: object, **__: object) -> None:
            raise ValueError(f"there is no {name}")  # as PyAV's UnknownCodecError is

    monkeypatch.setattr("av.open", lambda *_, **__: Without())
    with pytest.raises(ImpastoError, match="with libx264"):
        SegmentWriter(tmp_path / "a.nut", (48, 64), Fraction(25), Fraction(1, 25))


@pytest.mark.parametrize(("source", "target"), [(".gif", ".webp"), (".webp", ".gif")])
def test_animations_keep_delays_and_loops(tmp_path: Path, source: str, target: str) -> None:
    written = moving(4)
    first, *rest = [Image.fromarray(pixels) for pixels in written]
    delays = [100, 50, 200, 300]
    # GIF says how often it is played again.
    loop = 2 if source == ".gif" else 3
    path = tmp_path / f"in{source}"
    first.save(path, save_all=True, append_images=rest, duration=delays, loop=loop)
    stylize_video(path, tmp_path / f"out{target}", Negative())
    with Image.open(tmp_path / f"out{target}") as image:
        assert image.info["loop"] == (2 if target == ".gif" else 3)
        found = []
        for i in range(4):
            image.seek(i)
            image.load()
            found.append(image.info["duration"])
    assert found == delays


def test_frames_that_a_gif_cannot_show_are_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = write_clip(tmp_path / "in.mp4", moving(12), rate=Fraction(100))
    stylize_video(source, tmp_path / "out.gif", Negative())
    assert "at most 50 frames a second: 6 are left out" in caplog.text


def test_webm_is_vp9_and_can_be_gone_on_with(tmp_path: Path) -> None:
    written = moving(10, (96, 128))
    source = write_clip(tmp_path / "in.mp4", written, audio="aac")
    target = tmp_path / "out.webm"
    stylize_video(source, target, Negative(stop_at=7))
    segment = target.with_name("out.webm.partial") / "000.nut"
    segment.write_bytes(segment.read_bytes()[:-400])
    painter = Negative()
    stylize_video(source, target, painter, resume=True)
    assert 3 < len(painter.memories) <= 10
    frames, times = decoded(target)
    assert_negatives(frames, written)
    assert [round(25 * time) for time in times] == list(range(10))
    with av_open(target) as out:
        codecs = [stream.codec_context.codec.canonical_name for stream in out.streams]
        assert codecs == ["vp9", "opus"]
        assert out.streams.video[0].codec_context.colorspace == 1


def test_resuming_with_something_else_is_refused(tmp_path: Path) -> None:
    source = write_clip(tmp_path / "in.mp4", moving(6))
    other = write_clip(tmp_path / "other.mp4", moving(6, seed=2))
    target = tmp_path / "out.mp4"
    settings = {"steps": 3, "files": {"artwork.png": "one"}}
    stylize_video(source, target, Negative(stop_at=2), settings=settings)
    with pytest.raises(InputError, match=r"other settings \(files\)"):
        changed = {**settings, "files": {"artwork.png": "another"}}
        stylize_video(source, target, Negative(), settings=changed, resume=True)
    with pytest.raises(InputError, match=r"other settings \(consistency\)"):
        options = VideoOptions(consistency=0.5)
        stylize_video(source, target, Negative(), options, settings=settings, resume=True)
    other.replace(source)
    with pytest.raises(InputError, match=r"other settings \(contents of the source\)"):
        stylize_video(source, target, Negative(), settings=settings, resume=True)


def test_a_disk_without_room_is_told_before_painting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_clip(tmp_path / "in.mp4", moving(20))
    painter = Negative()
    usage = type("Usage", (), {"free": 5000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(ImpastoError, match="not enough room"):
        stylize_video(source, tmp_path / "out.mp4", painter)
    assert not painter.memories
    assert not (tmp_path / "out.mp4.partial").exists()


@pytest.mark.parametrize(
    ("name", "encoder"),
    [("out.webm", "libvpx-vp9"), ("out.gif", "gif"), ("out.webp", "libwebp_anim")],
)
def test_a_missing_encoder_is_told_before_painting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, encoder: str
) -> None:
    source = write_clip(tmp_path / "in.mp4", moving(2))
    monkeypatch.setattr("av.codecs_available", av.codecs_available - {encoder})
    painter = Negative()
    with pytest.raises(ImpastoError, match=f"lacks {encoder}"):
        stylize_video(source, tmp_path / name, painter)
    assert not painter.memories


def halves(path: Path) -> Path:
    """A mask, white on the left."""
    pixels = np.zeros((96, 128), np.uint8)
    pixels[:, :64] = 255
    Image.fromarray(pixels).save(path)
    return path


@pytest.mark.parametrize("name", ["mask.png", "mask.jpg"])
def test_a_picture_says_where_every_frame_is_painted(tmp_path: Path, name: str) -> None:
    written = moving(4)
    source = write_clip(tmp_path / "in.mp4", written)
    mask = halves(tmp_path / name)
    stylize_video(source, tmp_path / "out.mp4", Negative(), mask=mask)
    frames, _ = decoded(tmp_path / "out.mp4")
    for pixels, photo in zip(frames, written, strict=True):
        left, right = np.s_[4:-4, 4:26], np.s_[4:-4, 38:-4]
        assert np.abs(pixels[left].astype(int) - (255 - photo[left].astype(int))).mean() < 6
        assert np.abs(pixels[right].astype(int) - photo[right]).mean() < 6


def test_a_video_of_masks_goes_along_with_the_film(tmp_path: Path) -> None:
    written = moving(10)
    source = write_clip(tmp_path / "in.mp4", written)
    white, black = np.full((48, 64, 3), 255, np.uint8), np.zeros((48, 64, 3), np.uint8)
    # Half as many frames a second: each mask counts for two.
    masks = write_clip(
        tmp_path / "masks.mkv", [white, black, white, white, black], rate=Fraction(25, 2)
    )
    painter = Negative()
    stylize_video(source, tmp_path / "out.mp4", painter, VideoOptions(start=0.08), mask=masks)
    frames, _ = decoded(tmp_path / "out.mp4")
    for i, pixels in enumerate(frames):
        photo = written[i + 2].astype(int)
        expected = photo if i in (0, 1, 6, 7) else 255 - photo
        assert np.abs(pixels - expected).mean() < 6
    assert len(painter.memories) == 4  # nothing to paint in black


@pytest.mark.parametrize("kind", ["picture", "video"])
def test_a_mask_of_another_shape_is_refused_before_painting(tmp_path: Path, kind: str) -> None:
    source = write_clip(tmp_path / "in.mp4", moving(4))
    if kind == "picture":
        mask = tmp_path / "mask.png"
        Image.new("L", (64, 64), 255).save(mask)
    else:
        mask = write_clip(tmp_path / "mask.mp4", moving(4, (64, 64)))
    painter = Negative()
    with pytest.raises(InputError, match="has to have the shape"):
        stylize_video(source, tmp_path / "out.mp4", painter, mask=mask)
    assert not painter.memories
    with pytest.raises(InputError, match="nowhere"):
        stylize_video(source, tmp_path / "out.mp4", painter, mask=tmp_path / "nowhere.png")
