"""The weights of VGG-16 and VGG-19: found, downloaded, imported, cached.

In this order: a file that is given; what ``IMPASTO_WEIGHTS`` names; the user's cache; a download
of torchvision's checkpoint, of which the convolutions are kept in half precision.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from impasto import files
from impasto.backbones.fetch import FetchError, Progress, fetch, file_sha256
from impasto.backbones.published import CHECKPOINTS, Checkpoint, read_metadata
from impasto.errors import ImpastoError, InputError

logger = logging.getLogger(__name__)


def cache_folder() -> Path:
    """The folder of cached weights: in ``IMPASTO_CACHE`` or the platform's user cache.

    Raises:
        InputError: If there is no home folder to put it in.
    """
    return files.cache_folder() / "weights"


def cached_path(name: str) -> Path:
    """The file in the cache that holds, or would hold, a backbone's weights."""
    return cache_folder() / f"{name}.safetensors"


def original_path(checkpoint: Checkpoint) -> Path:
    """The file in the cache that a download is written to before it is converted."""
    return cache_folder() / checkpoint.filename


def embedded_path(name: str) -> Path:
    """The file in the package that holds an embedded backbone's weights."""
    return Path(__file__).resolve().parents[1] / "models" / f"{name}.safetensors"


def find(checkpoint: Checkpoint) -> Path | None:
    """The file with a backbone's weights on this machine; None if a download is needed.

    Raises:
        InputError: If ``IMPASTO_WEIGHTS`` names something that does not exist.
    """
    if given := os.environ.get("IMPASTO_WEIGHTS"):
        path = Path(given).expanduser()
        if not path.exists():
            raise InputError(f"IMPASTO_WEIGHTS names {path}, which does not exist")
        if path.is_file():
            return path
        for filename in (f"{checkpoint.name}.safetensors", checkpoint.filename):
            if (path / filename).is_file():
                return path / filename
    path = cached_path(checkpoint.name)
    return path if path.is_file() else None


def download(checkpoint: Checkpoint, progress: Progress | None = None) -> Path:
    """Download weights into the cache, unless they are there and intact.

    Args:
        checkpoint: What to download.
        progress: Called now and then with the bytes that are there and those of the whole.

    Returns:
        The file in the cache.

    Raises:
        InputError: If the server cannot be reached or the cache cannot be written.
        ImpastoError: If the download breaks off or brings something else.
    """
    from impasto.backbones.checkpoints import load_convolutions, save_half

    target = cached_path(checkpoint.name)
    with _writing(target):
        if _intact(target, checkpoint.name):
            return target
        original = original_path(checkpoint)
        logger.info("downloading %s", checkpoint.url)
        try:
            fetch(checkpoint.url, original, checkpoint.size, checkpoint.sha256, progress)
        except FetchError as error:
            raise _explained(checkpoint, error) from error
        _, state = load_convolutions(original, checkpoint.name)
        save_half(state, _provenance(checkpoint), target)
        original.unlink()
    return target


def import_weights(path: Path, name: str | None = None) -> Path:
    """Convert a weights file into the cache, replacing what is there.

    Args:
        path: A file as :func:`~impasto.backbones.checkpoints.load_convolutions` reads it.
        name: The network it holds; recognised by its shapes if left out.

    Returns:
        The file in the cache.

    Raises:
        InputError: If the file is unusable or the cache cannot be written.
    """
    from impasto.backbones.checkpoints import load_convolutions, save_half

    name, state = load_convolutions(path, name)
    sha256 = file_sha256(path)
    if sha256 == CHECKPOINTS[name].sha256:
        metadata = _provenance(CHECKPOINTS[name])
    else:
        own = read_metadata(path)
        licence = own.get("origin", "unknown (imported)")
        metadata = {"source": path.name, "sha256": sha256, "licence": licence} | own
    target = cached_path(name)
    with _writing(target):
        save_half(state, metadata, target)
    return target


def unavailable(name: str, reason: str) -> InputError:
    """The error that says why weights are unavailable, with three ways out."""
    return InputError(
        f"the weights of {name} are not on this machine ({reason}): give a file with --weights "
        f"or IMPASTO_WEIGHTS; or run `impasto weights download {name}` on a connected machine and "
        "`impasto weights import FILE` here; or use the embedded backbone with --backbone lite"
    )


def _provenance(checkpoint: Checkpoint) -> dict[str, str]:
    return {
        "source": checkpoint.url,
        "sha256": checkpoint.sha256,
        "licence": checkpoint.licence,
    }


def _intact(target: Path, name: str) -> bool:
    from impasto.backbones.checkpoints import load_convolutions

    try:
        load_convolutions(target, name)
    except InputError:
        return False
    return True


def _explained(checkpoint: Checkpoint, error: FetchError) -> ImpastoError:
    if not error.received:
        return unavailable(checkpoint.name, str(error))
    return ImpastoError(
        f"{error}; {error.received / 1e6:.0f} of {checkpoint.size / 1e6:.0f} MB are kept: "
        f"`impasto weights download {checkpoint.name}` goes on from there"
    )


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    """Keep other processes from writing the same weights; say clearly what a disk refuses."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(target.with_suffix(".lock")):
            yield
    except OSError as error:
        raise InputError(
            f"cannot write to the cache {target.parent} ({error.strerror or error}): make room "
            "there or choose another folder with IMPASTO_CACHE"
        ) from error
