"""``python -m tests.chaos.stepped``: the hotline command with a wall clock that can be stepped while it runs.

The file ``clock-offset`` in the state folder holds the seconds by which ``time.time`` is off; the machine's own clock
is never touched.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

_file = Path(os.environ["CHAOS_CLOCK"])
_time, _time_ns = time.time, time.time_ns


def _offset() -> float:
    try:
        return float(_file.read_text() or 0)
    except (OSError, ValueError):
        return 0.0


time.time = lambda: _time() + _offset()
time.time_ns = lambda: _time_ns() + round(_offset() * 1e9)

if __name__ == "__main__":
    from hotline.cli import main

    main()
