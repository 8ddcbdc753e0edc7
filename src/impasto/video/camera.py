"""Live pictures of a camera, repainted and shown in a window with their frame rate."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any

from impasto.errors import ImpastoError, InputError
from impasto.flow import Pixels, load_cv2
from impasto.image import Picture, fit
from impasto.video.consistency import VideoPainter

# Of the running mean of the time that a frame takes: about the last ten count.
_NEWEST = 0.1


class Camera(AbstractContextManager["Camera"]):
    """A camera as OpenCV finds it.

    Args:
        source: The number of a camera from 0, the URL of a stream, or a video file.

    Raises:
        InputError: If it is not there or gives no pictures.
        MissingExtraError: If OpenCV is not installed.
    """

    def __init__(self, source: str = "0") -> None:
        cv2 = load_cv2("the camera")
        cv2.utils.logging.setLogLevel(0)  # what is wrong is told here, in one line
        self.source = source
        self._capture = cv2.VideoCapture(int(source) if source.isdigit() else source)
        if not self._capture.isOpened():
            raise InputError(
                f"there is no camera {source}, or another program has it: plug one in, or give "
                "the number of another one, a URL or a video file by --camera"
            )
        # The newest frame, not the oldest that waits; drivers that cannot do this ignore it.
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)

    def __exit__(self, *_exception: object) -> None:
        """Let others have the camera."""
        self._capture.release()

    def frames(self, long_side: int) -> Iterator[Pixels]:
        """Frames ``(H, W, 3)``, RGB, with at most this longer side, as long as they come.

        Raises:
            InputError: If not even one comes.
        """
        cv2 = load_cv2("the camera")
        number = 0
        while True:
            there, frame = self._capture.read()
            if not there:
                break
            number += 1
            height, width = fit(frame.shape[:2], long_side)
            small = cv2.resize(frame, (width, height), interpolation=cv2.INTER_AREA)
            yield cv2.cvtColor(small, cv2.COLOR_BGR2RGB)
        if not number:
            raise InputError(f"the camera {self.source} gives no pictures")


# Shows a frame and the frames per second; says whether to go on.
Show = Callable[[Pixels, float], bool]


def repaint(
    frames: Iterable[Pixels],
    painter: VideoPainter,
    show: Show,
    *,
    clock: Callable[[], float] = time.perf_counter,
) -> int:
    """Repaint frames as they come, until there are no more or somebody has seen enough.

    Args:
        frames: Frames ``(H, W, 3)``, RGB.
        painter: Repaints them.
        show: Called with each repainted frame and the frames per second.
        clock: Tells the time in seconds.

    Returns:
        How many frames were shown.
    """
    shown, mean = 0, 0.0
    before = clock()
    for pixels in frames:
        painted: Any = Picture.from_tensor(painter(pixels)).integers(8)
        now = clock()
        # The first frame takes longer than all others: what follows begins anew.
        newest = _NEWEST if shown > 1 else 1.0
        mean += newest * (now - before - mean)
        before = now
        shown += 1
        if not show(painted, 1 / max(mean, 1e-9)):
            break
    return shown


class Window(AbstractContextManager["Window"]):
    """A window of Tk's, which comes with Python: OpenCV's windows need another build of it.

    Args:
        title: Stands above, before the frame rate.

    Raises:
        ImpastoError: If there is no Tk or no display.
    """

    def __init__(self, title: str) -> None:
        try:
            import tkinter
        except ImportError as error:
            raise ImpastoError(
                "a window needs Tk, which this Python lacks: install tkinter (python3-tk)"
            ) from error
        try:
            self._root = tkinter.Tk()
        except tkinter.TclError as error:
            raise ImpastoError(f"cannot open a window: {error}") from error
        self.title = title
        self._open = True
        self._label = tkinter.Label(self._root, borderwidth=0)
        self._label.pack()
        self._root.protocol("WM_DELETE_WINDOW", self._close)
        for key in ("<Escape>", "q"):
            self._root.bind(key, lambda _event: self._close())

    def __exit__(self, *_exception: object) -> None:
        """Close the window."""
        self._root.destroy()

    def __call__(self, pixels: Pixels, rate: float) -> bool:
        """Show a frame; False once Escape or q was pressed or the window was closed."""
        from PIL import Image, ImageTk

        self._photo = ImageTk.PhotoImage(Image.fromarray(pixels))
        self._label.configure(image=self._photo)
        self._root.title(f"{self.title}: {rate:.1f} frames/s")
        self._root.update()
        return self._open

    def _close(self) -> None:
        self._open = False
