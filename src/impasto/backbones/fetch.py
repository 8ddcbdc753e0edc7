"""Downloads a large file: resumed where it broke off, and checked before it is used."""

from __future__ import annotations

import errno
import hashlib
import logging
import os
import shutil
import time
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from impasto.errors import ImpastoError

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]
"""Called with the bytes that are there and the bytes of the whole file."""

CHUNK = 256 * 1024
TIMEOUT = 30.0  # seconds without a byte
PAUSE = 1.0  # seconds before a broken connection is taken up again
NETWORK_ERRORS = (OSError, HTTPException)  # urllib's own errors are OSErrors


class FetchError(ImpastoError):
    """A download that did not come to its end.

    Args:
        reason: What happened, without a full stop.
        received: Bytes that are kept for the next try.
    """

    def __init__(self, reason: str, received: int) -> None:
        super().__init__(reason)
        self.received = received


def fetch(url: str, path: Path, size: int, sha256: str, progress: Progress | None = None) -> None:
    """Download a file of known length and hash.

    What has arrived lies in ``<path>.part`` until all of it is there and its hash is right; a
    later call goes on from there. A connection that breaks is taken up again as long as each new
    one brings the download further.

    Args:
        url: What to download.
        path: Where the file shall lie; its folder exists, and nobody else writes there.
        size: Its length in bytes.
        sha256: Its SHA-256 in hexadecimal digits.
        progress: Called now and then.

    Raises:
        FetchError: If the server cannot be reached or breaks off, or sends something else.
        OSError: If the file cannot be written.
    """
    part = partial_path(path)
    if path.exists():  # complete, but whoever fetched it did not come to use it
        path.replace(part)
    while _length(part) != size:
        _advance(url, part, size, progress)
    actual = file_sha256(part)
    if actual != sha256:
        part.unlink()
        raise FetchError(
            f"{url} does not have the SHA-256 that is expected ({actual} instead of {sha256}), "
            "so what arrived was removed",
            received=0,
        )
    part.replace(path)


def partial_path(path: Path) -> Path:
    """The path of an incomplete download."""
    return path.with_name(f"{path.name}.part")


def file_sha256(path: Path) -> str:
    """SHA-256 of a file in hexadecimal digits."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(1024 * 1024):
            digest.update(chunk)
    return digest.hexdigest()


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _advance(url: str, part: Path, size: int, progress: Progress | None) -> None:
    """Receive over one connection; that it breaks is no error if it brought something."""
    before = _length(part)
    try:
        _receive(url, part, size, progress)
    except FetchError as error:
        if error.received <= before:
            raise
        logger.info("%s after %d bytes, trying again", error, error.received)
        time.sleep(PAUSE)


def _receive(url: str, part: Path, size: int, progress: Progress | None) -> None:
    """Append what one connection brings to the partial file."""
    received = _length(part)
    if received > size:
        received = 0
    if shutil.disk_usage(part.parent).free < size - received:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with _connect(url, received) as response:
        if response.headers.get("Content-Range") != f"bytes {received}-{size - 1}/{size}":
            if response.status != 200 or response.length != size:
                raise FetchError(f"{url} is not the file that is expected", received)
            received = 0  # the server sends the file from its start
        with part.open("ab" if received else "wb") as file:
            while received < size:
                try:
                    chunk = response.read(min(CHUNK, size - received))
                except NETWORK_ERRORS as error:
                    raise FetchError(_reason(url, error), received) from error
                if not chunk:
                    raise FetchError(f"{_host(url)} broke the connection", received)
                file.write(chunk)
                received += len(chunk)
                if progress:
                    progress(received, size)


def _connect(url: str, offset: int) -> HTTPResponse:
    """Ask for a file from an offset on; the server may send all of it nevertheless."""
    headers = {"User-Agent": "impasto", **({"Range": f"bytes={offset}-"} if offset else {})}
    try:
        response: HTTPResponse = urlopen(Request(url, headers=headers), timeout=TIMEOUT)
        return response
    except HTTPError as error:
        error.close()
        raise FetchError(f"{url} answered {error.code} {error.reason}", offset) from error
    except NETWORK_ERRORS as error:
        raise FetchError(_reason(url, error), offset) from error


def _reason(url: str, error: BaseException) -> str:
    cause = getattr(error, "reason", None) or error
    cause = getattr(cause, "strerror", None) or cause
    return f"{_host(url)} cannot be reached: {cause}"


def _host(url: str) -> str:
    return urlsplit(url).netloc
