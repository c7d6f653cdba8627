"""The callers of a queue, as those see them who watch over it. Pure."""

from __future__ import annotations

from typing import NamedTuple


class Waiting(NamedTuple):
    """How many wait (those whose agent rings included), for how long at most (seconds), and how many agents on duty
    can be reached and are not paused."""

    queue: str
    many: int
    longest: float
    serving: int
