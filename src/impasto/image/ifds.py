"""Finding the main picture in a TIFF file, not its thumbnail."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_SUBFILE_TYPE, _OLD_SUBFILE_TYPE, _WIDTH, _HEIGHT = 254, 255, 256, 257
_PHOTOMETRIC, _ORIENTATION, _SUB_IFDS = 262, 274, 330
_SENSOR = (32803, 34892)  # colour filter array, and linear raw, of DNG and its kin
_REDUCED, _MASK, _OLD_REDUCED = 1, 4, 2
_CODES = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}  # field types of whole numbers
_MOST_PAGES = 10_000


@dataclass(frozen=True)
class Page:
    """A picture in a TIFF file.

    Attributes:
        offset: Where its directory (IFD) lies.
        tags: The numbers in it.
        nested: Whether it belongs to another page (SubIFD).
    """

    offset: int
    tags: dict[int, tuple[int, ...]]
    nested: bool

    def get(self, tag: int, default: int = 0) -> int:
        """The first number of a tag."""
        return self.tags.get(tag, (default,))[0]

    @property
    def sides(self) -> tuple[int, int]:
        """(height, width) in pixels, at least 1."""
        return max(1, self.get(_HEIGHT)), max(1, self.get(_WIDTH))

    @property
    def orientation(self) -> int:
        """EXIF orientation, 1 to 8; 0 if it does not say."""
        return self.get(_ORIENTATION)

    @property
    def is_reduced(self) -> bool:
        """Whether it is marked as a smaller version of another one, or as a mask."""
        reduced = self.get(_SUBFILE_TYPE) & (_REDUCED | _MASK)
        return bool(reduced) or self.get(_OLD_SUBFILE_TYPE) == _OLD_REDUCED

    def shows_more_than(self, other: Page) -> bool:
        """Whether it is the same picture, by its shape, at twice the size or more."""
        (height, width), (rows, columns) = self.sides, other.sides
        alike = abs(height * columns - width * rows) <= max(height, width)
        return alike and min(height / rows, width / columns) >= 2


def read_pages(stream: BinaryIO) -> list[Page]:
    """The pages of a TIFF file in their order, as far as they can be read."""
    return list(_pages(_Reader(stream)))


def is_raw(pages: list[Page]) -> bool:
    """Whether a file holds what a sensor saw, which has to be developed."""
    return any(page.get(_PHOTOMETRIC) in _SENSOR for page in pages)


def meant(pages: list[Page]) -> Page:
    """The first page that is not a thumbnail, by its mark or beside a larger one of its shape."""
    first = next((page for page in pages if not page.is_reduced), pages[0])
    larger = [page for page in pages if not page.is_reduced and page.shows_more_than(first)]
    return max(larger, key=lambda page: page.sides, default=first)


def count(pages: list[Page]) -> int:
    """How many pages people would count."""
    return sum(not (page.is_reduced or page.nested) for page in pages)


def beginning_with(stream: BinaryIO, page: Page) -> BinaryIO:
    """The file with a page as its first, which is the one that readers take."""
    stream.seek(0)
    data = bytearray(stream.read())
    reader = _Reader(stream)
    struct.pack_into(reader.order + reader.pointer, data, reader.first, page.offset)
    return io.BytesIO(data)


class _Reader:
    """Reads numbers of a TIFF file (TIFF 6.0, and BigTIFF with its longer ones)."""

    def __init__(self, stream: BinaryIO) -> None:
        self.stream = stream
        stream.seek(0)
        magic = stream.read(4)
        self.order = "<" if magic[:2] == b"II" else ">"
        self.big = b"+" in magic
        self.pointer, self.count, self.first = ("Q", "Q", 8) if self.big else ("I", "H", 4)

    def numbers(self, at: int, codes: str) -> tuple[int, ...]:
        """Numbers at an offset."""
        self.stream.seek(at)
        size = struct.calcsize(self.order + codes)
        return struct.unpack(self.order + codes, self.stream.read(size))

    def directory(self, at: int) -> tuple[dict[int, tuple[int, ...]], int]:
        """The numbers of the tags in a directory, at most 16 of each; and the next directory."""
        start = at + struct.calcsize(self.count)
        length = 20 if self.big else 12
        (entries,) = self.numbers(at, self.count)
        tags = {}
        for entry in range(start, start + min(entries, 1000) * length, length):
            tag, kind, amount = self.numbers(entry, "HH" + self.pointer)
            if kind not in _CODES or not amount:
                continue
            codes = _CODES[kind] * min(amount, 16)
            place = entry + length - struct.calcsize(self.pointer)
            if struct.calcsize(self.order + _CODES[kind]) * amount > struct.calcsize(self.pointer):
                (place,) = self.numbers(place, self.pointer)
            tags[tag] = self.numbers(place, codes)
        (following,) = self.numbers(start + entries * length, self.pointer)
        return tags, following


def _pages(reader: _Reader) -> Iterator[Page]:
    """The pages, each followed by those that belong to it; a broken one ends them."""
    seen = {0}
    try:
        (at,) = reader.numbers(reader.first, reader.pointer)
        while at not in seen and len(seen) < _MOST_PAGES:
            seen.add(at)
            tags, following = reader.directory(at)
            yield Page(at, tags, nested=False)
            for nested in tags.get(_SUB_IFDS, ()):
                yield Page(nested, reader.directory(nested)[0], nested=True)
            at = following
    except (struct.error, OverflowError, ValueError, OSError):
        return
