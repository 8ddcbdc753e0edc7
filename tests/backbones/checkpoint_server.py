"""A narrow VGG-16 that stands for torchvision's, and a web server that publishes it."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch
from torch import Tensor

from impasto.backbones import BACKBONES, fetch, vgg
from impasto.backbones.published import CHECKPOINTS, Checkpoint

WIDTHS = {"1": 2, "2": 3, "3": 4, "4": 5, "5": 6}
# Where torchvision's VGG-16 has its convolutions, and in which block each of them is.
VGG16 = {0: 1, 2: 1, 5: 2, 7: 2, 10: 3, 12: 3, 14: 3, 17: 4, 19: 4, 21: 4, 24: 5, 26: 5, 28: 5}


def narrow_vgg16() -> dict[str, Tensor]:
    """Parameters of a VGG-16 with the channels of WIDTHS, and of a classifier."""
    generator = torch.Generator().manual_seed(0)
    state, channels = {}, 3
    for index, block in VGG16.items():
        width = WIDTHS[str(block)]
        state[f"features.{index}.weight"] = torch.randn(width, channels, 3, 3, generator=generator)
        state[f"features.{index}.bias"] = torch.randn(width, generator=generator)
        channels = width
    state["classifier.0.weight"] = torch.randn(40, 100, generator=generator)
    return state


def saved(content: object, *, legacy: bool = False) -> bytes:
    """What torch.save writes, in today's format or in that of torchvision's VGGs."""
    buffer = io.BytesIO()
    torch.save(content, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


@contextmanager
def published(monkeypatch: pytest.MonkeyPatch, cache: Path) -> Iterator[CheckpointServer]:
    """Let a server on this machine publish narrow_vgg16() as the weights of vgg16.

    Args:
        monkeypatch: Undoes it all at the end of the test.
        cache: The folder of the user's cache.
    """
    for block, width in WIDTHS.items():
        monkeypatch.setitem(vgg.WIDTHS, block, width)
    monkeypatch.setattr(fetch, "CHUNK", 1000)
    monkeypatch.setattr(fetch, "PAUSE", 0)
    monkeypatch.setenv("no_proxy", "*")
    monkeypatch.setenv("IMPASTO_CACHE", str(cache))
    monkeypatch.delenv("IMPASTO_WEIGHTS", raising=False)
    body = saved(narrow_vgg16(), legacy=True)
    with serving(CheckpointServer(body)) as server:
        checkpoint = Checkpoint(
            "vgg16", server.url, hashlib.sha256(body).hexdigest(), len(body), "free"
        )
        monkeypatch.setitem(CHECKPOINTS, "vgg16", checkpoint)
        entry = dataclasses.replace(BACKBONES["vgg16"], checkpoint=checkpoint, embedded=False)
        monkeypatch.setitem(BACKBONES, "vgg16", entry)
        yield server


@dataclass
class CheckpointServer:
    """What to serve, how, and which requests came.

    Attributes:
        body: The file.
        url: Its address.
        cuts: For each request to come, after how many bytes the connection breaks.
        ranges: Whether the server knows ranges.
        status: What to answer instead of the file.
        requests: The Range header of each request so far.
    """

    body: bytes
    url: str = ""
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    status: int = 200
    requests: list[str | None] = field(default_factory=list)


@contextmanager
def serving(server: CheckpointServer) -> Iterator[CheckpointServer]:
    """Run a server as long as the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = self.headers["Range"]
            server.requests.append(asked)
            if server.status != 200:
                self.send_error(server.status)
                return
            size, start = len(server.body), 0
            if asked and server.ranges:
                start = int(asked.removeprefix("bytes=").removesuffix("-"))
                if start >= size:
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            else:
                self.send_response(200)
            self.send_header("Content-Length", str(size - start))
            self.end_headers()
            end = start + server.cuts.pop(0) if server.cuts else size
            self.wfile.write(server.body[start:end])

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server.url = f"http://127.0.0.1:{http.server_address[1]}/vgg16-test.pth"
        thread = threading.Thread(target=http.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()
