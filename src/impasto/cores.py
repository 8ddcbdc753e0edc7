"""How many cores there are to compute on. No heavy import here.

Threads of one computation wait for each other after every small operation. Where one of them has to
share its core with somebody else's work, all the others wait: a picture takes five times as long on
all cores of a busy machine as on those that are free.
"""

from __future__ import annotations

import os
import time

LOOK = 0.05  # seconds over which the load of the machine is looked at


def free_cores() -> int:
    """The cores that nobody else keeps busy, at least one; OMP_NUM_THREADS decides if it is set."""
    said = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if said.isdigit() and int(said):
        return int(said)
    import psutil

    count, began, spent = os.cpu_count() or 1, time.perf_counter(), time.process_time()
    # Not cpu_times_percent, whose shares are too small where cores and interval make less than 1 s.
    busy = psutil.cpu_percent(interval=LOOK) / 100 * count
    # Threads of this process that wait for their next piece of work look as busy as any.
    own = (time.process_time() - spent) / (time.perf_counter() - began)
    return max(1, round(count - max(0.0, busy - own)))
