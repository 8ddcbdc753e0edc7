"""The command of impasto; the exit code is 3 where threads of a group of processes outlive it.

Such a thread that still wants to say something when Python ends aborts the process, now and then.
"""

from __future__ import annotations

import sys
from pathlib import Path

from impasto.cli import main

if __name__ == "__main__":
    code = main(sys.argv[1:])
    names = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    sys.exit(3 if any("gloo" in name for name in names) else code)
