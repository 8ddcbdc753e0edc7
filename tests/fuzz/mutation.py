"""Small damage to files, as disks, networks and attackers do it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from random import Random

_NUMBERS = (b"\0" * 4, b"\xff" * 4, b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", b"\x80\0\0\0", b"\1")
_PNG = b"\x89PNG\r\n\x1a\n"


def mutated(seeds: Sequence[bytes], random: Random) -> bytes:
    """One of the seeds with one to eight kinds of damage."""
    data = bytearray(random.choice(seeds))
    for _ in range(random.randint(1, 8)):
        # Most of what a decoder trusts stands in the first bytes.
        reach = len(data) if random.random() < 0.5 else min(len(data), 400)
        at = random.randrange(reach + 1)
        length = random.randint(1, 32)
        kind = random.randrange(6)
        if kind == 0:
            data[at : at + 1] = bytes([random.randrange(256)])
        elif kind == 1:
            number = random.choice(_NUMBERS)
            data[at : at + len(number)] = number
        elif kind == 2:
            del data[at : at + length]
        elif kind == 3:
            data[at:at] = data[at : at + length]
        elif kind == 4:
            del data[at:]
        else:
            other = random.choice(seeds)
            start = random.randrange(len(other) + 1)
            data[at : at + length] = other[start : start + length]
    return _with_checksums(data) if random.random() < 0.5 else bytes(data)


def _with_checksums(data: bytearray) -> bytes:
    """A PNG whose chunks have the right checksums again, so that what is in them is read."""
    at = len(_PNG)
    while data.startswith(_PNG) and at + 12 <= len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        end = at + 8 + length
        if end + 4 > len(data):
            break
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return bytes(data)
