"""A folder of pictures as one style.

Moments are means over positions, so those of many pictures are the mean of theirs, weighted by
area: as if all hung side by side in one picture. Each picture is looked at with the same longer
side, so that strokes have one scale; what is too small for a size is left out of it. No more than
one picture is in memory at a time.
"""

from __future__ import annotations

import hashlib
import logging
import math
import os
import statistics
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from impasto.errors import ImpastoError, InputError
from impasto.files import cache_folder
from impasto.image import Picture, fit, load_image, suffixes
from impasto.image.masks import must_be_seen
from impasto.image.picture import Floats
from impasto.stylizers.body.pack import (
    COLORS,
    MOST_PLACES,
    SUFFIX,
    Eye,
    Found,
    Pool,
    StylePack,
    Works,
    artwork_size,
    blank,
    shares,
    visible_area,
)
from impasto.stylizers.body.pack_file import read_pack, write_pack

logger = logging.getLogger(__name__)

Work: TypeAlias = "Path | Picture"

# The smallest longer side at which pictures are looked at; each further one is twice as large.
SMALLEST = 64


def pictures_in(folder: str | os.PathLike[str]) -> list[Path]:
    """The pictures of a folder by their names, without those of its subfolders.

    Raises:
        InputError: If there is none, or the folder cannot be read.
    """
    known = suffixes()
    try:
        files = sorted(path for path in Path(folder).iterdir() if path.name[:1] != ".")
    except OSError as error:
        raise InputError(f"cannot read {folder}: {error.strerror or error}") from error
    pictures = [path for path in files if path.suffix.lower() in known and path.is_file()]
    if not pictures:
        raise InputError(f"the folder {folder} holds no pictures to take a style from")
    if others := len(files) - len(pictures):
        logger.info("left out %d files of %s that are no pictures", others, folder)
    return pictures


def load_pooled(style: Any, eye: Eye, side: int) -> StylePack:
    """The pack of a style that ``is_pooled``, fit for an eye.

    What was found in a folder is kept in the user's cache, by the contents of its pictures.

    Args:
        style: A pack, its file, a folder, or works.
        eye: What looks at the pictures.
        side: The longer side in pixels up to which they will be asked for.

    Raises:
        InputError: If it cannot be used.
    """
    if isinstance(style, StylePack):
        style.check(eye)
        return style
    side = 2 ** math.ceil(math.log2(max(side, SMALLEST)))
    if isinstance(style, Works):
        return pool(style.pictures, [eye], side, style.name)
    if not Path(style).is_dir():
        pack = read_pack(style)
        pack.check(eye)
        return pack
    return _pooled(pictures_in(style), eye, side, str(style))


def _pooled(paths: Sequence[Path], eye: Eye, side: int, name: str) -> StylePack:
    """What an eye sees of pictures, from the cache where it is there."""
    key = hashlib.sha256(repr((eye.name, eye.mark, sorted(_names(eye)), side)).encode())
    for path in paths:
        key.update(hashlib.sha256(_bytes_of(path)).digest())
    try:
        cached = cache_folder() / "styles" / f"{key.hexdigest()[:32]}{SUFFIX}"
        cached.parent.mkdir(parents=True, exist_ok=True)
    except (OSError, InputError):
        return pool(paths, [eye], side, name)
    try:
        return read_pack(cached, name=name)
    except InputError:  # not there yet, or damaged
        pack = pool(paths, [eye], side, name)
    try:
        write_pack(pack, cached)
    except ImpastoError as error:
        logger.info("not kept for the next time: %s", error)
    return pack


def pool(works: Sequence[Work], eyes: Sequence[Eye], side: int, name: str) -> StylePack:
    """Look at pictures, one after the other, and pool what is seen.

    Args:
        works: The pictures.
        eyes: What looks at them.
        side: The longer side in pixels up to which it looks; at most that which half of the
            pictures have.
        name: How messages call the pack.

    Raises:
        InputError: If a picture cannot be read, is too small or fully transparent.
    """
    logger.info("looking at the %d pictures of %s", len(works), name)
    smallest = max(eye.smallest for eye in eyes)
    sizes = [_loaded(work, smallest).size for work in works]
    top = min(side, statistics.median_high([max(size) for size in sizes]))
    areas = [math.prod(fit(size, top)) for size in sizes]
    pools = {(eye.name, rung): Pool() for eye in eyes for rung in ladder(top)}
    places = {rung: _places(sizes, rung) for rung in ladder(top)}
    colors: list[Floats] = []
    for index, (work, count) in enumerate(zip(works, shares(COLORS**2, areas), strict=True)):
        picture = _loaded(work, smallest)
        colors.append(_sampled(picture, count))
        for eye in eyes:
            for rung in ladder(top):
                if index in places[rung]:
                    seen = picture.resized(*artwork_size(picture.size, rung, eye.smallest))
                    found = eye.look(seen, places[rung][index])
                    pools[eye.name, rung].add(found, visible_area(seen))
    tables: dict[str, dict[int, Found]] = {eye.name: {} for eye in eyes}
    for (eye_name, rung), pooled in pools.items():
        tables[eye_name][rung] = pooled.pooled()
    square = np.concatenate(colors).reshape(COLORS, COLORS, 3)
    marks = {eye.name: eye.mark for eye in eyes}
    sources = tuple(work.name for work in works)
    return StylePack(name, Picture(square, name=name), marks, tables, sources)


def ladder(top: int) -> list[int]:
    """The longer sides at which pictures are looked at, ascending to the largest."""
    rungs = []
    rung = SMALLEST
    while rung < top:
        rungs.append(rung)
        rung *= 2
    return [*rungs, top]


def _places(sizes: Sequence[tuple[int, int]], side: int) -> dict[int, int]:
    """How many places each picture that is large enough for a side gives, by their areas."""
    large = [index for index, size in enumerate(sizes) if max(size) >= side]
    areas = [math.prod(fit(sizes[index], side)) for index in large]
    return dict(zip(large, shares(MOST_PLACES, areas), strict=True))


def _sampled(picture: Picture, count: int) -> Floats:
    """Some colours of a picture ``(count, 3)``, as 8 bits hold them; always the same ones."""
    pixels = picture.rgb.reshape(-1, 3)
    shares = None
    if picture.alpha is not None:
        shares = picture.alpha.ravel().astype(np.float64)
        shares /= shares.sum()
    chosen = np.random.default_rng(0).choice(len(pixels), count, p=shares)
    sampled: Floats = np.round(pixels[chosen] * 255).astype(np.float32) / np.float32(255)
    return sampled


def _loaded(work: Work, smallest: int) -> Picture:
    picture = load_image(work)
    must_be_seen(picture)
    if min(picture.size) < smallest:
        height, width = picture.size
        raise InputError(
            f"{work.name} is {width} x {height} px, too small: at least {smallest} px are needed"
        )
    return picture


def _bytes_of(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error


def _names(eye: Eye) -> Iterator[str]:
    """The names of what an eye sees."""
    yield from eye.look(blank(eye.smallest))
