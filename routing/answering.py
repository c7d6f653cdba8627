"""When each agent answers, as plain numbers (µs since 1970 UTC), for whatever counts and compares thousands. Pure."""

from __future__ import annotations

import datetime as dt

from routing.counts import Interval, without
from routing.spans import EPOCH, MICROSECOND, Span

HOUR = 3_600_000_000
"""µs."""


def instant_of(at: int) -> dt.datetime:
    """The instant (UTC) so many µs after 1970."""
    return EPOCH + at * MICROSECOND


def answering(span: Span) -> list[Interval]:
    """When calls may come: the shift without its breaks."""
    if not span.breaks:
        return [(span.begins, span.ends)]
    return without([(span.begins, span.ends)], span.breaks)
