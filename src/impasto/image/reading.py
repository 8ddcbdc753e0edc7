"""Sources to pictures: files, streams, bytes, Pillow images, arrays and tensors."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias, Union

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from impasto.errors import InputError
from impasto.image import settings as metadata
from impasto.image.alpha import clean
from impasto.image.decoding import decode, from_pillow
from impasto.image.deep import check_pixels, scaled
from impasto.image.opening import open_file, quiet, reading
from impasto.image.picture import Picture

if TYPE_CHECKING:
    import torch

FileSource: TypeAlias = Union[str, "os.PathLike[str]", bytes, BinaryIO]
ImageSource: TypeAlias = Union[FileSource, Image.Image, NDArray[Any], "torch.Tensor", Picture]


def load_image(
    source: ImageSource,
    *,
    max_pixels: int = 100_000_000,
    long_side: int | None = None,
    at_least: int | None = None,
) -> Picture:
    """Read a picture from anything that holds one.

    Files: JPEG, PNG, WebP, TIFF, BMP, GIF and what else Pillow reads, with 8 or 16 bits per
    channel. They come upright (EXIF) and in sRGB (ICC profile). Of an animation or a file of
    many pages the first one is taken. Colours under fully transparent pixels are garbage in
    most files: they are replaced by a smooth spread of the visible colours around them, so that
    neither resampling nor a backbone sees them.

    Arrays: uint8, uint16, or floats in [0, 1]; ``(H, W)`` or ``(H, W, 1 | 3 | 4)``. Tensors:
    the same types, ``(3 | 4, H, W)`` or ``(1, 3 | 4, H, W)``. Floats count as 8 bits. Pillow
    images hold 8 bits per channel in colour, so 16-bit files are better given by path.

    Args:
        source: A path, the bytes of a file, a binary stream, a Pillow image, an array, a tensor
            or a picture.
        max_pixels: Larger pictures are refused before they are decoded.
        long_side: Shrink to this long side in pixels (see ``fit``), which needs less memory
            than shrinking later; never enlarges.
        at_least: A shorter side that is enough: JPEG files may come with 1/2, 1/4 or 1/8 of
            their pixels, for a fraction of the time.

    Raises:
        InputError: If the source is no picture that can be read; one line names it.
    """
    picture = _read(source, max_pixels, long_side, at_least)
    return picture if long_side is None else picture.fitted(long_side)


def as_list(sources: Any) -> list[Any]:
    """Sources of pictures as a list: one that stands alone is a list of one."""
    return list(sources) if isinstance(sources, (list, tuple)) else [sources]


def read_settings(path: FileSource) -> dict[str, object] | None:
    """Read the settings that ``save_image`` wrote into a file; None if there are none.

    Raises:
        InputError: If the file is no picture that can be read.
    """
    with _opened(path) as (stream, name), reading(name), quiet():
        image = open_file(stream).image
        return None if image is None else metadata.find(image)


def _read(
    source: ImageSource, max_pixels: int, long_side: int | None, at_least: int | None
) -> Picture:
    """Read by the type of the source."""
    if isinstance(source, Picture):
        return source
    if isinstance(source, Image.Image):
        return from_pillow(source, max_pixels)
    if isinstance(source, np.ndarray):
        return _from_array(source, max_pixels)
    torch = sys.modules.get("torch")  # no tensor without it, and importing it takes seconds
    if torch is not None and isinstance(source, torch.Tensor):
        return _from_array(_channels_last(source), max_pixels)
    with _opened(source) as (stream, name):
        return decode(stream, name, max_pixels, long_side, at_least)


@contextmanager
def _opened(source: Any) -> Iterator[tuple[BinaryIO, str]]:
    """Open a file source as a seekable stream with a name for messages."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        yield io.BytesIO(source), "image"
    elif isinstance(source, (str, os.PathLike)):
        with _open_path(Path(source)) as stream:
            yield stream if stream.seekable() else io.BytesIO(stream.read()), str(source)
    elif hasattr(source, "read"):
        name = str(getattr(source, "name", "image"))
        with reading(name):
            data = source.read()
        if not isinstance(data, bytes):
            raise InputError(f"{name}: the stream is text, open it in binary mode")
        yield io.BytesIO(data), name
    else:
        raise InputError(f"cannot read a picture from {type(source).__name__}")


def _open_path(path: Path) -> BinaryIO:
    """Open a file, with a line for a person if that fails."""
    try:
        return path.open("rb")
    except FileNotFoundError:
        problem = "there is no such file"
    except IsADirectoryError:
        problem = "it is a folder"
    except PermissionError:
        problem = "no permission to read it" if not path.is_dir() else "it is a folder"
    except (OSError, ValueError) as error:  # a null byte, a name too long
        problem = str(error)
    raise InputError(f"cannot read {str(path)!r}: {problem}")


def _channels_last(tensor: torch.Tensor) -> NDArray[Any]:
    """Turn a tensor into an array ``(H, W, C)``."""
    shape = tuple(tensor.shape)
    if len(shape) == 4 and shape[0] == 1:
        tensor = tensor[0]
    if tensor.ndim != 3 or tensor.shape[0] not in (1, 3, 4):
        raise InputError(f"a tensor must be (3, H, W) or (1, 3, H, W), not {shape}")
    tensor = tensor.detach().cpu()
    tensor = tensor.float() if tensor.is_floating_point() else tensor
    array: NDArray[Any] = tensor.permute(1, 2, 0).numpy()
    return array


def _from_array(array: NDArray[Any], max_pixels: int) -> Picture:
    """Check and scale an array."""
    shape = array.shape
    if array.ndim == 2:
        array = array[..., None]
    if array.ndim != 3 or array.shape[2] not in (1, 3, 4) or not array.size:
        raise InputError(f"an array must be (H, W) or (H, W, 1, 3 or 4), not {shape}")
    check_pixels(array.shape[:2], max_pixels)
    if array.dtype in (np.uint8, np.uint16):
        values = scaled(array, np.iinfo(array.dtype).max)
    elif np.issubdtype(array.dtype, np.floating):
        values = array.astype(np.float32)
        if not (values.min() >= 0 and values.max() <= 1):  # also true of NaN
            raise InputError("an array of floats must lie in [0, 1], without NaN")
    else:
        raise InputError(f"an array must be uint8, uint16 or float in [0, 1], not {array.dtype}")
    alpha = values[..., 3] if values.shape[2] == 4 else None
    bits = 16 if array.dtype == np.uint16 else 8
    rgb = np.repeat(values, 3, axis=2) if values.shape[2] == 1 else values[..., :3]
    rgb, alpha = clean(rgb, alpha)
    return Picture(rgb, alpha, bits=bits)
