"""Files: written whole or not at all, told apart also through links."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from impasto.errors import ImpastoError, InputError


def cache_folder() -> Path:
    """The folder of all that is cached: ``IMPASTO_CACHE`` or the platform's user cache.

    Raises:
        InputError: If there is no home folder to put it in.
    """
    from platformdirs import user_cache_path

    try:
        folder = os.environ.get("IMPASTO_CACHE")
        return Path(folder).expanduser() if folder else user_cache_path("impasto")
    except RuntimeError as error:  # a user unknown to the system, as in a container, without HOME
        raise InputError("there is no home folder for the cache: set IMPASTO_CACHE") from error


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path to write to, which becomes ``path`` once all went well.

    The temporary file lies beside the final one and has its suffix; after an exception it is
    removed and ``path`` is as it was. A link stays a link: the file behind it is replaced.

    Args:
        path: The file to write.

    Raises:
        InputError: If the folder does not exist.
        ImpastoError: If the file cannot be written.
    """
    target = Path(path).resolve()
    if not target.parent.is_dir():
        raise InputError(f"cannot write {path}: the folder {target.parent} does not exist")
    temporary = target.with_name(f".impasto-{secrets.token_hex(6)}{target.suffix}")
    try:
        yield temporary
        temporary.replace(target)
    except OSError as error:
        raise ImpastoError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def check_place(path: str | os.PathLike[str]) -> None:
    """Raise InputError where no file can be made at a path, without making it."""
    path = Path(path)
    try:
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a folder")
        if path.exists() and not path.is_file():
            raise InputError(f"cannot write {path}: it is not a regular file")
        folder = path.resolve().parent
        if not folder.is_dir():
            raise InputError(f"cannot write {path}: the folder {folder} does not exist")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise InputError(f"cannot write {path}: no permission to write in {folder}")
    except InputError:
        raise
    except (OSError, ValueError, RuntimeError) as error:  # too long, a null byte, a link loop
        raise InputError(f"cannot write {str(path)!r}: {error}") from error


def identity(path: str | os.PathLike[str]) -> object:
    """The identity of a file: equal for all paths to it, also through links; it need not exist."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return os.path.normcase(os.path.realpath(path))
    return found.st_dev, found.st_ino
