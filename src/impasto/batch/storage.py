"""Files by path or URL (``s3://``, ``gs://``, ``memory://`` ...), through fsspec."""

from __future__ import annotations

import glob
import io
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from impasto.errors import ImpastoError, InputError
from impasto.files import atomic, identity
from impasto.image import Picture, load_image, suffixes
from impasto.stylizers.body import is_pooled


def is_local(path: str) -> bool:
    """Whether a path is one of this machine: no URL, or there whatever it looks like."""
    is_url = "://" in path and re.match(r"[a-z][a-z0-9+.-]*(::|://)", path, re.I)
    return not is_url or os.path.exists(path)  # noqa: PTH110, never raises


def open_place(path: str) -> tuple[Any, str]:
    """The file system of a path or URL, and the path within it.

    Raises:
        InputError: If the kind of URL is unknown or needs a package that is not there.
    """
    import fsspec  # a tenth of a second that a single picture does not need

    if is_local(path):  # absolute, so that fsspec sees no ``a:b`` or ``c::d`` to interpret
        return fsspec.filesystem("file"), Path(path).absolute().as_posix()
    try:
        return fsspec.core.url_to_fs(path)  # type: ignore[no-any-return]
    except (ImportError, ValueError) as error:
        raise InputError(f"cannot reach the URL {path}: {_line(error)}") from error


@contextmanager
def telling(path: str, doing: str = "read") -> Iterator[None]:
    """Turn what a file system raises into one line that names the path."""
    try:
        yield
    except ImpastoError:
        raise
    except FileNotFoundError as error:
        raise InputError(f"cannot read {path}: there is no such file or folder") from error
    except PermissionError as error:
        raise InputError(f"cannot read {path}: no permission") from error
    except Exception as error:  # each kind of URL has a package with errors of its own
        if is_local(path) and not isinstance(error, OSError):
            raise
        kind = "" if is_local(path) else "the URL "
        raise ImpastoError(f"cannot {doing} {kind}{path}: {_line(error)}") from error


def read(path: str) -> bytes:
    """The bytes of a file.

    Raises:
        InputError: If it is not there or may not be read.
        ImpastoError: If reading fails on the way.
    """
    fs, inner = open_place(path)
    with telling(path):
        return bytes(fs.cat_file(inner))


def load_picture(path: str, long_side: int | None = None) -> Picture:
    """Load a picture from a path or URL, as ``load_image`` does.

    Raises:
        InputError: If it cannot be read.
        ImpastoError: If a URL cannot be reached.
    """
    if is_local(path):
        return load_image(path, long_side=long_side)
    stream = io.BytesIO(read(path))
    stream.name = path
    return load_image(stream, long_side=long_side)


def load_style(path: str) -> Picture | str:
    """Load an artwork; a folder of artworks or a style pack is left to the stylizer.

    Raises:
        InputError: If it cannot be read.
        ImpastoError: If a URL cannot be reached.
    """
    return path if is_local(path) and is_pooled(path) else load_picture(path)


def write(path: str, data: bytes) -> None:
    """Write a file whole or not at all, with the folders above it.

    Raises:
        ImpastoError: If it cannot be written.
    """
    if is_local(path):
        try:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ImpastoError(f"cannot write {path}: {error.strerror or error}") from error
        with atomic(path) as temporary:
            temporary.write_bytes(data)
        return
    fs, inner = open_place(path)
    with telling(path, "write"):
        try:
            # Object stores show a file only once it is complete.
            fs.pipe_file(inner, data)
        except FileNotFoundError:  # where folders have to be there first, as on SFTP
            fs.makedirs(inner.rpartition("/")[0], exist_ok=True)
            fs.pipe_file(inner, data)


def stamp(path: str) -> str:
    """A stamp that changes with a file: its size and, where it is known, time or tag."""
    fs, inner = open_place(path)
    with telling(path):
        info = fs.info(inner)
    mark = next((info[key] for key in ("ETag", "etag", "mtime", "created") if info.get(key)), "")
    return f"{info.get('size')} {mark}"


def exists(path: str) -> bool:
    """Whether there is a file of this path."""
    fs, inner = open_place(path)
    return bool(fs.isfile(inner))


def same(path: str) -> object:
    """The identity of a file: equal for all its paths or URLs."""
    return identity(path) if is_local(path) else path


def check_folder(path: str) -> None:
    """Make a folder for results, or raise InputError where there can be none."""
    if not is_local(path):
        open_place(path)
        return
    try:
        Path(path).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot write to {path}: {error.strerror or error}") from error
    if not os.access(path, os.W_OK | os.X_OK):
        raise InputError(f"cannot write to {path}: no permission")


def find_pictures(
    source: str, *, recursive: bool = False
) -> tuple[list[tuple[str, str]], list[str]]:
    """The pictures of a file, a folder or a glob pattern, in order of their names.

    Args:
        source: A path or URL.
        recursive: Whether a folder's subfolders are searched as well.

    Returns:
        For each its path or URL, and its folder relative to the source: "" for a single file,
        the part below the first wildcard for a pattern. And the files that were left out, being
        no pictures by their suffix.

    Raises:
        InputError: If the source is not there, may not be read or holds no pictures.
    """
    fs, inner = open_place(source)
    with telling(source):
        if fs.isfile(inner):
            return [(source, "")], []
        if fs.isdir(inner):
            root, found = inner, _walk(fs, inner, recursive)
        else:
            root, pattern = _literal(fs, inner)
            found = [path for path in fs.glob(pattern) if fs.isfile(path)]
    pictures = sorted(path for path in found if _is_picture(path))
    if not pictures:
        raise InputError(_nothing(source, recursive, bool(root == inner)))
    unstrip = str if is_local(source) else fs.unstrip_protocol
    others = sorted(set(found).difference(pictures))
    return [(unstrip(path), _relative_folder(path, root)) for path in pictures], others


def _walk(fs: Any, root: str, recursive: bool) -> list[str]:
    def stop(error: OSError) -> None:
        raise error

    depth = None if recursive else 1
    return [
        f"{folder.rstrip('/')}/{name}"
        for folder, _, names in fs.walk(root, maxdepth=depth, on_error=stop)
        for name in names
    ]


def _is_picture(path: str) -> bool:
    name = PurePosixPath(path)
    return name.suffix.lower() in suffixes() and not name.name.startswith(".")


def _literal(fs: Any, pattern: str) -> tuple[str, str]:
    """The folder before the first wildcard, and the pattern with that folder quoted.

    A folder that is called like a pattern, as ``x[1]``, is no wildcard.
    """
    parts = pattern.split("/")
    for i, part in enumerate(parts):
        above = "/".join(parts[: i + 1])
        if set(part) & set("*?[") and not fs.isdir(above):
            break
    folder = "/".join(parts[:i])
    return folder, "/".join([glob.escape(folder), *parts[i:]])


def _relative_folder(path: str, root: str) -> str:
    folder = os.path.relpath(PurePosixPath(path).parent, root or ".").replace(os.sep, "/")
    return "" if folder == "." else folder


def _nothing(source: str, recursive: bool, folder: bool) -> str:
    if not folder:
        return f"there is no such file, folder or pattern: {source}"
    hint = "" if recursive else "; --recursive looks into its subfolders"
    return f"no pictures in {source}{hint}"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
