from __future__ import annotations

import contextlib
import csv
import io
import json
import logging
import math
import os
import struct
import subprocess
import sys
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from impasto.callbacks import Frames, History, Preview, ProgressBar, SaveEvery, TensorBoard
from impasto.errors import ImpastoError, InputError, MissingExtraError
from impasto.events import Callback, Step
from impasto.image import Picture

TERMS = {"content": 0.5, "style": 0.25, "tv": 0.125, "total": 0.875}


class Run:
    """Steps as a stylizer would make them, counting what the callbacks ask for."""

    def __init__(self, scales: Sequence[tuple[int, int, int]], seconds: float = 0.1) -> None:
        self.scales = scales
        self.seconds = seconds
        self.losses = 0
        self.pictures = 0

    def __iter__(self) -> Iterator[Step]:
        of = sum(steps for _, _, steps in self.scales)
        work = sum(height * width * steps for height, width, steps in self.scales)
        done = number = 0
        for scale, (height, width, steps) in enumerate(self.scales):
            for _ in range(steps):
                number += 1
                done += height * width
                yield Step(
                    step=number,
                    of=of,
                    scale=scale,
                    scales=len(self.scales),
                    size=(height, width),
                    progress=done / work,
                    seconds=number * self.seconds,
                    losses=self.read_losses,
                    picture=partial(self.paint, number, (height, width)),
                )

    def read_losses(self) -> dict[str, float]:
        self.losses += 1
        return dict(TERMS)

    def paint(self, number: int, size: tuple[int, int]) -> Picture:
        self.pictures += 1
        return Picture(np.full((*size, 3), number % 256 / 255, np.float32))

    def watch(self, *watchers: Callback) -> Run:
        for step in self:
            for watcher in watchers:
                watcher(step)
            if step.stopped:
                break
        return self


def stop_at(number: int) -> Callback:
    return lambda step: step.stop() if step.step == number else None


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

    def lines(self) -> list[str]:
        return [line.strip() for line in self.getvalue().replace("\n", "\r").split("\r")]


