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
        super().__init__(f"{purpose} needs the package '{package}': {pip_install(extra)}")


@contextmanager
def needs(package: str, extra: str, purpose: str) -> Iterator[None]:
    """Let imports within fail with a ``MissingExtraError``, whose arguments these are."""
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(package, extra, purpose) from error


class MissingTorchError(ImpastoError, ImportError):
    """What was asked for needs torch, and ``impasto-light`` is installed without it."""

    exit_code = 2

    def __init__(self) -> None:
        super().__init__(
            "this needs torch, which is not installed: pip install torch (without it, networks "
            "paint in one piece: --method arbitrary, or a style that `impasto gallery` lists)"
        )


@contextmanager
def torch_needed() -> Iterator[None]:
    """Around the import of what computes with torch: let it be said in one line if that is missing.

    Raises:
        MissingTorchError: If torch is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingTorchError from error


def pip_install(extra: str) -> str:
    """The command that installs an extra, for the distribution that is installed."""
    from importlib import metadata  # takes a while, and is needed only here

    try:
        name = metadata.distribution("impasto-light").name
    except metadata.PackageNotFoundError:
        name = "impasto"
    return f"pip install '{name}[{extra}]'"
