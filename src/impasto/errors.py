"""The errors Impasto raises: one line that says what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


class ImpastoError(Exception):
    """Something went wrong while running (out of memory, a non-finite loss).

    The message is one line for a person. ``exit_code`` is what the command line returns.
    """

    exit_code = 1


class InputError(ImpastoError, ValueError):
    """A file, value or name given by the user cannot be used."""

    exit_code = 2


class MissingExtraError(ImpastoError, ImportError):
    """An optional package is not installed.

    Args:
        package: The package that could not be imported.
        extra: The extra of Impasto that brings it.
        purpose: What needs it, as in "writing MP4 animations".
    """

    exit_code = 2

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(f"{purpose} needs the package '{package}': pip install 'impasto[{extra}]'")


@contextmanager
def needs(package: str, extra: str, purpose: str) -> Iterator[None]:
    """Let imports within fail with a ``MissingExtraError``, whose arguments these are."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(package, extra, purpose) from error