def test_importing_callbacks_imports_nothing_heavy() -> None:
    code = (
        "import sys, impasto.callbacks;"
        "print({'torch', 'numpy', 'PIL', 'matplotlib', 'tqdm'} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stderr


def everything(descriptor: int) -> str:
    """What comes out of a pseudo-terminal, which hands it over in pieces."""
    pieces = []
    # At the end, Linux raises an error and other systems return nothing.
    with contextlib.suppress(OSError):
        while piece := os.read(descriptor, 4096):
            pieces.append(piece)
    return b"".join(pieces).decode()


class TestProgressBar:
    def test_shows_step_scale_losses_and_the_runs_own_estimate(
        self,
    ) -> None:
        terminal = Terminal()
        # Work done after 2 of 4 steps: 2 * 12 of 2 * 12 + 2 * 48; 20 s done are a fifth.
        Run([(3, 4, 2), (6, 8, 2)], seconds=10).watch(ProgressBar(terminal))
        second = next(line for line in terminal.lines() if "step 2/4" in line)
        assert second.startswith("step 2/4, scale 1/2, 4x3  20%|")
        assert second.endswith("0:20, 1:20 left, content 0.5, style 0.25, tv 0.125, total 0.875")
        assert any("step 4/4, scale 2/2, 8x6 100%" in line for line in terminal.lines())
        assert terminal.getvalue().endswith("\n")

    def test_shows_only_the_total_on_a_narrow_terminal(self) -> None:
        pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
        fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
        master, slave = pty.openpty()
        try:
            with os.fdopen(slave, "w") as terminal:
                fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 24, 80, 0, 0))
                Run([(3, 4, 2)]).watch(ProgressBar(terminal))
            shown = everything(master)
        finally:
            os.close(master)
        assert "total 0.875" in shown
        assert "content" not in shown
        assert max(map(len, shown.split("\r"))) < 80

    def test_reads_losses_at_most_twice_a_second(self) -> None:
        run = Run([(3, 4, 1000)], seconds=0.01).watch(ProgressBar(Terminal()))
        assert 19 <= run.losses <= 22
        assert run.pictures == 0

    def test_ends_its_line_when_the_run_breaks(self) -> None:
        terminal = Terminal()
        with pytest.raises(KeyboardInterrupt), ProgressBar(terminal) as bar:
            for step in Run([(3, 4, 9)]):
                bar(step)
                if step.step == 3:
                    raise KeyboardInterrupt
        assert terminal.getvalue().endswith("\n")

    def test_logs_one_line_a_scale_where_there_is_no_terminal(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        stream = io.StringIO()
        with caplog.at_level(logging.INFO, logger="impasto"):
            run = Run([(3, 4, 5), (6, 8, 5)]).watch(ProgressBar(stream))
        assert stream.getvalue() == ""
        assert run.losses == 0
        assert [record.getMessage()[:31] for record in caplog.records] == [
            "step 1/10, scale 1/2, 4x3, 0:00",
            "step 6/10, scale 2/2, 8x6, 0:01",
        ]

    def test_is_silent_without_standard_error(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stderr", None)
        assert Run([(3, 4, 2)]).watch(ProgressBar()).losses == 0

    @pytest.mark.parametrize(
        ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (754, "12:34"), (3725, "1:02:05")]
    )
    def test_tells_the_time(
        self, seconds: float, text: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        step = Step(2, 2, 0, 1, (3, 4), 1.0, seconds, dict, lambda: pytest.fail())
        with caplog.at_level(logging.INFO, logger="impasto"):
            ProgressBar(io.StringIO())(step)
        assert caplog.messages == [f"step 2/2, scale 1/1, 4x3, {text}, 0:00 left"]


class TestSaveEvery:
    def test_saves_numbered_pictures(self, tmp_path: Path) -> None:
        run = Run([(3, 4, 5), (6, 8, 5)]).watch(SaveEvery(4, tmp_path / "out.png"))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["out_0004.png", "out_0008.png"]
        assert run.pictures == 2
        with Image.open(tmp_path / "out_0008.png") as image:
            assert image.size == (8, 6)
            assert image.getpixel((0, 0)) == (8, 8, 8)

    def test_widens_the_number_for_long_runs(self, tmp_path: Path) -> None:
        Run([(1, 1, 10000)]).watch(SaveEvery(7000, tmp_path / "out.png"))
        assert [path.name for path in tmp_path.iterdir()] == ["out_07000.png"]

    def test_refuses_what_cannot_work_before_the_run(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="every must be at least 1"):
            SaveEvery(0, tmp_path / "out.png")
        with pytest.raises(InputError, match=r"out\.xyz"):
            SaveEvery(1, tmp_path / "out.xyz")


class TestHistory:
    def test_records_a_short_run_whole(self) -> None:
        history = History()
        Run([(3, 4, 60), (6, 8, 60)]).watch(history)
        assert [record.step for record in history.records] == list(range(1, 121))
        last = history.records[-1]
        assert (last.scale, last.size, last.losses) == (1, (6, 8), TERMS)
        assert last.seconds == pytest.approx(12)

    def test_bounds_the_readings_of_a_long_run(self) -> None:
        history = History(points=50)
        run = Run([(3, 4, 3001), (6, 8, 1000), (12, 16, 7)]).watch(history)
        steps = [record.step for record in history.records]
        assert run.losses == len(steps) <= 50 + 3
        assert {1, 3002, 4002, 4008} <= set(steps)
        assert max(np.diff(steps)) <= 4008 / 50 + 1

    def test_records_the_last_step_of_a_stopped_run(self) -> None:
        history = History(points=2)
        Run([(3, 4, 100)]).watch(stop_at(33), history)
        assert [record.step for record in history.records] == [1, 33]

    def test_csv_reads_back(self, tmp_path: Path) -> None:
        history = History()
        Run([(3, 4, 2), (6, 8, 1)], seconds=0.5).watch(history)
        history.records[1].losses.update(style=math.nan)
        del history.records[2].losses["tv"]
        history.write(tmp_path / "history.CSV")
        with (tmp_path / "history.CSV").open(newline="") as file:
            rows = list(csv.reader(file))
        assert rows[0] == ["step", "scale", "height", "width", "seconds", *TERMS]
        assert rows[1:] == [
            ["1", "0", "3", "4", "0.5", "0.5", "0.25", "0.125", "0.875"],
            ["2", "0", "3", "4", "1.0", "0.5", "", "0.125", "0.875"],
            ["3", "1", "6", "8", "1.5", "0.5", "0.25", "", "0.875"],
        ]

    def test_json_reads_back(self, tmp_path: Path) -> None:
        history = History()
        Run([(3, 4, 1)]).watch(history)
        history.records[0].losses.update(style=math.inf)
        history.write(tmp_path / "history.json")
        text = (tmp_path / "history.json").read_text()
        place = {"step": 1, "scale": 0, "height": 3, "width": 4, "seconds": 0.1}
        assert json.loads(text) == [place | TERMS | {"style": None}]

    def test_empty_history_has_a_header_only(self, tmp_path: Path) -> None:
        History().write(tmp_path / "a.csv")
        assert (tmp_path / "a.csv").read_text() == "step,scale,height,width,seconds\n"

    def test_refuses_other_suffixes_and_missing_folders(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r"\.csv or \.json"):
            History().write(tmp_path / "history.txt")
        with pytest.raises(InputError, match="does not exist"):
            History().write(tmp_path / "nowhere" / "history.csv")
        with pytest.raises(InputError, match="points"):
            History(points=0)

    def test_a_failed_write_leaves_the_old_file(self, tmp_path: Path) -> None:
        path = tmp_path / "history.json"
        path.write_text("old")
        history = History()
        Run([(3, 4, 1)]).watch(history)
        history.records[0].losses["total"] = object()  # type: ignore[assignment]
        with pytest.raises(TypeError):
            history.write(path)
        assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]


class TestFrames:
    def test_takes_more_in_the_beginning_and_the_ends_always(self) -> None:
        frames = Frames(count=11)
        run = Run([(3, 4, 1000)]).watch(frames)
        # The marks are 0, .01, .04, .09 ... of a run whose steps all cost the same.
        expected = [1, 10, 40, 90, 160, 250, 360, 490, 640, 810, 1000]
        assert frames.steps == pytest.approx(expected, abs=1)
        assert (frames.steps[0], frames.steps[-1]) == (1, 1000)
        assert run.pictures == len(frames.pictures()) == 11

    def test_gives_one_size_and_bounds_it(self) -> None:
        frames = Frames(count=6, long_side=32)
        Run([(12, 16, 40), (24, 32, 40), (48, 64, 40)]).watch(frames)
        assert {picture.size for picture in frames.pictures()} == {(24, 32)}
        values = [picture.rgb.mean() * 255 for picture in frames.pictures()]
        assert values == pytest.approx(frames.steps, abs=0.01)

    @pytest.mark.parametrize("steps", [1, 2, 5, 24, 100])
    def test_never_takes_more_than_count(self, steps: int) -> None:
        frames = Frames(count=5)
        Run([(3, 4, steps)]).watch(frames)
        assert len(frames.steps) <= min(steps, 5)
        assert (frames.steps[0], frames.steps[-1]) == (1, steps)

    def test_takes_the_last_of_a_stopped_run(self) -> None:
        frames = Frames(count=3)
        Run([(3, 4, 100)]).watch(stop_at(7), frames)
        assert frames.steps == [1, 7]

    def test_is_empty_without_a_run(self) -> None:
        assert Frames().pictures() == []

    def test_refuses_odd_numbers(self) -> None:
        with pytest.raises(InputError, match="count must be at least 2"):
            Frames(count=1)
        with pytest.raises(InputError, match="long_side"):
            Frames(long_side=0)


class TestTensorBoard:
    def test_writes_scalars_pictures_and_settings(self, tmp_path: Path) -> None:
        accumulators = pytest.importorskip(
            "tensorboard.backend.event_processing.event_accumulator",
            reason="the extra 'tensorboard' is not installed",
        )
        with TensorBoard(tmp_path, every=4, image_every=6, settings={"a|b": "c\nd"}) as board:
            run = Run([(3, 4, 10)]).watch(board)
        events = accumulators.EventAccumulator(str(tmp_path))
        events.Reload()
        total = events.Scalars("loss/total")
        assert [(event.step, event.value) for event in total] == [
            (1, 0.875),
            (4, 0.875),
            (8, 0.875),
            (10, 0.875),
        ]
        assert [event.step for event in events.Images("picture")] == [1, 6, 10]
        with Image.open(io.BytesIO(events.Images("picture")[-1].encoded_image_string)) as image:
            assert (image.size, image.getpixel((0, 0))) == ((4, 3), (10, 10, 10))
        settings = events.Tensors("settings/text_summary")[0].tensor_proto.string_val[0]
        assert settings.decode().endswith("|a\\|b|c d|")
        assert (run.losses, run.pictures) == (4, 3)

    def test_names_the_extra(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
        with pytest.raises(MissingExtraError, match=r"impasto\[tensorboard\]"):
            TensorBoard(tmp_path)

    def test_refuses_a_file_as_folder(self, tmp_path: Path) -> None:
        pytest.importorskip("tensorboard", reason="the extra 'tensorboard' is not installed")
        (tmp_path / "log").touch()
        with pytest.raises(InputError, match="cannot write TensorBoard logs"):
            TensorBoard(tmp_path / "log")


class TestPreview:
    def test_keeps_one_file_up_to_date(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("time.perf_counter", lambda: 0.0)
        path = tmp_path / "preview.png"
        # One step a second: written after 1, 6 and 11 seconds, and at the end.
        run = Run([(3, 4, 12)], seconds=1).watch(Preview(path))
        assert run.pictures == 4
        assert list(tmp_path.iterdir()) == [path]
        with Image.open(path) as image:
            assert image.getpixel((0, 0)) == (12, 12, 12)

    def test_a_slow_disk_does_not_fill_the_run(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ticks = iter(range(0, 1000, 7))  # each writing takes seven seconds
        monkeypatch.setattr("time.perf_counter", lambda: next(ticks))
        run = Run([(3, 4, 25)], seconds=1).watch(Preview(tmp_path / "preview.png"))
        assert run.pictures == 3  # after 1, 13 and 25 seconds

    def test_the_first_failure_goes_up(self, tmp_path: Path) -> None:
        with pytest.raises(InputError):
            Run([(3, 4, 2)]).watch(Preview(tmp_path / "nowhere" / "preview.png"))
        with pytest.raises(InputError, match="every_seconds"):
            Preview(tmp_path / "preview.png", every_seconds=-1)

    def test_later_failures_are_warnings(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        def fail(*_arguments: object, **_options: object) -> None:
            raise ImpastoError("no space left")

        def break_disk(step: Step) -> None:
            if step.step == 2:
                monkeypatch.setattr("impasto.image.save_image", fail)

        Run([(3, 4, 3)]).watch(Preview(tmp_path / "preview.png", 0), break_disk)
        assert caplog.messages == ["the preview was not updated: no space left"]
        with Image.open(tmp_path / "preview.png") as image:
            assert image.getpixel((0, 0)) == (2, 2, 2)
