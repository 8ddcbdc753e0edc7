"""Writing files whole or not at all."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from impasto.errors import ImpastoError, InputError


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
